"""What a page may load and run: the headers of every answer, and the nonce on the scripts of nicegui's own template.

nicegui needs 'unsafe-eval', for it compiles its components' templates in the browser and calls their methods by eval,
and 'unsafe-inline' for styles, for Vue, Quasar and CodeMirror write them. No inline script runs without the nonce.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

# A script of the template begins a line; texts of pages stand within one line, with < escaped.
_SCRIPT = re.compile(rb"^(\s*)<script(?=[ >])", re.MULTILINE)


def policy(host: str, nonce: str = "") -> str:
    """Return the content security policy; without a nonce it is that of an answer that is no page."""
    if not nonce:
        return "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    return (
        "default-src 'none'; "
        f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self' ws://{host}; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'"
    )


def headers_for(content_policy: str) -> list[Header]:
    """Return the headers that every answer has."""
    return [
        (b"content-security-policy", content_policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]


class PageSender:
    """Sends an answer with its headers; the scripts of a page get the nonce of this one answer."""

    def __init__(self, send: Send, host: str) -> None:
        self._send, self._host = send, host
        self._start: Message | None = None  # of a page, until its whole body is here
        self._body: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        """Send one message of the answer."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._start is None:
            await self._send(message)
        else:
            await self._gather(self._start, message)

    async def _begin(self, message: Message) -> None:
        kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
        if any(kind.startswith(b"text/html") for kind in kinds):
            self._start = message
            return
        message["headers"] = [*message["headers"], *headers_for(policy(self._host))]
        await self._send(message)

    async def _gather(self, start: Message, message: Message) -> None:
        self._body.append(message.get("body", b""))
        if message.get("more_body"):
            return
        nonce = secrets.token_urlsafe(16)
        body = _SCRIPT.sub(rb'\1<script nonce="' + nonce.encode() + b'"', b"".join(self._body))
        kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        start["headers"] = [
            *kept,
            (b"content-length", str(len(body)).encode()),
            *headers_for(policy(self._host, nonce)),
        ]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
