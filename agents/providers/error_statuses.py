"""What an error status of a model server means: which kind of failure it is, and what mends it."""

import re

from agents.providers.base import CallFailed, ContextTooLong, FailureKind, ProviderError, QuotaExhausted

_OVERLOADED = (409, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529)
_KINDS = {
    408: FailureKind.TIMEOUT,
    413: FailureKind.CONTEXT_TOO_LONG,
    429: FailureKind.RATE_LIMITED,
    **dict.fromkeys(_OVERLOADED, FailureKind.OVERLOADED),
}
_QUOTA = re.compile(r"insufficient_quota|billing_hard_limit|exceeded your current quota|credit balance", re.I)
_CONTEXT = re.compile(
    r"context_length_exceeded|maximum context|context (?:length|size|window)|prompt is too long|too many tokens"
    r"|exceeds? the available context|string_above_max_length",
    re.I,
)
_POLICY = re.compile(
    r"content[ _]?policy|content_filter|content management policy|policy_violation|safety system|moderation_blocked",
    re.I,
)


def failure_of_status(status: int, said: str, message: str, *, retry_after: float | None = None) -> ProviderError:
    """Return the error for a status that is no 200; `said` is the server's own text or code, `message` is ours."""
    if status in (402, 403, 429) and _QUOTA.search(said):
        return QuotaExhausted(f"{message}: the account's quota is spent; top it up, then resume with the same command")
    kind = _kind(status, said)
    if kind is FailureKind.CONTEXT_TOO_LONG:
        return ContextTooLong(message)
    return CallFailed(message, kind=kind, retry_after=retry_after)


def _kind(status: int, said: str) -> FailureKind:
    if status in _KINDS:
        return _KINDS[status]
    if 300 <= status < 400:  # redirects are not followed: the key would go along
        return FailureKind.PROTOCOL
    if _CONTEXT.search(said):
        return FailureKind.CONTEXT_TOO_LONG
    return FailureKind.POLICY if _POLICY.search(said) else FailureKind.BAD_REQUEST
