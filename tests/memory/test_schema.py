"""The records that travel: what may not be said cannot be built."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from memory.schema import CatalogItem, Evidence


@given(st.text(min_size=1, max_size=30), st.integers(0, 29), st.integers(1, 30), st.text(min_size=1, max_size=8))
def test_evidence_is_a_verbatim_span_or_cannot_be_built(title: str, start: int, end: int, quote: str) -> None:
    item = CatalogItem(id="1", title=title)
    said = {"field": "title", "start": start, "end": end, "quote": quote}

    if title[start:end] == quote:
        assert Evidence.model_validate(said, context={"item": item}).quote == quote
    else:
        with pytest.raises(ValidationError, match="is not"):
            Evidence.model_validate(said, context={"item": item})


def test_evidence_of_another_items_text_cannot_be_built() -> None:
    evidence = Evidence.at(CatalogItem(id="1", title="red cup"), "title", 0, 3)

    with pytest.raises(ValidationError, match="is not 'red'"):
        Evidence.model_validate(evidence.model_dump(), context={"item": CatalogItem(id="2", title="blue cup")})
