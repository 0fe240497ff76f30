"""Packages that a plain installation lacks, and what to say where one is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from memory.errors import ReaseqError

EXTRAS = {
    "polars": "vectors",
    "faiss": "vectors",
    "torch": "ranker",
    "safetensors": "ranker",
    "onnx": "onnx",
    "onnxscript": "onnx",
    "opentelemetry": "otel",
    "ray": "ray",
    "pyarrow": "ray",
}


class ExtraMissing(ReaseqError):
    """A package is not installed that only some commands need."""


@contextmanager
def extras() -> Iterator[None]:
    """Import inside of it what needs an extra: a package of `EXTRAS` that is missing raises `ExtraMissing`."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        extra = EXTRAS[package]
        raise ExtraMissing(
            f"this command needs {package}, which is not installed: pip install 'reaseq[{extra}]'"
        ) from None
