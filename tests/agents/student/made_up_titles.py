"""Titles of a made-up shop with their values, and an encoder that needs no weights."""

import hashlib
import random

import numpy as np

from agents.student.title_view import PieceEncoder
from agents.student.tokens import tokenize
from evaluators.annotated import AnnotatedTitle
from memory.encoder import WordPieces

BRANDS = ("Acme", "Borealis", "Corvo Nova", "Dunkelblau", "Eos", "Fjordholm Mills", "Gant", "Hollis")
COLOURS = ("red", "dark blue", "green", "white", "pale pink")
KINDS = ("mug", "bowl", "travel mug")


class HashedEncoder:
    """Each token is a piece, its vector the hash of its letters: what is meant, it does not know."""

    name = "hashed/8"
    dimensions = 8

    def word_pieces(self, text: str) -> WordPieces:
        """Return the text's tokens with their vectors."""
        tokens = tokenize(text)
        digests = [hashlib.sha256(token.text.lower().encode(errors="replace")).digest()[:8] for token in tokens]
        vectors = np.array([list(digest) for digest in digests], dtype=np.float32).reshape(-1, 8) / np.float32(
            128
        ) - np.float32(1)
        return WordPieces([(token.start, token.end) for token in tokens], vectors)


ENCODER: PieceEncoder = HashedEncoder()


def made_up_titles(count: int, seed: int) -> list[AnnotatedTitle]:
    """Return titles "BRAND KIND SIZE ml, COLOUR"; a third has no colour, annotated so."""
    draw = random.Random(seed)
    return [_title(draw) for _ in range(count)]


def _title(draw: random.Random) -> AnnotatedTitle:
    brand, kind, size = draw.choice(BRANDS), draw.choice(KINDS), f"{draw.randint(1, 99) * 10} ml"
    colour = draw.choice((*COLOURS, None, None))
    title = f"{brand} {kind} {size}" + (f", {colour}" if colour else "")
    colours = (colour,) if colour else ()
    return AnnotatedTitle(
        title=title, category="Mug", attributes={"Brand": (brand,), "Size": (size,), "Colour": colours}
    )
