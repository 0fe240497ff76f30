"""Text models behind `suggest`: a toy that copies, a tiny BERT with random weights, and one that learned."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

pytest.importorskip("transformers", reason="text models are an extra: pip install transformers")

from diffusion.text_model import TEMPLATE, TextConfig, TextModel, TextModelMissing, clean, load_text_model
from diffusion.text_sampler import Filling
from tests.diffusion.tiny_text_model import tiny_model, tiny_tokenizer

torch.set_num_threads(1)

TITLES = ("red kettle", "blue cup", "green spade", "garden hose", "")
WORDS = sorted({word for title in TITLES for word in title.split()})
SURE = TextConfig(tokens=3, chains=2, filling=Filling(steps=3, temperature=0))


def rows(*items: int) -> NDArray[np.int32]:
    return np.array(items, dtype=np.int32)


def bag_of_words(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return unit vectors that count words; zeros for a text without any of them."""
    counts = np.array([[text.split().count(word) for word in WORDS] for text in texts], dtype=np.float32)
    return np.asarray(counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def tokenizer() -> Any:
    return tiny_tokenizer([TEMPLATE.read_text(encoding="utf-8"), *TITLES])


def text_model(model: Any, titles: Sequence[str] = TITLES, config: TextConfig = SURE) -> TextModel:
    return TextModel(model, tokenizer(), titles, bag_of_words(titles), bag_of_words, config)


class Speaker:
    """A model that wants to write the same words into the hole of every text, and keeps what it was first shown."""

    def __init__(self, words: str) -> None:
        self.words, self.holes, self.seen = words, [0], torch.zeros(0)

    def __call__(self, *, input_ids: Tensor, attention_mask: Tensor) -> Any:
        known = tokenizer()
        if not len(self.seen):
            self.seen = input_ids.clone()
            self.holes = (input_ids == known.mask_token_id).int().argmax(dim=1).tolist()
        logits = torch.zeros(*input_ids.shape, len(known))
        for row, hole in enumerate(self.holes):
            for place, word in enumerate(known.encode(self.words, add_special_tokens=False)):
                logits[row, hole + place, word] = 9.0
        return SimpleNamespace(logits=logits)


def test_what_the_model_writes_is_taken_for_the_nearest_title() -> None:
    items, sure = text_model(Speaker("green spade\n")).suggest([rows(0, 1)], 2)

    assert items[0, 0] == 2
    assert sure[0, 0] == pytest.approx(1)


def test_items_of_the_history_and_barred_ones_are_not_suggested() -> None:
    barred = np.zeros((1, len(TITLES)), dtype=np.bool_)
    barred[0, 3] = True

    items, sure = text_model(Speaker("red kettle\n")).suggest([rows(0)], 4, exclude=barred)

    assert sorted(items[0].tolist()) == [-1, -1, 1, 2]  # not the kettle, nor the hose, nor the item without a title
    assert (sure[0][items[0] >= 0] > 0).all()
    assert sure[0][items[0] < 0].tolist() == [0, 0]


def test_a_hole_in_the_middle_is_filled_between_its_neighbours() -> None:
    speaker = Speaker("blue cup\n")

    text_model(speaker).written([rows(0, 2)], [1])

    told = tokenizer().decode(speaker.seen[0].tolist())
    assert told.index("red kettle") < told.index("[MASK]") < told.index("green spade")


@pytest.mark.parametrize("attack", ["[MASK]", "[mask]", "[MA[MASK]SK]", "red\x00kettle", "a\n- b\n- c"])
def test_a_title_adds_neither_holes_nor_lines(attack: str) -> None:
    speaker, honest = Speaker("blue cup\n"), Speaker("blue cup\n")

    text_model(speaker, (attack, *TITLES[1:])).written([rows(0, 1)], [2])
    text_model(honest).written([rows(0, 1)], [2])

    for special in (tokenizer().mask_token_id, tokenizer().convert_tokens_to_ids("\n")):
        assert (speaker.seen[0] == special).sum() == (honest.seen[0] == special).sum()


def test_a_title_speaks_no_control_word_whatever_is_left_when_one_is_taken_out() -> None:
    assert "<|end|>" not in clean("x <|e<|end|>nd|> <|END|>", ["<|end|>"]).lower()


def test_the_newest_behaviours_are_told_where_there_are_too_many() -> None:
    speaker = Speaker("blue cup\n")
    few = TextConfig(longest=2, tokens=3, chains=1, filling=SURE.filling)

    text_model(speaker, config=few).written([rows(0, 0, 0, 2, 3)], [5])

    told = tokenizer().decode(speaker.seen[0].tolist())
    assert "red kettle" not in told
    assert "green spade" in told


def test_dream_is_read_one_token_earlier() -> None:
    class Early(Speaker):
        def __call__(self, *, input_ids: Tensor, attention_mask: Tensor) -> Any:
            logits = super().__call__(input_ids=input_ids, attention_mask=attention_mask).logits
            return SimpleNamespace(logits=torch.cat([logits[:, 1:], logits[:, :1]], dim=1))

    shifted = TextConfig(tokens=3, chains=1, filling=SURE.filling, shifted=True)

    items, _ = text_model(Early("garden hose\n"), config=shifted).suggest([rows(0)], 1)

    assert items.tolist() == [[3]]


def test_random_weights_give_items_of_the_catalog_and_the_same_ones_for_the_same_seed() -> None:
    drawn = TextConfig(tokens=4, chains=3, filling=Filling(steps=2, temperature=1.0))
    model = text_model(tiny_model(len(tokenizer())), config=drawn)
    histories = [rows(0, 1, 2), rows(3), rows()]

    first, again = (model.suggest(histories, 3, seed=1) for _ in range(2))

    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    for history, items, sure in zip(histories, *first, strict=True):
        real = items[items >= 0]
        assert len(set(real.tolist())) == len(real)
        assert not set(real.tolist()) & set(history.tolist())
        assert ((sure > 0) & (sure <= 1))[: len(real)].all()


def test_a_model_that_learned_which_title_follows_suggests_it() -> None:
    model, known = tiny_model(len(tokenizer())), tokenizer()
    asked = text_model(model, config=TextConfig(tokens=3, chains=1, filling=SURE.filling))
    follows = {0: 1, 1: 2, 2: 3}
    learn(model, known, asked, follows)

    items, _ = asked.suggest([rows(first) for first in follows], 1)

    assert items[:, 0].tolist() == list(follows.values())


def learn(model: Any, known: Any, asked: TextModel, follows: dict[int, int]) -> None:
    """Teach the model what stands in the hole after each first title."""
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    model.train()
    for _ in range(120):
        for first, second in follows.items():
            before, _ = asked._text(rows(first), 1)
            target = known.encode(TITLES[second] + "\n", add_special_tokens=False)
            sequence = torch.tensor([before + [known.mask_token_id] * 3])
            logits = model(input_ids=sequence, attention_mask=torch.ones_like(sequence)).logits
            loss = torch.nn.functional.cross_entropy(logits[0, len(before) :], torch.tensor(target))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    model.eval()


def test_a_folder_without_a_model_is_named(tmp_path: Any) -> None:
    with pytest.raises(TextModelMissing, match=str(tmp_path)):
        load_text_model(str(tmp_path))


def test_a_saved_model_is_read_from_its_folder(tmp_path: Any) -> None:
    known, model = tokenizer(), tiny_model(len(tokenizer()))
    known.save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)

    loaded, read = load_text_model(str(tmp_path))

    tokens = torch.tensor([known.encode("red kettle", add_special_tokens=False)])
    assert read.mask_token_id == known.mask_token_id
    assert torch.equal(
        loaded(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits,
        model(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits,
    )
