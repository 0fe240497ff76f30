"""What the error statuses of servers mean."""

import pytest

from agents.providers.base import CallFailed, ContextTooLong, FailureKind, QuotaExhausted
from agents.providers.error_statuses import failure_of_status


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (429, "rate_limit_exceeded", FailureKind.RATE_LIMITED),
        (500, "", FailureKind.OVERLOADED),
        (529, "overloaded_error", FailureKind.OVERLOADED),
        (408, "", FailureKind.TIMEOUT),
        (307, "", FailureKind.PROTOCOL),
        (400, "invalid_request", FailureKind.BAD_REQUEST),
        (422, "unprocessable", FailureKind.BAD_REQUEST),
        (400, "content_policy_violation", FailureKind.POLICY),
        (400, "The response was filtered due to Azure's content management policy", FailureKind.POLICY),
    ],
)
def test_a_status_has_its_kind(status: int, said: str, kind: FailureKind) -> None:
    failure = failure_of_status(status, said, "no", retry_after=2.0)

    assert isinstance(failure, CallFailed)
    assert (failure.kind, failure.retry_after, failure.maybe_paid) == (kind, 2.0, False)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "context_length_exceeded"),
        (400, "This model's maximum context length is 8192 tokens"),
        (400, "the request exceeds the available context size, try increasing it"),
        (413, ""),
    ],
)
def test_a_prompt_that_is_too_long_has_an_error_of_its_own(status: int, said: str) -> None:
    assert isinstance(failure_of_status(status, said, "no"), ContextTooLong)


@pytest.mark.parametrize(
    "said", ["insufficient_quota", "You exceeded your current quota", "Your credit balance is low"]
)
def test_a_spent_quota_is_no_rate_limit(said: str) -> None:
    failure = failure_of_status(429, said, "no")

    assert isinstance(failure, QuotaExhausted)
    assert "same command" in str(failure)
