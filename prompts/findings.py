"""What can be wrong with a prompt file: one finding a fault, and the error that a prompt is refused with."""

from collections.abc import Iterable
from typing import Literal

from memory.errors import ReaseqError
from memory.record import Record

Severity = Literal["error", "warning"]


class PromptError(ReaseqError):
    """A prompt file, or its use, is wrong; the text names the file, the line where there is one, and the reason."""


class Finding(Record):
    """One fault of a prompt file."""

    file: str
    line: int | None
    severity: Severity
    rule: str  # its short name, such as "slot-unknown"
    reason: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.reason}"


def fault(file: str, line: int | None, rule: str, reason: str) -> Finding:
    """Return a finding for which a prompt is refused."""
    return Finding(file=file, line=line, severity="error", rule=rule, reason=reason)


def doubt(file: str, line: int | None, rule: str, reason: str) -> Finding:
    """Return a finding that a person should look at; the prompt works all the same."""
    return Finding(file=file, line=line, severity="warning", rule=rule, reason=reason)


def errors_in(findings: Iterable[Finding]) -> list[Finding]:
    """Return those for which a prompt is refused."""
    return [finding for finding in findings if finding.severity == "error"]


def refuse(findings: Iterable[Finding]) -> None:
    """Raise `PromptError` for the first finding that is an error, if there is one."""
    for finding in errors_in(findings):
        raise PromptError(str(finding))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings by file and line, each once."""
    return sorted(dict.fromkeys(findings), key=lambda found: (found.file, found.line or 0, found.rule, found.reason))
