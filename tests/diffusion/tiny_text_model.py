"""A tiny BERT with random weights and a tokenizer of a handful of words, made on the spot; needs transformers."""

import re
from collections.abc import Sequence
from typing import Any

import torch

SPECIAL = {"pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
LINE = "\n"


def tiny_tokenizer(texts: Sequence[str]) -> Any:
    """Return a tokenizer that has the words and the line ends of some texts."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = dict.fromkeys([*SPECIAL.values(), LINE, *re.findall(r"\w+|[^\w\s]", " ".join(texts).lower())])
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex("[^\\S\\n]+"), behavior="removed"),
            pre_tokenizers.Split(Regex("\\n|\\w+|[^\\w\\s]"), behavior="isolated"),
        ]
    )
    return PreTrainedTokenizerFast(tokenizer_object=made, **SPECIAL)


def tiny_model(words: int, *, seed: int = 0) -> Any:
    """Return a masked language model with random weights that reads in both directions."""
    from transformers import BertConfig, BertForMaskedLM

    torch.manual_seed(seed)
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    return BertForMaskedLM(BertConfig(vocab_size=words, max_position_embeddings=128, **size)).eval()
