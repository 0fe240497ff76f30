"""A title as the student sees it: tokens, candidate spans, features, and each token's meaning in context."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from agents.student.candidates import Candidate, candidates
from agents.student.features import span_features, token_features
from agents.student.sparse_rows import Floats
from agents.student.tokens import Token, tokenize
from memory.encoder import WordPieces

CONTEXT_SCALE = 0.3  # brings context vectors to the size of binary features; chosen on folds of training titles


class PieceEncoder(Protocol):
    """Anything that gives each word piece of a text a vector; `MiniLmEncoder` does."""

    @property
    def name(self) -> str:
        """Return the encoder's name with all that shapes its vectors."""

    @property
    def dimensions(self) -> int:
        """Return the length of a vector."""

    def word_pieces(self, text: str) -> WordPieces:
        """Return the pieces of a text with their vectors."""


@dataclass(frozen=True)
class TitleView:
    """One title, ready to be scored."""

    title: str
    tokens: tuple[Token, ...]
    spans: list[Candidate]
    contexts: Floats  # (tokens, 3 x encoder dimensions): of the token itself, the one before, the one after

    @cached_property
    def token_features(self) -> list[list[str]]:
        """The features of each token."""
        words = [token.text for token in self.tokens]
        return [token_features(words, place) for place in range(len(words))]

    @cached_property
    def span_features(self) -> list[list[str]]:
        """The features of each candidate span."""
        words = [token.text for token in self.tokens]
        return span_features(words, self.spans)


def view_title(title: str, known: Iterable[str], encoder: PieceEncoder) -> TitleView:
    """Return the view of a title; `known` values are candidates wherever they stand."""
    tokens = tokenize(title)
    return TitleView(title, tokens, candidates(title, tokens, known), _contexts(title, tokens, encoder))


def _contexts(title: str, tokens: tuple[Token, ...], encoder: PieceEncoder) -> Floats:
    own = np.zeros((len(tokens), encoder.dimensions), dtype=np.float32)
    counts = np.zeros((len(tokens), 1), dtype=np.float32)
    pieces, first = encoder.word_pieces(title), 0
    for (start, end), vector in zip(pieces.places, pieces.vectors, strict=True):
        while first < len(tokens) and tokens[first].end <= start:
            first += 1
        place = first
        while place < len(tokens) and tokens[place].start < end:  # a piece may lie over several of our tokens
            own[place] += vector
            counts[place] += 1
            place += 1
    own *= CONTEXT_SCALE / np.maximum(counts, 1)
    around = np.pad(own, ((1, 1), (0, 0)))
    return np.concatenate([own, around[:-2], around[2:]], axis=1)
