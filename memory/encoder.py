"""How texts become vectors: all-MiniLM-L6-v2, as it is installed with reaseq."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from memory.cut_model import cut_behind
from memory.onnx_session import onnx_session
from memory.weights import MINILM, MINILM_TOKENIZER, locate

if TYPE_CHECKING:  # else before it was told to be silent
    import onnxruntime

Vectors = NDArray[np.float32]

# 128 tokens of ordinary text are about 600 characters; what is cut is far beyond them, or one endless word.
READ_CHARACTERS = 20_000
# What a word is in its place is told best halfway up; the last layers turn to what the whole text is about. This is the
# third layer of six, so that pieces cost half of what texts do.
PIECES_TENSOR = "layer_norm_6"


class TextEncoder(Protocol):
    """Anything that gives a text a direction."""

    def __hash__(self) -> int:
        """Return what tells it from other encoders while what it encoded is remembered."""

    @property
    def name(self) -> str:
        """Return the encoder's name with all that shapes its vectors: model, version, limits."""

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text, in order: float32, shape (texts, dimensions), each of length 1."""


class MiniLmEncoder:
    """all-MiniLM-L6-v2 with int8 weights, mean pooling; a `TextEncoder` that reads the first 128 tokens of a text.

    A text has the same vector, bit for bit, whatever it is encoded with: only texts of equal length share a batch, so
    that none is padded, and each is pooled by itself.
    """

    dimensions = 384
    max_tokens = 128
    batch_size = 32

    def __init__(self) -> None:
        self._lock = Lock()
        self._loaded: _MiniLm | None = None
        self._lower_half: _MiniLm | None = None

    @property
    def name(self) -> str:
        """Return the encoder's name with all that shapes its vectors."""
        return f"all-MiniLM-L6-v2-int8@{MINILM.sha256[:12]}/{self.max_tokens}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text, in order: float32, shape (texts, 384), each of length 1.

        Loads the model at the first call; raises `WeightsMissing` or `WeightsDamaged`.
        """
        model = self._model()
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        tokens = [model.tokens(text) for text in texts]
        for rows in _batches_of_equal_length(tokens, self.batch_size):
            states = model.hidden_states([tokens[row] for row in rows])
            for row, state in zip(rows, states, strict=True):
                pooled = state.mean(axis=0)
                vectors[row] = pooled / np.linalg.norm(pooled)
        return vectors

    def word_pieces(self, text: str) -> "WordPieces":
        """Return a text's word pieces with their vectors from the third layer; loads a model of its own.

        Raises as `encode` does.
        """
        model = self._pieces_model()
        places, ids = model.places(text)
        return WordPieces(places, model.hidden_states([ids])[0, 1:-1])

    def _model(self) -> "_MiniLm":
        with self._lock:
            if self._loaded is None:
                self._loaded = _MiniLm.load(self.max_tokens)
            return self._loaded

    def _pieces_model(self) -> "_MiniLm":
        with self._lock:
            if self._lower_half is None:
                self._lower_half = _MiniLm.load_lower_half(self.max_tokens)
            return self._lower_half


@dataclass(frozen=True)
class WordPieces:
    """The pieces of a text as the model reads it: (start, end) in code points, and the third layer of each."""

    places: list[tuple[int, int]]
    vectors: Vectors  # shape (pieces, 384), not normalized


@dataclass(frozen=True)
class _MiniLm:
    """The model and its tokenizer, loaded."""

    tokenizer: Tokenizer
    session: "onnxruntime.InferenceSession"

    @classmethod
    def load(cls, max_tokens: int) -> Self:
        return cls._of(str(locate(MINILM)), max_tokens)

    @classmethod
    def load_lower_half(cls, max_tokens: int) -> Self:
        return cls._of(cut_behind(locate(MINILM).read_bytes(), PIECES_TENSOR), max_tokens)

    @classmethod
    def _of(cls, model: str | bytes, max_tokens: int) -> Self:
        tokenizer = Tokenizer.from_file(str(locate(MINILM_TOKENIZER)))
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        return cls(tokenizer, onnx_session(model))

    def tokens(self, text: str) -> list[int]:
        """Return the token ids of a text, its two special tokens included; a lone surrogate becomes "?"."""
        return list(self._encoding(text).ids)

    def places(self, text: str) -> tuple[list[tuple[int, int]], list[int]]:
        """Return the (start, end) of each token but the two special ones, and all ids."""
        encoding = self._encoding(text)
        return list(encoding.offsets[1:-1]), list(encoding.ids)

    def _encoding(self, text: str) -> Encoding:
        # Only the beginning can count; a text of megabytes is not tokenized to its end.
        return self.tokenizer.encode(text[:READ_CHARACTERS].encode(errors="replace").decode())

    def hidden_states(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        """Return the model's last layer for texts of equal length: float32, shape (texts, tokens, 384)."""
        ids = np.array(tokens, dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        states: Vectors = self.session.run(None, inputs)[0]
        return states


def _batches_of_equal_length(tokens: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """Yield the row numbers of texts with equally many tokens, at most `size` at a time."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for row, ids in enumerate(tokens):
        by_length[len(ids)].append(row)
    for rows in by_length.values():
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
