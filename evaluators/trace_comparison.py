"""What two traces of an item came to, side by side: claims, verdicts, demands, and what each cost."""

from collections.abc import Iterable

from memory.record import Record
from memory.schema import Claim, Decision, Demand, Reason, Verdict
from memory.trace import Spent, StepUpdate, Trace


class Ruled(Record):
    """A claim or a demand with the last word on it; none where the trace ended before."""

    attribute: str  # or the demand's relation
    value: str  # in normal form, with its unit; or the demand's words
    verdict: Verdict | None = None

    @property
    def decision(self) -> Decision | None:
        """The decision; what was to be revised and never was counts as rejected."""
        if self.verdict is None:
            return None
        return Decision.REJECT if self.verdict.decision is Decision.REVISE else self.verdict.decision

    @property
    def reason(self) -> Reason | None:
        """Why it was decided so."""
        return None if self.verdict is None else self.verdict.reason


class Change(Record):
    """What stood before and stands now: another value of one attribute, or another verdict on one value."""

    before: Ruled
    after: Ruled


class TextChange(Record):
    """A text that reads differently."""

    before: str
    after: str


class Differences(Record):
    """How two lists of ruled claims, or of demands, differ."""

    gained: tuple[Ruled, ...] = ()
    lost: tuple[Ruled, ...] = ()
    changed: tuple[Change, ...] = ()  # one value of the attribute for one other
    verdicts: tuple[Change, ...] = ()  # the same value, ruled differently
    kept: int = 0  # as they were

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.gained or self.lost or self.changed or self.verdicts)


class TraceComparison(Record):
    """How the second trace differs from the first."""

    same_text: bool  # both are of one item with one text
    category: TextChange | None
    claims: Differences
    demands: Differences
    summary: TextChange | None
    before: Spent
    after: Spent
    failure_before: str = ""
    failure_after: str = ""

    @property
    def same_outcome(self) -> bool:
        """Whether both came to the same, whatever it cost."""
        told = self.category or self.summary or self.failure_before != self.failure_after
        return not (told or self.claims or self.demands)


def compare_traces(a: Trace, b: Trace) -> TraceComparison:
    """Return how what `b` came to differs from what `a` came to."""
    before, after = a.outcome, b.outcome
    return TraceComparison(
        same_text=(a.item.id, a.item.content_hash) == (b.item.id, b.item.content_hash),
        category=_text_change(_category(before), _category(after)),
        claims=_differences(_claims(before), _claims(after)),
        demands=_differences(_demands(before), _demands(after), one_for_one=False),
        summary=_text_change(before.summary or "", after.summary or ""),
        before=a.spent,
        after=b.spent,
        failure_before=a.failure,
        failure_after=b.failure,
    )


def _category(found: StepUpdate) -> str:
    return " > ".join(found.category.path) if found.category else ""


def _text_change(before: str, after: str) -> TextChange | None:
    return TextChange(before=before, after=after) if before != after else None


def _claims(found: StepUpdate) -> list[Ruled]:
    ruled = {verdict.claim_id: verdict for verdict in found.verdicts}
    return [Ruled(attribute=claim.name, value=_claimed(claim), verdict=ruled.get(claim.id)) for claim in found.claims]


def _claimed(claim: Claim) -> str:
    return f"{claim.normalized} {claim.unit}" if claim.unit else claim.normalized


def _demands(found: StepUpdate) -> list[Ruled]:
    ruled = {verdict.claim_id: verdict for verdict in found.demand_verdicts}
    return [
        Ruled(attribute=_relation(demand), value=demand.text, verdict=ruled.get(demand.id)) for demand in found.demands
    ]


def _relation(demand: Demand) -> str:
    return demand.relation.value if demand.positive else f"not {demand.relation.value}"


def _differences(before: Iterable[Ruled], after: Iterable[Ruled], *, one_for_one: bool = True) -> Differences:
    old, new = _by_value(before), _by_value(after)
    lost = [ruled for key, ruled in old.items() if key not in new]
    gained = [ruled for key, ruled in new.items() if key not in old]
    changed = _paired(lost, gained) if one_for_one else []
    both = [Change(before=old[key], after=new[key]) for key in old if key in new]
    verdicts = [pair for pair in both if _word(pair.before) != _word(pair.after)]
    return Differences(
        gained=tuple(ruled for ruled in gained if all(ruled is not pair.after for pair in changed)),
        lost=tuple(ruled for ruled in lost if all(ruled is not pair.before for pair in changed)),
        changed=tuple(changed),
        verdicts=tuple(verdicts),
        kept=len(both) - len(verdicts),
    )


def _by_value(listed: Iterable[Ruled]) -> dict[tuple[str, str], Ruled]:
    """Return each value once: a claim that came again in a later round, with the best word on it."""
    found: dict[tuple[str, str], Ruled] = {}
    for ruled in listed:
        key = (ruled.attribute, ruled.value)
        if key not in found or found[key].decision is not Decision.ACCEPT:
            found[key] = ruled
    return found


def _paired(lost: list[Ruled], gained: list[Ruled]) -> list[Change]:
    """Return the attributes that have one value for one other."""
    pairs = []
    for attribute in dict.fromkeys(ruled.attribute for ruled in lost):
        old = [ruled for ruled in lost if ruled.attribute == attribute]
        new = [ruled for ruled in gained if ruled.attribute == attribute]
        if len(old) == len(new) == 1:
            pairs.append(Change(before=old[0], after=new[0]))
    return pairs


def _word(ruled: Ruled) -> tuple[Decision | None, Reason | None]:
    return ruled.decision, ruled.reason
