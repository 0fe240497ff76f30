"""What a body of status 200 may hold."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.providers.base import Completion, FinishReason
from agents.providers.chat_envelope import NoCompletion, completion_in, error_in
from memory.model_call import Message

MESSAGES = (Message(role="user", content="Is it blue?"),)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "usage", "prompt_tokens", "error", "refusal", "text"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def completion(body: bytes) -> Completion:
    return completion_in(body, messages=MESSAGES, model="small", started=0.0)


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_completion_or_says_that_it_is_none(body: bytes) -> None:
    with contextlib.suppress(NoCompletion):
        assert isinstance(completion(body).text, str)


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_error_body_says_something(body: bytes) -> None:
    said = error_in(body)

    assert isinstance(said.text, str)
    assert isinstance(said.code, str)


def test_a_text_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": '{"blue":'}, {"type": "text", "text": " true}"}]
    body = {"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}

    found = completion(json.dumps(body).encode())

    assert (found.text, found.model, found.finish_reason) == ('{"blue": true}', "small", FinishReason.STOP)
    assert found.usage.estimated


def test_an_answer_without_text_is_an_empty_answer() -> None:
    found = completion(b'{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}')

    assert found.text == ""


@pytest.mark.parametrize(
    ("body", "maybe_paid"),
    [(b"", True), (b"<html>", False), (b'{"error": "down"}', False), (b'{"choices": ', True), (b"[" * 5000, True)],
)
def test_a_page_or_an_error_was_not_paid_but_a_cut_body_may_have_been(body: bytes, maybe_paid: bool) -> None:
    with pytest.raises(NoCompletion) as failure:
        completion(body)

    assert failure.value.maybe_paid is maybe_paid
