"""OpenAI's batch format, read from whatever a server may send."""

import json

import pytest

from agents.providers.batch_api.wire import (
    BatchState,
    batch_in,
    file_in,
    page_in,
    question_id,
    question_of,
    request_line,
    result_in,
)
from agents.providers.chat_envelope import NoCompletion

BODY = b'{"model":"small","messages":[]}'
QUESTION = question_id("http://s/v1", 0, BODY)
TOKEN = "0123456789abcdef0123456789abcdef"
CUSTOM_ID = f"{QUESTION}.{TOKEN[:12]}"


def line(custom_id: str = CUSTOM_ID, **said: object) -> bytes:
    return json.dumps({"id": "r", "custom_id": custom_id, **said}).encode()


def test_a_request_line_is_what_the_thin_client_would_post() -> None:
    said = json.loads(request_line(QUESTION, TOKEN, BODY))

    assert (said["method"], said["url"], said["body"]) == ("POST", "/v1/chat/completions", json.loads(BODY))
    assert said["custom_id"] == CUSTOM_ID
    assert len(CUSTOM_ID) <= 64


@pytest.mark.parametrize(("server", "turn", "body"), [("http://t/v1", 0, BODY), ("http://s/v1", 1, BODY)])
def test_a_question_goes_by_its_body_its_round_and_its_server(server: str, turn: int, body: bytes) -> None:
    assert question_id("http://s/v1", 0, BODY) == QUESTION
    assert question_id(server, turn, body) != QUESTION


@pytest.mark.parametrize(
    "text",
    [line(), line() + b"}", b'{"custom_id" : "%s", "response": {"bo' % CUSTOM_ID.encode()],
    ids=["whole", "broken", "cut"],
)
def test_the_question_of_a_line_is_found_by_its_custom_id(text: bytes) -> None:
    assert question_of(text, TOKEN) == QUESTION


@pytest.mark.parametrize(
    "text",
    [line("nobody-asked"), line(f"{QUESTION}.{'f' * 12}"), b"", b"[]", b"nonsense", line(f"x{CUSTOM_ID}")],
    ids=["stray", "of another submission", "empty", "list", "no json", "longer"],
)
def test_a_line_that_answers_nothing_of_ours_is_nobodys(text: bytes) -> None:
    assert question_of(text, TOKEN) is None


def test_a_lines_status_and_body_are_those_of_the_single_call() -> None:
    answered = result_in(line(response={"status_code": 200, "body": {"choices": ["\ud83d"]}}))
    refused = result_in(line(response={"status_code": 429, "body": {"error": {"code": "slow", "message": "down"}}}))
    expired = result_in(line(response=None, error={"code": "batch_expired", "message": "too late"}))

    assert (answered.status, answered.body) == (200, b'{"choices": ["\\ud83d"]}')
    assert (refused.status, refused.said.code, refused.said.text) == (429, "slow", "down")
    assert (expired.status, expired.said.code, expired.said.text) == (None, "batch_expired", "too late")


@pytest.mark.parametrize("text", [b"", b"[1]", b'{"response": {', b"\xff"])
def test_a_line_that_cannot_be_read_is_no_completion(text: bytes) -> None:
    with pytest.raises(NoCompletion):
        result_in(text)


def test_what_is_said_of_a_batch_is_read() -> None:
    state = batch_in(
        json.dumps(
            {
                "id": "batch_1",
                "status": "expired",
                "metadata": {"reaseq": TOKEN},
                "created_at": 1700000000,
                "request_counts": {"total": 9, "completed": 7, "failed": 1},
                "output_file_id": "file-1",
                "error_file_id": None,
                "errors": {"data": [{"code": "token_limit_exceeded", "message": "too much"}]},
            }
        ).encode()
    )

    assert (state.id, state.over, state.refused, state.files) == ("batch_1", True, False, ("file-1",))
    assert (state.total, state.completed, state.failed, state.token) == (9, 7, 1, TOKEN)
    assert (state.problem.code, state.problem.text) == ("token_limit_exceeded", "too much")


@pytest.mark.parametrize("status", ["validating", "in_progress", "finalizing", "cancelling", "a new one"])
def test_a_batch_goes_on_until_it_has_ended_in_one_of_the_known_ways(status: str) -> None:
    assert not state_of({"id": "b", "status": status}).over


@pytest.mark.parametrize("odd", [{}, {"metadata": None, "request_counts": []}, {"errors": {"data": []}}, {"errors": 1}])
def test_what_is_missing_of_a_batch_is_nothing(odd: dict[str, object]) -> None:
    state = state_of({"id": "b", "status": "completed", "created_at": "now", **odd})

    assert (state.total, state.files, state.token, state.created_at) == (0, (), "", 0.0)


@pytest.mark.parametrize("said", [{}, {"id": 7}, {"id": "../files"}, {"id": "x" * 201}])
def test_an_id_that_is_none_is_refused(said: dict[str, object]) -> None:
    for read in (batch_in, file_in):
        with pytest.raises(NoCompletion):
            read(json.dumps(said).encode())


def test_a_list_of_batches_ends_where_the_server_says_so() -> None:
    page = page_in(b'{"data": [{"id": "b2"}, 3, {"id": "b1"}], "has_more": true}')
    empty = page_in(b'{"data": [], "has_more": true}')

    assert ([batch.id for batch in page.batches], page.more) == (["b2", "b1"], True)
    assert (empty.batches, empty.more) == ((), False)


def state_of(said: dict[str, object]) -> BatchState:
    return batch_in(json.dumps(said).encode())
