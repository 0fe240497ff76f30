"""Where spans are sent: the collector's address, and what is said to be let in; neither shows a secret."""

from urllib.parse import unquote

from pydantic import SecretStr

from agents.providers.addresses import NoAddress, ServerAddress
from memory.errors import ReaseqError

TRACES_PATH = "/v1/traces"  # of OTLP over HTTP


class CollectorInvalid(ReaseqError):
    """The endpoint or its headers cannot be used; the text quotes neither."""


def traces_url(endpoint: str) -> str:
    """Return where spans are sent: the endpoint, with /v1/traces at its end; raises `CollectorInvalid`."""
    try:
        address = ServerAddress.parse(endpoint)
    except NoAddress as error:
        raise CollectorInvalid(f"--otel takes a collector's address, such as http://127.0.0.1:4318: {error}") from None
    if address.userinfo or "?" in endpoint or "#" in endpoint:
        raise CollectorInvalid(
            "--otel takes an address without user, password or query: it is kept with the run;"
            " keys belong into OTEL_EXPORTER_OTLP_HEADERS"
        )
    return address.url if address.url.endswith(TRACES_PATH) else address.url + TRACES_PATH


def headers_of(text: SecretStr | None) -> dict[str, str]:
    """Return the headers of `name=value` pairs with commas between them, values percent-encoded."""
    pairs = (text.get_secret_value() if text else "").split(",")
    return dict(_header(pair) for pair in pairs if pair.strip())


def _header(pair: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in pair.partition("="))
    value = unquote(value)
    if not (name.isascii() and name and equals and value.isprintable() and value.isascii()):
        raise CollectorInvalid("OTEL_EXPORTER_OTLP_HEADERS is no list of name=value pairs with commas between them")
    return name.lower(), value
