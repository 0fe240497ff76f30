"""Addresses of model servers: checked once, and shown without user and password."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit, urlunsplit


class NoAddress(ValueError):
    """A text that is no http address."""


_NEXT = re.compile(r"\s*,\s*(?=https?://|$)|(?<=\S)\s+(?=https?://)")


@dataclass(frozen=True)
class ServerAddress:
    """Where a server listens; `url` has neither user nor password in it, so it may be shown."""

    url: str
    userinfo: tuple[str, str] | None  # user and password

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address in `http(s)://[USER:PASSWORD@]HOST[:PORT][/PATH]`; raises `NoAddress`."""
        try:
            parts = urlsplit(text.strip())
            port = parts.port
        except ValueError as error:
            raise NoAddress(str(error)) from None  # the cause quotes the text, and with it the password
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NoAddress("it has the form http://HOST:PORT")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        netloc = host if port is None else f"{host}:{port}"
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        url = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
        return cls(url, (user, password) if user or password else None)


def addresses_in(text: str) -> tuple[str, ...]:
    """Return the addresses of a text that holds one, or several with commas between them, each once."""
    return tuple(dict.fromkeys(part.strip() for part in _NEXT.split(text) if part.strip()))
