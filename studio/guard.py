"""Who is let in: the checks around the whole application, before a page or the websocket sees a request."""

import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from studio.address import Address
from studio.content_policy import PageSender, headers_for, policy

MAX_BODY = 10_000_000  # bytes
MAX_PATH = 2_000  # characters of a path with its query
SOCKET = "/_nicegui_ws/"
SAFE_METHODS = ("GET", "HEAD")  # all that a page needs: whatever changes something travels through the websocket
SAME_SITE = ("same-origin", "none")  # of Sec-Fetch-Site; none: typed by a person

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """Why a request is not let in."""

    status: int
    reason: str


class Guard:
    """The application behind its checks: host, origin, method, size, token; answers carry the content policy."""

    def __init__(self, app: App, address: Address) -> None:
        self.app = app
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = _headers(scope)
        refusal = self._refusal(scope, headers)
        if refusal:
            await _refuse(scope, send, refusal)
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        elif (token := _token_in(scope)) is not None:
            await self._enter(token, scope, send)
        elif not self._knows(headers):
            await _refuse(scope, send, Refusal(403, "open the address that `reaseq studio` printed: it has the token"))
        else:
            await self.app(_without_prefix(scope), receive, PageSender(send, headers.get("host", "")))

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> Refusal | None:
        if headers.get("host", "").lower() not in self._address.names:
            return Refusal(421, "this is not the host that the studio is asked by")
        if scope["type"] == "websocket":
            return self._of_socket(scope, headers)
        if scope["method"] not in SAFE_METHODS:
            return self._of_write(headers)
        if scope["path"].startswith(SOCKET):
            return Refusal(400, "the websocket alone leads here")
        if len(scope["path"]) + len(scope["query_string"]) > MAX_PATH:
            return Refusal(414, "the address is too long")
        return Refusal(413, "a page is asked for without a body") if _has_body(headers) else None

    def _of_socket(self, scope: Scope, headers: Mapping[str, str]) -> Refusal | None:
        if not scope["path"].startswith(SOCKET):
            return Refusal(404, "there is no websocket")
        if not self._is_own(headers):
            return Refusal(403, "the page is not the studio's")
        return None if self._knows(headers) else Refusal(403, "the token is missing")

    def _of_write(self, headers: Mapping[str, str]) -> Refusal:
        if not self._is_own(headers):
            return Refusal(403, "the page is not the studio's")
        if _length(headers) > MAX_BODY:
            return Refusal(413, f"more than {MAX_BODY:,} bytes")
        return Refusal(405, "nothing is changed by such a request")

    def _is_own(self, headers: Mapping[str, str]) -> bool:
        """Return whether the page that asks says that it is the studio's; one that says nothing is not."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is None:
            return False
        return origin.lower() in self._address.origins and site in (None, *SAME_SITE)

    def _knows(self, headers: Mapping[str, str]) -> bool:
        """Return whether the cookie has the token."""
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._address.cookie)
        except CookieError:
            return False
        return cookie is not None and _same(cookie.value, self._address.token)

    async def _enter(self, token: str, scope: Scope, send: Send) -> None:
        """Take the token out of the address and into a cookie."""
        if not _same(token, self._address.token):
            await _refuse(scope, send, Refusal(403, "this is not the token of this start"))
            return
        cookie = f"{self._address.cookie}={token}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"location", b"/items"), (b"set-cookie", cookie.encode()), *headers_for(policy(""))]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


async def _refuse(scope: Scope, send: Send, refusal: Refusal) -> None:
    """Say no: a websocket is closed before it is opened."""
    logger.warning("refused %s: %s", scope["type"], refusal.reason)
    prefix = "websocket.http" if scope["type"] == "websocket" else "http"
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *headers_for(policy(""))]
    await send({"type": f"{prefix}.response.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{prefix}.response.body", "body": f"{refusal.reason}\n".encode()})


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by name; of a name that comes twice the values are joined, so that no check is passed by."""
    found: dict[str, str] = {}
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    for name, value in pairs:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}; {text}" if key in found else text
    return found


def _token_in(scope: Scope) -> str | None:
    """Return the token in the address of the first page, if there is one."""
    if scope["path"] != "/":
        return None
    return next(iter(parse_qs(scope["query_string"].decode("latin-1")).get("token", [])), None)


def _without_prefix(scope: Scope) -> Scope:
    """Return the scope without the header from which nicegui would take a prefix of all its addresses."""
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() != b"x-forwarded-prefix"]}


def _has_body(headers: Mapping[str, str]) -> bool:
    return _length(headers) > 0 or "transfer-encoding" in headers


def _length(headers: Mapping[str, str]) -> int:
    told = headers.get("content-length", "0")
    return int(told) if told.isdecimal() else MAX_BODY + 1


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
