"""The column types that text, times and money need to come back exactly as they were given."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

PARTS = 10**12  # of one unit of money: the price of one cached token still is a whole number of them

ESCAPE = "\N{SYMBOL FOR ESCAPE}"
_UNSTORABLE = re.compile(f"[\0\ud800-\udfff{ESCAPE}]")
_ESCAPED = re.compile(f"{ESCAPE}([0-9a-f]{{4}})")


def escaped(text: str) -> str:
    """Return `text` so that every database can hold it: NUL and lone surrogates become an escape and four hex digits.

    PostgreSQL refuses NUL, and UTF-8 has no lone surrogates, but a model's answer may contain both. The escape
    character itself (U+241B) is escaped too, so `unescaped` gives back exactly what came; all other text is unchanged.
    """
    return _UNSTORABLE.sub(lambda match: f"{ESCAPE}{ord(match[0]):04x}", text)


def unescaped(text: str) -> str:
    """Return the text that `escaped` was given."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


class AnyText(TypeDecorator[str]):
    """Text that comes back exactly as it was given, NUL and lone surrogates included."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Escape what the database would refuse."""
        return None if value is None else escaped(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it was given."""
        return None if value is None else unescaped(value)


class Json(TypeDecorator[Any]):
    """A value as JSON; in PostgreSQL JSONB, which can be asked (`memory.postgres_json` says how texts get there)."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the database's own."""
        if dialect.name != "postgresql":
            return self.impl_instance
        from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415 - for those who have one

        return dialect.type_descriptor(JSONB(none_as_null=bool(getattr(self.impl_instance, "none_as_null", False))))


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC; SQLite drops the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any zone into UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Mark the stored time as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """An amount of money as a whole number of its 10^-12 parts: sums are exact in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Count the parts; what is smaller than one is rounded."""
        return None if value is None else int((value * PARTS).to_integral_value())

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Return the amount."""
        return None if value is None else Decimal(value) / PARTS
