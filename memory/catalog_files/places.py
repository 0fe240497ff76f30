"""Where a catalog's files are: a path, a pattern of paths, or the same by URL in an object store."""

import fnmatch
import glob
import io
import re
import tempfile
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from memory.catalog_files.source import CatalogError
from memory.extras import extras

LOCAL = "file://"
_OF_URLS = "%:/?#[]@!$&'()*+,;=~"  # what stands in a URL as it is; spaces, say, are escaped
_MAGIC = frozenset("*?[")
_SECRET = re.compile(r"[^/?]+://[^/?:]*:[^/?]*@")


def catalog_files(source: str) -> list[str]:
    """Return the files that a path, a pattern such as `parts/*.csv`, or such a URL (`s3://bucket/*.parquet`) means.

    What follows a "?" in a URL is about its store, such as `?region=eu-west-1`, and belongs to each file.
    `CatalogError` where a pattern means none, and where a URL has a secret, for URLs are stored and told; a path
    without a pattern is not looked for.
    """
    source = source.removeprefix(LOCAL)
    if is_url(source) and _SECRET.match(source):
        raise CatalogError("a URL is stored and told: give the keys of its store by the environment, not in it")
    if not _MAGIC & set(name_of(source)):
        return [source]
    found = _found_by_url(source) if is_url(source) else sorted(glob.glob(source, recursive=True))
    if not found:
        raise CatalogError(f"there is no file {source}")
    return found


def is_url(file: str) -> bool:
    """Return whether a file is elsewhere than on this machine."""
    return "://" in file


def name_of(file: str) -> str:
    """Return a path, or a URL without what it says of its store."""
    return file.partition("?")[0] if is_url(file) else file


def opened_file(file: str) -> io.BufferedReader:
    """Return a file's bytes, for reading from any place on; `CatalogError` where there is none."""
    try:
        if not is_url(file):
            return io.BufferedReader(io.FileIO(file), 1 << 16)
        filesystem, path = _filesystem(file)
        return io.BufferedReader(filesystem.open_input_file(path), 1 << 20)
    except OSError as error:
        raise CatalogError(f"{file} cannot be read: {error}") from error


def bytes_as_file(content: bytes) -> io.BufferedReader:
    """Return bytes that are in memory as a file to read from."""
    stream: Any = io.BytesIO(content)
    return io.BufferedReader(stream)


@lru_cache(maxsize=2)
def local_copy(file: str) -> Path:
    """Return a path where the file is on this machine; one that is elsewhere is copied, and the last two are kept."""
    if not is_url(file):
        return Path(file)
    folder = Path(tempfile.mkdtemp(prefix="reaseq-"))
    copy = folder / PurePosixPath(name_of(file)).name
    with opened_file(file) as content, copy.open("wb") as out:
        while data := content.read(1 << 20):
            out.write(data)
    return copy


def _found_by_url(source: str) -> list[str]:
    from pyarrow import fs  # noqa: PLC0415 - of the extra `ray`

    address, mark, store = source.partition("?")
    scheme, _, rest = address.partition("://")
    first = next(n for n, part in enumerate(rest.split("/")) if _MAGIC & set(part))
    base = "/".join(rest.split("/")[:first])
    filesystem, root = _filesystem(f"{scheme}://{base}{mark}{store}")
    try:
        found = filesystem.get_file_info(fs.FileSelector(root, recursive=True))
    except OSError as error:
        raise CatalogError(f"{source} cannot be looked for: {error}") from error
    paths = [info.path for info in found if info.is_file]
    return sorted(f"{scheme}://{quote(path)}{mark}{store}" for path in paths if _matches(path, rest))


def _matches(path: str, pattern: str) -> bool:
    parts, wanted = path.strip("/").split("/"), pattern.strip("/").split("/")
    if "**" in wanted:
        return fnmatch.fnmatchcase(path, pattern.replace("**/", "*"))
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


def _filesystem(url: str) -> tuple[Any, str]:
    with extras():
        from pyarrow import fs  # noqa: PLC0415 - of the extra `ray`
    try:
        filesystem, path = fs.FileSystem.from_uri(quote(url, safe=_OF_URLS))
    except (OSError, ValueError) as error:
        raise CatalogError(f"{url} cannot be read: {error}") from error
    return filesystem, path
