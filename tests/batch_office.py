"""OpenAI's batch API as a test needs it: answers out of order, lost rows, batches that expire or are refused."""

import asyncio
import json
import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic, time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

Answer = Callable[[dict[str, Any]], tuple[int, Mapping[str, Any]] | None]
STRAY = {"custom_id": "nobody-asked", "response": {"status_code": 200, "body": {}}, "error": None}


@dataclass
class BatchOffice:
    """The files and batches of a provider.

    `answer` gives status and body for a request's body, or None for a row that gets lost. A batch is worked through
    `seconds` after it was made, unless the office is closed, then when it opens again.
    """

    answer: Answer
    seconds: float = 0.0
    drop: float = 0.0  # the share of rows that get lost, drawn from the custom_id
    expire_after: int | None = None  # rows of the first batch; the others are not asked
    refuse: Mapping[str, str] | None = None  # code and message with which every batch is refused as a whole
    lists: bool = True  # whether batches can be listed
    troubles: list[int] = field(default_factory=list)  # statuses for the next requests
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)  # method and path

    def __post_init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.flowing = threading.Event()  # while it is not set, a download stops in its middle
        self.flowing.set()
        self.stuck = 0  # downloads that did
        self.kept_back = threading.Event()  # while it is not set, the answer to a made batch is not sent
        self.kept_back.set()
        self._due: dict[str, float] = {}

    @property
    def asked(self) -> list[str]:
        """The custom ids of all rows of all batches."""
        return [row["custom_id"] for batch in self.batches.values() for row in self.rows(batch)]

    def rows(self, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what a batch asks."""
        return [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines() if line.strip()]

    def handle(self, method: str, path: str, content: bytes, content_type: str | None) -> tuple[int, bytes]:
        """Answer a request with a status and a body."""
        self.requests.append(f"{method} {path}")
        if self.troubles:
            return self.troubles.pop(0), b'{"error": {"message": "trouble"}}'
        parts = urlsplit(path)
        name = parts.path.removeprefix("/v1/")
        if method == "POST":
            said = self._upload(content, content_type or "") if name == "files" else self._create(json.loads(content))
            return 200, json.dumps(said).encode()
        if name == "batches":
            return self._listed(parse_qs(parts.query))
        return self._found(*name.split("/")[:2])

    def _found(self, kind: str, name: str) -> tuple[int, bytes]:
        if kind == "files" and name in self.files:
            return 200, self.files[name]
        if kind == "batches" and name in self.batches:
            return 200, json.dumps(self._worked(self.batches[name])).encode()
        return 404, b'{"error": {"message": "no such thing"}}'

    def _listed(self, query: Mapping[str, list[str]]) -> tuple[int, bytes]:
        if not self.lists:
            return 405, b"Method Not Allowed"
        newest = list(reversed(self.batches))
        start = newest.index(query["after"][0]) + 1 if "after" in query else 0
        end = start + int(query["limit"][0])
        page = [self._worked(self.batches[name]) for name in newest[start:end]]
        return 200, json.dumps({"object": "list", "data": page, "has_more": end < len(newest)}).encode()

    def _upload(self, content: bytes, content_type: str) -> Mapping[str, Any]:
        boundary = b"--" + content_type.partition("boundary=")[2].strip('"').encode()
        parts = [part.partition(b"\r\n\r\n") for part in content.split(boundary)]
        fields = {name[1]: text[:-2] for head, _, text in parts if (name := re.search(rb' name="(\w+)"', head))}
        assert fields[b"purpose"] == b"batch"
        return self._file("input", fields[b"file"])

    def _create(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        assert (wanted["endpoint"], wanted["completion_window"]) == ("/v1/chat/completions", "24h")
        assert wanted["input_file_id"] in self.files
        name = f"batch_{len(self.batches)}"
        counts = {"total": 0, "completed": 0, "failed": 0}
        about = {"id": name, "object": "batch", "status": "validating", "created_at": int(time())}
        self.batches[name] = {**wanted, **about, "request_counts": counts}
        self._due[name] = monotonic() + self.seconds
        return self.batches[name]

    def _file(self, purpose: str, content: bytes) -> dict[str, str]:
        name = f"file-{purpose}-{len(self.files)}"
        self.files[name] = content
        return {"id": name, "object": "file"}

    def _worked(self, batch: dict[str, Any]) -> Mapping[str, Any]:
        """Work a batch through if it is time; return it."""
        if batch["status"] != "validating" or monotonic() < self._due[batch["id"]] or not self.open.is_set():
            return batch
        if self.refuse:
            return self._ended(batch, "failed", errors={"data": [self.refuse]})
        rows = self.rows(batch)
        assert len({row["custom_id"] for row in rows}) == len(rows)
        asked, self.expire_after = rows[: self.expire_after], None
        results = [result for row in asked if (result := self._result(row))]
        expired = [_error(row, "batch_expired") for row in rows[len(asked) :]]
        random.Random(len(rows)).shuffle(results)
        good = [STRAY, *(r for r in results if r["response"]["status_code"] == 200)]
        bad = [r for r in results if r["response"]["status_code"] != 200]
        counts = {"total": len(rows), "completed": len(good) - 1, "failed": len(bad)}
        status = "expired" if expired else "completed"
        files = {"output_file_id": self._lines(good), "error_file_id": self._lines([*bad, *expired])}
        return self._ended(batch, status, request_counts=counts, **files)

    def _ended(self, batch: dict[str, Any], status: str, **values: object) -> Mapping[str, Any]:
        batch |= {"status": status, **values}
        return batch

    def _result(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        draw = int.from_bytes(random.Random(row["custom_id"]).randbytes(4)) / 2**32
        answered = None if draw < self.drop else self.answer(row["body"])
        if answered is None:
            return None
        response = {"status_code": answered[0], "request_id": "r", "body": answered[1]}
        return {"id": "l", "custom_id": row["custom_id"], "response": response, "error": None}

    def _lines(self, rows: list[dict[str, Any]]) -> str | None:
        return self._file("output", b"\n\n".join(json.dumps(row).encode() for row in rows))["id"] if rows else None


def serve_batches(app: web.Application, office: BatchOffice) -> None:
    """Add the office's routes to a server."""

    async def handled(request: web.Request) -> web.StreamResponse:
        content = await request.read()
        status, body = office.handle(request.method, request.raw_path, content, request.headers.get("Content-Type"))
        if request.method == "POST" and request.path == "/v1/batches":
            while not office.kept_back.is_set():  # noqa: ASYNC110 - it is set in another thread
                await asyncio.sleep(0.005)
        if request.path.endswith("/content") and not office.flowing.is_set():
            return await _stuck(request, body, office)
        return web.Response(status=status, body=body, content_type="application/json")

    for path in ("/v1/files", "/v1/files/{name}/content", "/v1/batches", "/v1/batches/{name}"):
        app.router.add_route("*", path, handled)


async def _stuck(request: web.Request, body: bytes, office: BatchOffice) -> web.StreamResponse:
    """Send half of a file, and the rest when it may flow again."""
    response = web.StreamResponse()
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    office.stuck += 1
    while not office.flowing.is_set():  # noqa: ASYNC110 - it is set in another thread
        await asyncio.sleep(0.005)
    await response.write(body[len(body) // 2 :])
    return response


def _error(row: Mapping[str, Any], code: str) -> dict[str, Any]:
    error = {"code": code, "message": "This request could not be executed before the completion window expired."}
    return {"id": "l", "custom_id": row["custom_id"], "response": None, "error": error}
