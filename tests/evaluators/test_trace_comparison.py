"""Two traces side by side: what was gained, lost and changed, and what it cost."""

from decimal import Decimal

from evaluators.trace_comparison import Differences, compare_traces
from memory.schema import Decision, Reason
from tests.memory.knowledge_samples import drill, known, quoted
from tests.memory.traces_of_drills import traced, verdict

ITEM = drill()
BRAND, COLOR = quoted(ITEM, "c1", "brand", "Acme"), quoted(ITEM, "c2", "color", "red")
VOLTAGE = quoted(ITEM, "c3", "voltage", "18", "V")


def names(found: Differences) -> tuple[list[str], list[str], list[str], list[str]]:
    return (
        [f"{ruled.attribute}={ruled.value}" for ruled in found.gained],
        [f"{ruled.attribute}={ruled.value}" for ruled in found.lost],
        [f"{change.before.value}>{change.after.value}" for change in found.changed],
        [f"{change.before.decision}>{change.after.decision}" for change in found.verdicts],
    )


def test_equal_traces_came_to_the_same() -> None:
    compared = compare_traces(traced(ITEM, [BRAND]), traced(ITEM, [BRAND]))

    assert compared.same_outcome
    assert compared.same_text
    assert compared.claims.kept == 1


def test_claims_are_gained_lost_and_changed_by_what_they_say() -> None:
    other_brand = quoted(ITEM, "c9", "brand", "cordless")

    compared = compare_traces(traced(ITEM, [BRAND, COLOR]), traced(ITEM, [other_brand, VOLTAGE]))

    assert names(compared.claims) == (["voltage=18 V"], ["color=red"], ["acme>cordless"], [])
    assert not compared.same_outcome


def test_the_same_value_under_another_id_is_the_same_claim() -> None:
    renamed = BRAND.model_copy(update={"id": "1.7.brand"})

    assert compare_traces(traced(ITEM, [BRAND]), traced(ITEM, [renamed])).same_outcome


def test_an_attribute_with_several_new_values_gains_them() -> None:
    blue, green = known("color", "blue", "w1"), known("color", "green", "w2")

    compared = compare_traces(traced(ITEM, [COLOR]), traced(ITEM, [blue, green]))

    assert names(compared.claims) == (["color=blue", "color=green"], ["color=red"], [], [])


def test_another_verdict_on_the_same_value_is_told() -> None:
    refused = [verdict("c1", Decision.REJECT, Reason.UNSUPPORTED)]

    compared = compare_traces(traced(ITEM, [BRAND]), traced(ITEM, [BRAND], refused))

    assert names(compared.claims) == ([], [], [], ["accept>reject"])


def test_what_was_to_be_revised_and_never_was_counts_as_rejected() -> None:
    revise, reject = (verdict("c1", decision, Reason.UNSUPPORTED) for decision in (Decision.REVISE, Decision.REJECT))

    assert compare_traces(traced(ITEM, [BRAND], [revise]), traced(ITEM, [BRAND], [reject])).same_outcome


def test_a_value_that_came_right_in_a_later_round_counts_once() -> None:
    again = BRAND.model_copy(update={"id": "1.0.brand"})
    verdicts = [verdict("c1", Decision.REVISE, Reason.UNSUPPORTED), verdict("1.0.brand")]

    compared = compare_traces(traced(ITEM, [BRAND]), traced(ITEM, [BRAND, again], verdicts))

    assert compared.same_outcome


def test_a_summary_that_reads_differently_and_a_failure_are_told() -> None:
    worded = compare_traces(traced(ITEM), traced(ITEM, summary="A red drill."))
    failed = compare_traces(traced(ITEM), traced(ITEM, failure="summarizer: answer_invalid: no JSON"))

    assert worded.summary is not None
    assert (worded.summary.before, worded.summary.after) == ("A cordless drill.", "A red drill.")
    assert failed.failure_after == "summarizer: answer_invalid: no JSON"
    assert not failed.same_outcome


def test_the_cost_of_both_is_told() -> None:
    trace = traced(ITEM)
    shorter = trace.model_copy(update={"steps": trace.steps[:1]})

    compared = compare_traces(trace, shorter)

    assert (compared.before.calls, compared.after.calls) == (3, 1)
    assert (compared.before.cost, compared.after.cost) == (Decimal("0.75"), Decimal("0.25"))
    assert (compared.before.usage.prompt_tokens, compared.after.usage.prompt_tokens) == (30, 10)


def test_another_text_of_the_item_is_told() -> None:
    assert not compare_traces(traced(ITEM), traced(drill(title="Acme drill"))).same_text
