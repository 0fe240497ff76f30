"""The physical lines of a text file, plain or gzipped, in the encodings that shops export."""

import codecs
import gzip
import io
import logging
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import AnyStr

from memory.catalog_files.source import CatalogError, ReadLimits

log = logging.getLogger(__name__)

_FALLBACK = "cp1252"  # Windows-1252, what spreadsheet programs write where they do not write UTF-8


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line: its number from 1, its text without the line end; None where it is beyond the limit."""

    number: int
    text: str | None


def text_lines(path: Path, limits: ReadLimits) -> Iterator[Line]:
    r"""Yield the lines of a file; "\n", "\r\n" and "\r" end one.

    UTF-8 or UTF-16 by the file's byte order mark, UTF-8 without one. A line that is not valid UTF-8 is read as
    Windows-1252, logged once for the file; other lines are not affected. `CatalogError` for a file that cannot be
    read or that expands beyond the limit.
    """
    try:
        with opened(path, limits) as binary:
            yield from _numbered(_decoded(binary, path, limits.row_bytes))
    except (OSError, EOFError, zlib.error) as error:
        raise CatalogError(f"{path} cannot be read: {error}") from error


class _Expanded(io.RawIOBase):
    """The content of a gzip file, up to a limit."""

    def __init__(self, path: Path, limit: int) -> None:
        self._content = gzip.open(path, "rb")  # noqa: SIM115 - closed with this stream
        self._path = path
        self._left = limit
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._content.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise CatalogError(f"{self._path} expands to more than {self._limit:,} bytes: unpack and split it first")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._content.close()
        super().close()


def opened(path: Path, limits: ReadLimits) -> io.BufferedReader:
    """Return a file's bytes, unpacked where it is gzipped; `CatalogError` where they are more than the limit."""
    if path.suffix.lower() == ".gz":
        return io.BufferedReader(_Expanded(path, limits.expanded_bytes), 1 << 16)
    return io.BufferedReader(io.FileIO(path), 1 << 16)


def placed_lines(
    binary: io.BufferedReader, path: Path, limits: ReadLimits, *, before: int = 0
) -> Iterator[tuple[int, Line]]:
    """Yield the lines of bytes that are no UTF-16, each with the place where it begins; -1 where it begins at no "\\n".

    `before`: how many lines the file has before these bytes; without any they are its beginning.
    """
    number, place = before, binary.tell()
    for piece in _decoded(binary, path, limits.row_bytes, may_be_marked=not before):
        for line in _numbered(iter((piece,)), number):
            yield place, line
            number, place = line.number, -1
        place = binary.tell()


def is_wide(binary: io.BufferedReader) -> bool:
    """Return whether a file's bytes begin as UTF-16 does."""
    return binary.peek(4)[:4].startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _decoded(
    binary: io.BufferedReader, path: Path, longest: int, *, may_be_marked: bool = True
) -> Iterator[str | None]:
    """Yield the text up to each line feed; None for one longer than `longest`."""
    mark = binary.peek(4)[:4] if may_be_marked else b""
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        wide = io.TextIOWrapper(binary, "utf-16", errors="replace", newline="\n")
        yield from _cut(wide.readline, "\n", longest)
        return
    if mark.startswith(codecs.BOM_UTF8):
        binary.read(len(codecs.BOM_UTF8))
    is_reported = False
    for number, raw in enumerate(_cut(binary.readline, b"\n", longest), start=1):
        text = raw if raw is None else _utf8(raw)
        if text is None and raw is not None:
            text = raw.decode(_FALLBACK, "replace")
            if not is_reported:
                log.warning("%s, line %d: not valid UTF-8; such lines are read as Windows-1252", path, number)
                is_reported = True
        yield text


def _utf8(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _cut(read_line: Callable[[int], AnyStr], end: AnyStr, longest: int) -> Iterator[AnyStr | None]:
    """Yield each line; of one longer than `longest` the rest is passed over and None stands for it."""
    while piece := read_line(longest):
        if len(piece) < longest or piece.endswith(end):
            yield piece
            continue
        while len(piece) == longest and not piece.endswith(end):
            piece = read_line(longest)
        yield None


def _numbered(pieces: Iterator[str | None], number: int = 0) -> Iterator[Line]:
    for piece in pieces:
        if piece is None:
            number += 1
            yield Line(number, None)
            continue
        text = piece.removesuffix("\n").removesuffix("\r")
        for line in text.split("\r"):
            number += 1
            yield Line(number, line)
