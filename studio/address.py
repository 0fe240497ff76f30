"""Where the studio is reached: the host that it listens at, and the names under which a browser may ask for it."""

import ipaddress
from pathlib import Path

from memory.errors import ReaseqError
from memory.record import Record

LOOPBACK = "127.0.0.1"
LEAST_TOKEN = 24  # characters of a token that a person chose


class AddressRefused(ReaseqError):
    """The studio does not listen there, or not without a token."""


class Address(Record):
    """A host and a port, and the token without which nobody is let in."""

    host: str
    port: int
    token: str

    @property
    def names(self) -> frozenset[str]:
        """What the Host header may be."""
        hosts = {self.host, LOOPBACK, "localhost", "::1"} if is_loopback(self.host) else {self.host}
        return frozenset(f"{_bracketed(host)}:{self.port}".lower() for host in hosts)

    @property
    def origins(self) -> frozenset[str]:
        """What the Origin header may be."""
        return frozenset(f"http://{name}" for name in self.names)

    @property
    def url(self) -> str:
        """The address to open, with the token."""
        return f"http://{_bracketed(self.host)}:{self.port}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """The name of the cookie: one a port, for cookies are not told apart by it."""
        return f"reaseq_studio_{self.port}"


def token_for(host: str, token_file: Path | None, fresh: str) -> str:
    """Return the token: a fresh one on loopback, elsewhere the one of a file; `AddressRefused` says what is missing."""
    if token_file is not None:
        return _token_in(token_file)
    if is_loopback(host):
        return fresh
    raise AddressRefused(
        f"{host} can be reached from other machines: name a file with a token of your own by --token-file"
    )


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches the host; `AddressRefused` for one that stands for all addresses."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if address.is_unspecified:
        raise AddressRefused(f"{host} is every address of this machine: name the one that browsers are to ask for")
    return address.is_loopback


def _token_in(file: Path) -> str:
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AddressRefused(f"{file} cannot be read: {error}") from None
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.replace("-", "").replace("_", "").isalnum():
        raise AddressRefused(f"{file}: a token has at least {LEAST_TOKEN} letters, digits, - or _")
    return token


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
