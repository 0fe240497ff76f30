"""What a provider sends, well or ill: one function a kind of fault, from a refused connection to a false model name."""

import asyncio
import contextlib
import gzip
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache
from time import time
from typing import Any

from aiohttp import web

# Fault -> status, headers, the body's error. `{}` stands for the seconds to wait, `{date}` for that moment.
LIMIT = {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}
QUOTA = {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}
CONTEXT = {"message": "This model's maximum context length is 512 tokens", "code": "context_length_exceeded"}
POLICY = {"message": "Your request was rejected by the content policy", "code": "content_policy_violation"}
STATUSES: dict[str, tuple[int, dict[str, str], dict[str, str] | str]] = {
    "429": (429, {"Retry-After": "{:g}"}, LIMIT),
    "429_date": (429, {"Retry-After": "{date}"}, LIMIT),
    "429_ms": (429, {"retry-after-ms": "{ms:g}"}, LIMIT),
    "429_noheader": (429, {}, LIMIT),
    "429_huge": (429, {"Retry-After": "86400"}, LIMIT),
    "429_garbage": (429, {"Retry-After": "soon"}, LIMIT),
    "429_negative": (429, {"Retry-After": "-5"}, LIMIT),
    "429_quota": (429, {}, QUOTA),
    "400": (400, {}, {"message": "bad request", "code": "invalid_request"}),
    "400_context": (400, {}, CONTEXT),
    "400_policy": (400, {}, POLICY),
    "401": (401, {}, {"message": "Incorrect API key provided: {key}", "code": "invalid_api_key"}),
    "404_model": (404, {}, {"message": "no such model", "code": "model_not_found"}),
    "500": (500, {}, {"message": "server error while serving {key}"}),
    "502_html": (502, {"Content-Type": "text/html"}, "<html><h1>502 Bad Gateway</h1></html>"),
    "503": (503, {}, {"message": "overloaded"}),
    "504": (504, {}, ""),
    "529": (529, {}, {"message": "overloaded", "type": "overloaded_error"}),
    "307": (307, {"Location": "{trap}"}, ""),
    "200_html": (200, {"Content-Type": "text/html"}, "<html>Sign in</html>"),
    "200_error": (200, {}, {"message": "the upstream failed", "code": "upstream"}),
}
# Faults for which the model has run: they cost money.
_PAID = """
hang reset_after truncate_body chunked_cut stall slow_body slow_headers gzip_bomb gzip_bad huge 200_empty 200_bad_json
200_no_choices 200_null_choices length length_empty tool_calls refusal content_filter no_usage zero_usage wrong_model
"""
PAID = frozenset(_PAID.split())
# Faults with which the answer still arrives whole and usable.
USABLE = frozenset({"no_usage", "zero_usage", "wrong_model"})

# A model that calls tools that nobody offered: an unknown one, one twice, one with broken arguments.
TOOL_CALLS = [
    {"id": f"call{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
    for n, (name, arguments) in enumerate([("run", '{"command": "touch owned"}')] * 2 + [("open", '{"file": ')])
]


@dataclass(frozen=True)
class Sending:
    """One answer about to be sent."""

    request: web.Request
    envelope: Mapping[str, Any]  # the whole answer, as a healthy provider gives it
    retry_after: float  # seconds
    hang_seconds: float
    drip_seconds: float  # between two bytes of a slow answer
    trap: str  # where a redirect leads

    @property
    def body(self) -> bytes:
        """The envelope's bytes."""
        return json.dumps(self.envelope).encode()


async def send(fault: str | None, sending: Sending) -> web.StreamResponse:
    """Answer with the fault; None is the healthy answer."""
    if fault is None:
        return web.json_response(sending.envelope)
    if fault in STATUSES:
        return _status(fault, sending)
    if fault in _BODIES:
        return web.Response(body=_BODIES[fault](sending), content_type="application/json")
    return await _WIRE[fault](sending)


def _status(fault: str, sending: Sending) -> web.Response:
    status, headers, error = STATUSES[fault]
    wait = sending.retry_after
    values = {"date": formatdate(time() + wait, usegmt=True), "ms": wait * 1000, "trap": sending.trap}
    filled = {name: value.format(wait, **values) for name, value in headers.items()}
    if isinstance(error, str):
        return web.Response(status=status, headers=filled, text=error)
    key = sending.request.headers.get("Authorization", "")
    said = {name: value.replace("{key}", key) for name, value in error.items()}
    return web.json_response({"error": said}, status=status, headers=filled)


def _changed(sending: Sending, **changes: object) -> bytes:
    return json.dumps({**sending.envelope, **changes}).encode()


def _chosen(sending: Sending, finish_reason: str, **message: object) -> bytes:
    [choice] = sending.envelope["choices"]
    changed = {**choice, "message": {**choice["message"], **message}, "finish_reason": finish_reason}
    return _changed(sending, choices=[changed])


def _content(sending: Sending) -> str:
    return str(sending.envelope["choices"][0]["message"]["content"])


def _cut(sending: Sending, finish_reason: str) -> bytes:
    content = _content(sending)
    return _chosen(sending, finish_reason, content=content[: len(content) // 2])


_BODIES: dict[str, Callable[[Sending], bytes]] = {
    "200_empty": lambda _: b"",
    "200_bad_json": lambda sending: sending.body[: len(sending.body) // 2],
    "200_no_choices": lambda sending: _changed(sending, choices=[]),
    "200_null_choices": lambda sending: _changed(sending, choices=None),
    "length": lambda sending: _cut(sending, "length"),
    "length_empty": lambda sending: _chosen(sending, "length", content=""),
    "tool_calls": lambda sending: _chosen(sending, "tool_calls", content=None, tool_calls=TOOL_CALLS),
    "content_filter": lambda sending: _cut(sending, "content_filter"),
    "refusal": lambda sending: _chosen(sending, "stop", content=None, refusal="I cannot help with that."),
    "huge": lambda sending: _chosen(sending, "stop", content="x" * (16 << 20)),
    "no_usage": lambda sending: _changed(sending, usage=None),
    "zero_usage": lambda sending: _changed(sending, usage={"prompt_tokens": 0, "completion_tokens": 0}),
    "wrong_model": lambda sending: _changed(sending, model="another-model"),
}


async def _reset(sending: Sending) -> web.StreamResponse:
    transport = sending.request.transport
    if transport is not None:
        # A socket that does not linger ends with RST instead of FIN.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _close(sending: Sending) -> web.StreamResponse:
    if sending.request.transport is not None:
        sending.request.transport.close()
    return web.Response()


async def _hang(sending: Sending) -> web.StreamResponse:
    await asyncio.sleep(sending.hang_seconds)
    return await _reset(sending)


async def _half(sending: Sending, *, chunked: bool) -> web.StreamResponse:
    """Send half of the body and leave the connection open."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    if chunked:
        response.enable_chunked_encoding()
    else:
        response.content_length = len(sending.body)
    await response.prepare(sending.request)
    await response.write(sending.body[: len(sending.body) // 2])
    await asyncio.sleep(0.01)  # so that it leaves before the connection does
    return response


async def _truncate(sending: Sending) -> web.StreamResponse:
    await _half(sending, chunked=False)
    return await _close(sending)


async def _cut_chunks(sending: Sending) -> web.StreamResponse:
    await _half(sending, chunked=True)
    return await _close(sending)


async def _stall(sending: Sending) -> web.StreamResponse:
    await _half(sending, chunked=False)
    return await _hang(sending)


async def _slow_body(sending: Sending) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(sending.request)
    with contextlib.suppress(ConnectionError):  # the client has lost its patience
        for byte in sending.body:
            await response.write(bytes([byte]))
            await asyncio.sleep(sending.drip_seconds)
    return response


async def _slow_headers(sending: Sending) -> web.StreamResponse:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + b"X-Padding: " + b"x" * 1000
    for byte in head:
        if sending.request.transport is None:
            break
        sending.request.transport.write(bytes([byte]))
        await asyncio.sleep(sending.drip_seconds)
    return await _close(sending)


async def _gzip_bomb(_: Sending) -> web.StreamResponse:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return web.Response(body=_bomb(), headers=headers)


@cache
def _bomb() -> bytes:
    """Return 64 MiB of nothing, packed; it takes a while, so it is made once."""
    return gzip.compress(b" " * (64 << 20), 6)


async def _gzip_bad(sending: Sending) -> web.StreamResponse:
    return web.Response(body=sending.body, headers={"Content-Encoding": "gzip"}, content_type="application/json")


_WIRE: dict[str, Callable[[Sending], Awaitable[web.StreamResponse]]] = {
    "reset": _reset,
    "reset_after": _reset,
    "close": _close,
    "hang": _hang,
    "truncate_body": _truncate,
    "chunked_cut": _cut_chunks,
    "stall": _stall,
    "slow_body": _slow_body,
    "slow_headers": _slow_headers,
    "gzip_bomb": _gzip_bomb,
    "gzip_bad": _gzip_bad,
}
FAULTS = frozenset({*STATUSES, *_BODIES, *_WIRE})
