"""A door for text diffusion models (LLaDA, Dream) behind the interface of `suggest`: histories as text.

A history becomes a list of titles with a hole where a behaviour is imagined (text_history.md); the model fills the
hole; what it wrote is taken for the items whose titles are nearest. No default: such models have some 8 billion weights
and want 20 GB of GPU memory. What a title says is data: it can neither add holes nor speak the model's control words.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from numpy.typing import NDArray
from torch import Tensor

from diffusion.text_sampler import Filling, Hidden, filled
from memory.errors import ReaseqError

TEMPLATE = Path(__file__).with_name("text_history.md")
HOLE = "\x00"  # stands for the hole while the text is made; no title has it
LONGEST_TITLE = 200  # characters; sellers write more, and say the same again
LEAST = 1e-6  # how sure an item is at least

Rows = NDArray[np.int32]
Encode = Callable[[Sequence[str]], NDArray[np.float32]]  # texts -> unit vectors


class TextModelMissing(ReaseqError):
    """The libraries or the weights of a text model are not there."""


class Answer(Protocol):
    """What a model of transformers returns, as far as it is read."""

    logits: Tensor  # [B, T, V]


class TextDenoiser(Protocol):
    """A masked language model, as transformers has them."""

    def __call__(self, *, input_ids: Tensor, attention_mask: Tensor) -> Answer:
        """Return logits of every token."""


class Tokenizer(Protocol):
    """A tokenizer of transformers, as far as it is asked."""

    mask_token_id: int | None
    pad_token_id: int | None
    all_special_tokens: list[str]

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """Return the tokens of a text."""

    def decode(self, token_ids: list[int], *, skip_special_tokens: bool) -> str:
        """Return the text of tokens."""


@dataclass(frozen=True)
class TextConfig:
    """How a text model is asked."""

    longest: int = 20  # behaviours of a history that are told, the newest ones
    tokens: int = 24  # of the hole: what a title has room for
    chains: int = 4  # answers drawn for each history
    at_once: int = 8  # texts in the model at a time
    filling: Filling = field(default_factory=Filling)
    shifted: bool = False  # Dream: the logits of a token stand at the one before it


@dataclass(frozen=True, eq=False)
class TextModel:
    """A masked language model over the titles of a catalog; row i of `vectors` is the title of item i, encoded."""

    model: TextDenoiser
    tokenizer: Tokenizer
    titles: Sequence[str]
    vectors: NDArray[np.float32]  # unit vectors [items, d]; zeros where an item has no title
    encode: Encode
    config: TextConfig = TextConfig()
    mask: int | None = None  # the model's mask token, where its tokenizer does not name it
    template: str = field(default_factory=lambda: TEMPLATE.read_text(encoding="utf-8"))

    def suggest(
        self, histories: Sequence[Rows], k: int, *, seed: int = 0, exclude: NDArray[np.bool_] | None = None
    ) -> tuple[Rows, NDArray[np.float32]]:
        """Return the `k` best items [users, k] that each history does not have, and how sure each is, in (0, 1].

        An item is as sure as its title is near (cosine) to the nearest text that was written; -1 and 0 where there are
        fewer. `exclude` [users, items] bars items.
        """
        found = np.full((len(histories), k), -1, dtype=np.int32)
        sure = np.zeros((len(histories), k), dtype=np.float32)
        for row, texts in enumerate(self.written(histories, [len(own) for own in histories], seed=seed)):
            barred = np.zeros(len(self.titles), dtype=np.bool_) if exclude is None else exclude[row].copy()
            barred[histories[row]] = True
            items, near = self._nearest(texts, barred, k)
            found[row, : len(items)], sure[row, : len(items)] = items, near
        return found, sure

    def written(self, histories: Sequence[Rows], after: Sequence[int], *, seed: int = 0) -> list[list[str]]:
        """Return what each chain writes into a hole after the `after`-th behaviour of each history."""
        chance = torch.Generator().manual_seed(seed)
        chains = self.config.chains
        asked = [self._text(own, place) for own, place in zip(histories, after, strict=True) for _ in range(chains)]
        texts: list[str] = []
        for start in range(0, len(asked), self.config.at_once):
            texts += self._filled(asked[start : start + self.config.at_once], chance)
        return [texts[start : start + chains] for start in range(0, len(texts), chains)]

    def _nearest(self, texts: Sequence[str], barred: NDArray[np.bool_], k: int) -> tuple[Rows, NDArray[np.float32]]:
        said = [text for text in texts if any(character.isalnum() for character in text)]
        if not said:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        cosine = (self.encode(said) @ self.vectors.T).max(axis=0)
        cosine[barred | ~self.vectors.any(axis=1)] = -np.inf
        best = np.argsort(-cosine, kind="stable")[:k]
        best = best[np.isfinite(cosine[best])]
        return best.astype(np.int32), np.clip(cosine[best], LEAST, 1).astype(np.float32)

    def _text(self, history: Rows, after: int) -> tuple[list[int], list[int]]:
        """Return the tokens before the hole and those after it."""
        first = min(max(0, after - self.config.longest // 2), max(0, len(history) - self.config.longest))
        told = history[first : first + self.config.longest]
        titles = [clean(self.titles[item], self.tokenizer.all_special_tokens) for item in told]
        titles.insert(after - first, HOLE)
        page = ImmutableSandboxedEnvironment(  # plain text for a model, not a page
            undefined=StrictUndefined, autoescape=False, trim_blocks=True, keep_trailing_newline=True
        ).from_string(self.template)
        before, behind = page.render(titles=titles).split(HOLE)
        return self._tokens(before), self._tokens(behind)

    def _tokens(self, text: str) -> list[int]:
        """Return the tokens of a text, without holes: a normal form of the tokenizer's own may make one of a title."""
        mask = self._mask()
        return [token for token in self.tokenizer.encode(text, add_special_tokens=False) if token != mask]

    def _filled(self, asked: Sequence[tuple[list[int], list[int]]], chance: torch.Generator) -> list[str]:
        """Return what the model writes into each hole."""
        mask, size = self._mask(), self.config.tokens
        longest = max(len(before) + size + len(behind) for before, behind in asked)
        tokens = torch.full((len(asked), longest), self.tokenizer.pad_token_id or 0)
        hidden, there = torch.zeros_like(tokens, dtype=torch.bool), torch.zeros_like(tokens)
        for row, (before, behind) in enumerate(asked):
            whole = [*before, *[mask] * size, *behind]
            tokens[row, : len(whole)], there[row, : len(whole)] = torch.tensor(whole), 1
            hidden[row, len(before) : len(before) + size] = True
        barred = tuple({mask, *self.config.filling.barred})
        filling = Filling(self.config.filling.steps, self.config.filling.temperature, barred)
        done = filled(self._logits, Hidden(tokens, hidden, there), filling, chance)
        return [self._title(done[row][hidden[row]].tolist()) for row in range(len(asked))]

    def _logits(self, tokens: Tensor, there: Tensor) -> Tensor:
        logits = self.model(input_ids=tokens, attention_mask=there).logits
        return torch.cat([logits[:, :1], logits[:, :-1]], dim=1) if self.config.shifted else logits

    def _title(self, tokens: list[int]) -> str:
        """Return the first line of what was written: the model may go on to the next title."""
        lines = self.tokenizer.decode(tokens, skip_special_tokens=True).strip().splitlines()
        return lines[0].strip() if lines else ""

    def _mask(self) -> int:
        mask = self.tokenizer.mask_token_id if self.mask is None else self.mask
        if mask is None:
            raise TextModelMissing("the tokenizer names no mask token: give the model's own one (LLaDA: 126336)")
        return mask


def clean(title: str, control: Sequence[str]) -> str:
    """Return a title on one line, cut, without control characters and without the model's control words."""
    text = " ".join("".join(own if own.isprintable() else " " for own in title).split())
    words = re.compile("|".join(re.escape(word) for word in control if word) or r"(?!)", re.IGNORECASE)
    while words.search(text):
        text = words.sub(" ", text)
    return text[:LONGEST_TITLE]


def load_text_model(name: str, *, trust_code: bool = False) -> tuple[TextDenoiser, Tokenizer]:
    """Return a model of transformers and its tokenizer from a folder or a hub; LLaDA and Dream bring code of their own.

    Raises `TextModelMissing`.
    """
    try:
        from transformers import (  # noqa: PLC0415 - an extra, and slow to import
            AutoModel,
            AutoModelForMaskedLM,
            AutoTokenizer,
        )
    except ImportError as error:
        raise TextModelMissing(
            "text diffusion models need transformers: pip install 'reaseq[text-diffusion]'"
        ) from error
    try:
        kind = AutoModel if trust_code else AutoModelForMaskedLM  # their own code says what AutoModel is: it has logits
        model: Any = kind.from_pretrained(name, trust_remote_code=trust_code)
        tokenizer: Any = AutoTokenizer.from_pretrained(name, trust_remote_code=trust_code)
    except (OSError, ValueError) as error:
        raise TextModelMissing(f"there is no text model at {name!r}: {error}") from error
    return model.eval(), tokenizer
