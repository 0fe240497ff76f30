"""Quotes found in texts."""

import time
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from agents.reading.text_spans import find_span


@given(st.text(min_size=1, max_size=60), st.data())
def test_every_part_of_a_text_is_found_in_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))

    place = find_span(text, text[start:end])

    assert place is not None
    assert text[place[0] : place[1]] == text[start:end]


@given(st.text(alphabet="abcdefgh äö", min_size=3, max_size=40).filter(lambda text: text.strip() == text), st.data())
def test_a_quote_with_one_wrong_letter_is_not_found(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text) - 1))

    assert find_span(text, text[:place] + "z" + text[place + 1 :]) is None


@given(st.text(min_size=1, max_size=60), st.data())
def test_a_quote_with_a_letter_that_the_text_does_not_have_is_not_found(text: str, data: st.DataObject) -> None:
    foreign = next(letter for letter in "中文字" if letter not in unicodedata.normalize("NFKC", text))
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    place = data.draw(st.integers(start, end - 1))

    assert find_span(text, text[start:place] + foreign + text[place + 1 : end]) is None


@given(st.text(alphabet="Grün–„Straße“ﬁ1½ Å", max_size=20))
def test_a_quote_in_another_composition_is_found_at_the_original_place(text: str) -> None:
    quote = unicodedata.normalize("NFKD", text).upper()
    around = f"xx {text} yy"

    place = find_span(around, quote)

    assert place is not None or not quote.strip()
    assert place is None or text.strip() in around[place[0] : place[1]] or around[place[0] : place[1]] in text


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_quote_is_found_where_any_text_says_it_or_not_at_all(text: str, quote: str) -> None:
    place = find_span(text, quote)

    assert place is None or 0 <= place[0] < place[1] <= len(text)
    assert place is None or find_span(text[place[0] : place[1]], quote) is not None


@given(
    st.text(max_size=30),
    st.text(min_size=1, max_size=20),
    st.text(max_size=30),
    st.sampled_from([" ", "\u00a0", "\t "]),
)
def test_a_quote_of_any_letters_is_found_whatever_blanks_part_its_words(
    before: str, word: str, after: str, blank: str
) -> None:
    text = f"{before} {word} {word} {after}"

    place = find_span(text, f"{word}{blank}{word}")

    assert place is not None
    assert find_span(text[place[0] : place[1]], f"{word}{blank}{word}") is not None


def test_case_blanks_dashes_and_quotes_may_differ() -> None:
    text = "Das „neue“ Grün–Blau, 5\u00a0kg"

    assert find_span(text, 'das "NEUE" gru\u0308n-blau,  5 kg') == (0, len(text))


def test_a_long_text_is_searched_in_linear_time() -> None:
    started = time.process_time()

    assert find_span("a" * 40_000 + "!", "a!b") is None

    assert time.process_time() - started < 0.5
