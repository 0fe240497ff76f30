"""What the student sees of a title."""

import numpy as np

from agents.student.candidates import LONGEST, candidates
from agents.student.features import shape, span_features, token_features
from agents.student.title_view import CONTEXT_SCALE, view_title
from agents.student.tokens import MOST_TOKENS, tokenize
from memory.encoder import MiniLmEncoder
from tests.agents.student.made_up_titles import ENCODER


def test_numbers_letters_and_signs_are_tokens_of_their_own() -> None:
    tokens = tokenize("Größe 1,5l/2.5 T-Shirt")

    assert [token.text for token in tokens] == ["Größe", "1,5", "l", "/", "2.5", "T", "-", "Shirt"]
    assert all("Größe 1,5l/2.5 T-Shirt"[token.start : token.end] == token.text for token in tokens)


def test_every_run_of_tokens_up_to_the_longest_is_a_candidate_unless_it_begins_with_a_sign() -> None:
    title = ", " + " ".join(f"w{chr(97 + n)}" for n in range(LONGEST + 2))

    spans = candidates(title, tokenize(title))

    runs = sum(min(LONGEST, LONGEST + 2 - first) for first in range(LONGEST + 2))
    assert len(spans) == runs
    assert all(title[span.start : span.end] == span.text for span in spans)


def test_a_known_value_inside_a_token_is_a_candidate_once() -> None:
    title = "Russian Letters cap"

    spans = candidates(title, tokenize(title), ["Letter", "cap", "Number"])

    partial = [span for span in spans if span.is_partial]
    assert [(span.text, span.first, span.last, span.start) for span in partial] == [("Letter", 1, 2, 8)]


def test_a_title_of_a_million_words_is_read_only_at_its_beginning() -> None:
    view = view_title("word " * 1_000_000, (), ENCODER)

    assert len(view.tokens) == MOST_TOKENS
    assert len(view.spans) < MOST_TOKENS * LONGEST


def test_a_token_knows_itself_its_neighbours_and_its_place() -> None:
    found = token_features(["Acme", "Mug", "350", "ml"], 1)

    assert {"w=mug", "s=Xxx", "w-1=acme", "w+1=350", "s+1=99", "pos=1", "end=3", "rel=1"} <= set(found)


def test_a_span_knows_its_text_its_edges_and_what_stands_around_it() -> None:
    title = "Acme Mug (350 ml"
    spans = [span for span in candidates(title, tokenize(title)) if span.text == "(350 ml"]

    found = span_features([token.text for token in tokenize(title)], spans)

    assert {"q=(350 ml", "len=3", "sh=(9 a", "pn=mug|$", "fl=(|ml", "unbalanced"} <= set(found[0])


def test_shapes_know_letters_of_all_alphabets() -> None:
    assert shape("ÄÖÜßé12345-ж") == "XXxx99-x"


def test_each_token_gets_the_mean_of_its_word_pieces() -> None:
    encoder = MiniLmEncoder()
    title = "Unscented hypoallergenic 1.5oz"

    view, pieces = view_title(title, (), encoder), encoder.word_pieces(title)

    size = encoder.dimensions
    inside = [n for n, (start, end) in enumerate(pieces.places) if start >= 10 and end <= 24]
    assert len(inside) > 1
    expected = CONTEXT_SCALE * pieces.vectors[inside].mean(axis=0)
    np.testing.assert_allclose(view.contexts[1, :size], expected, rtol=1e-4)
    np.testing.assert_allclose(view.contexts[0, 2 * size :], expected, rtol=1e-4)
    assert not view.contexts[0, size : 2 * size].any()
