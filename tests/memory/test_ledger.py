"""The ledger gives every call back exactly as it was made and answered."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.database import open_database
from memory.ledger import calls_of, record_call
from memory.model_call import Message, ModelCall, Usage
from memory.tables import escaped, unescaped

any_text = st.text(st.characters(codec=None, exclude_categories=[]) | st.sampled_from("\0␛\ud800\udfff0d8"))


def call(
    raw_answer: str = '{"category": "drills"}', content: str = "Which category?", item_id: str = "d1"
) -> ModelCall:
    return ModelCall(
        item_id=item_id,
        agent="category_expert",
        prompt="category_expert",
        prompt_fingerprint="f1",
        round=1,
        model="scripted:test",
        parameters='{"temperature":0}',
        schema_name="Choice",
        messages=(Message(role="system", content="You sort."), Message(role="user", content=content)),
        raw_answer=raw_answer,
        finish_reason="stop",
        usage=Usage(prompt_tokens=7, completion_tokens=3, estimated=True),
        seconds=0.5,
    )


def test_a_call_comes_back_as_it_was_after_the_database_was_closed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'knowledge.db'}"
    with open_database(url) as database, database.writing() as session:
        record_call(session, call())

    with open_database(url) as database, database.session() as session:
        assert list(calls_of(session, "d1")) == [call()]


def test_calls_of_an_item_come_in_the_order_they_were_stored() -> None:
    made = [call(answer) for answer in ("third", "first", "second")]

    with open_database("sqlite://") as database, database.writing() as session:
        for one in (made[0], call("of another", item_id="d2"), *made[1:]):
            record_call(session, one)

        assert list(calls_of(session, "d1")) == made


@pytest.mark.parametrize(
    "hostile",
    ["", "NUL \0 inside", "lone \ud800 and \udfff", "␛ ␛0000 ␛␛", "'; DROP TABLE item; --", "\x1b[31m", "no JSON {"],
)
def test_no_answer_breaks_the_ledger(hostile: str) -> None:
    with open_database("sqlite://") as database, database.writing() as session:
        record_call(session, call(hostile, content=hostile))

        assert list(calls_of(session, "d1")) == [call(hostile, content=hostile)]


@given(any_text)
def test_escaping_loses_nothing_and_leaves_nothing_that_a_database_refuses(text: str) -> None:
    stored = escaped(text)

    assert unescaped(stored) == text
    assert "\0" not in stored
    assert stored.encode().decode() == stored
