"""OpenAI's batch format: the lines that go up, the lines that come down, and what is said of a batch meanwhile."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import orjson

from agents.providers.chat_envelope import NoCompletion, Said, error_in

ENDPOINT = "/v1/chat/completions"
MOST_REQUESTS = 50_000  # in one batch
MOST_BYTES = 190_000_000  # in one file: a little less than the 200 MB that OpenAI allows
OVER = frozenset({"completed", "expired", "cancelled"})
_CUSTOM_ID = re.compile(rb'"custom_id"\s*:\s*"([0-9a-f]{48})\.([0-9a-f]{12})"')


@dataclass(frozen=True)
class BatchState:
    """What the server says of a batch."""

    id: str
    status: str
    token: str  # ours, from the metadata; "" where there is none
    created_at: float  # seconds since 1970; 0 where nothing is said
    total: int
    completed: int
    failed: int
    files: tuple[str, ...]  # of answers and of errors, as far as there are any
    problem: Said  # why it was refused as a whole

    @property
    def refused(self) -> bool:
        """Whether it was refused as a whole: nothing was asked."""
        return self.status == "failed"

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it than what its files hold."""
        return self.refused or self.status in OVER


@dataclass(frozen=True)
class BatchPage:
    """Some of the batches that a server has, newest first."""

    batches: tuple[BatchState, ...]
    more: bool


@dataclass(frozen=True)
class LineResult:
    """What a line says: the status and body that the question alone would have got."""

    status: int | None  # None: it was not asked, `said` says why
    body: bytes
    said: Said


def question_id(server: str, round_: int, body: bytes) -> str:
    """Return the hash that a question goes by, the same after a resume."""
    return hashlib.sha256(b"\n".join([server.encode(), str(round_).encode(), body])).hexdigest()[:48]


def request_line(question: str, token: str, body: bytes) -> bytes:
    """Return the line that asks a question.

    Its `custom_id` has 61 characters (64 are allowed), and names the submission too: asked again, it is another.
    """
    custom_id = f"{question}.{token[:12]}".encode()
    return b'{"custom_id":"%s","method":"POST","url":"%s","body":%s}\n' % (custom_id, ENDPOINT.encode(), body)


def question_of(line: bytes, token: str) -> str | None:
    """Return the question that a line answers, be the line whole or cut; None where it is none of the submission's."""
    try:
        custom_id = str(_object(line).get("custom_id")).encode()
    except NoCompletion:
        found = _CUSTOM_ID.search(line)
    else:
        found = _CUSTOM_ID.search(b'"custom_id":"%s"' % custom_id)
    return found[1].decode() if found and found[2].decode() == token[:12] else None


def result_in(line: bytes) -> LineResult:
    """Return what a line says; raises `NoCompletion` for one that cannot be read."""
    said = _object(line)
    response = said.get("response")
    if not isinstance(response, dict):
        return LineResult(None, b"", error_in(orjson.dumps({"error": said.get("error") or "no response"})))
    # In ASCII, so that half a surrogate pair in an answer is passed on as it came.
    body = json.dumps(response.get("body")).encode()
    status = response.get("status_code")
    return LineResult(status if isinstance(status, int) else 200, body, error_in(body))


def batch_in(body: bytes) -> BatchState:
    """Return what is said of a batch; raises `NoCompletion` where nothing is."""
    return _batch(_object(body))


def page_in(body: bytes) -> BatchPage:
    """Return a page of a list of batches."""
    said = _object(body)
    listed = said.get("data")
    if not isinstance(listed, list):
        raise NoCompletion("a list of batches without batches", maybe_paid=False)
    batches = tuple(_batch(one) for one in listed if isinstance(one, dict))
    return BatchPage(batches, more=bool(said.get("has_more")) and bool(batches))


def file_in(body: bytes) -> str:
    """Return the id of an uploaded file."""
    return _id(_object(body))


def _batch(said: dict[str, Any]) -> BatchState:
    counts, metadata = _dict(said.get("request_counts")), _dict(said.get("metadata"))
    problems = _dict(said.get("errors")).get("data")
    first = problems[0] if isinstance(problems, list) and problems else {}
    files = (said.get("output_file_id"), said.get("error_file_id"))
    created_at = said.get("created_at")
    return BatchState(
        id=_id(said),
        status=str(said.get("status")),
        token=str(metadata.get("reaseq", "")),
        created_at=float(created_at) if isinstance(created_at, int | float) else 0.0,
        total=_count(counts.get("total")),
        completed=_count(counts.get("completed")),
        failed=_count(counts.get("failed")),
        files=tuple(file for file in files if isinstance(file, str) and file),
        problem=error_in(orjson.dumps({"error": first})),
    )


def _object(text: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        said = _lenient(text)
    if not isinstance(said, dict):
        raise NoCompletion("JSON that is no object")
    return said


def _lenient(text: bytes) -> object:
    """Read what orjson refuses and a server may still mean: half surrogate pairs in an answer's text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NoCompletion("what is no JSON") from None


def _id(said: dict[str, Any]) -> str:
    named = said.get("id")
    if not isinstance(named, str) or not re.fullmatch(r"[\w.:-]{1,200}", named):
        raise NoCompletion("an object without an id")
    return named


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0
