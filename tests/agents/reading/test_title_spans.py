"""Spans of a title that may be names, and quotes found in texts."""

import time
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from agents.reading.title_spans import candidate_spans, find_span
from memory.category import AttributeSpec, AttributeType
from memory.schema import CatalogItem

BRAND = AttributeSpec(key="brand", name="Brand", type=AttributeType.TEXT)
MODEL = AttributeSpec(key="model", name="Model", type=AttributeType.TEXT)
TITLE = "Neu: Sony WH-1000XM5 Kopfhörer für Reisen (schwarz), 30 Std. Akku"


def texts(title: str, spec: AttributeSpec, limit: int = 40) -> list[str]:
    return [span.text for span in candidate_spans(CatalogItem(id="1", title=title), spec, limit)]


def test_a_brand_is_looked_for_early_in_the_title() -> None:
    assert texts(TITLE, BRAND)[:2] == ["Sony", "Sony WH-1000XM5"]


def test_a_model_is_looked_for_among_codes() -> None:
    assert texts(TITLE, MODEL)[0] == "WH-1000XM5"


def test_no_span_starts_or_ends_with_a_function_word_or_a_quantity() -> None:
    edges = {edge for text in texts(TITLE, BRAND) for edge in (text.split()[0], text.split()[-1])}

    assert not edges & {"Neu:", "Neu", "für", "30", "Std."}


def test_spans_are_unique_bounded_and_where_they_say() -> None:
    title = "Acme Pro Acme Pro " * 30

    spans = candidate_spans(CatalogItem(id="1", title=title), BRAND, 7)

    assert len(spans) == 7 == len({span.text.casefold() for span in spans})
    assert all(title[span.start : span.end] == span.text for span in spans)


def test_spans_that_other_claims_rest_on_are_left_out() -> None:
    spans = candidate_spans(CatalogItem(id="1", title="Acme Black Mug"), BRAND, 9, taken=[(5, 10)])

    assert [span.text for span in spans] == ["Acme", "Acme Black Mug", "Mug"]


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


def test_case_blanks_dashes_and_quotes_may_differ() -> None:
    text = "Das „neue“ Grün–Blau, 5\u00a0kg"

    assert find_span(text, 'das "NEUE" gru\u0308n-blau,  5 kg') == (0, len(text))


def test_a_long_text_is_searched_in_linear_time() -> None:
    started = time.process_time()

    assert find_span("a" * 40_000 + "!", "a!b") is None

    assert time.process_time() - started < 0.5
