"""What people decided, as claims and verdicts: their word goes before every rule and model."""

from collections.abc import Sequence

import pytest

from agents.human_rulings import human_claims, human_verdicts, peoples_word, undone, with_rulings
from agents.ruling_drafts import Case, RefusedValue, acceptance, correction, rejection, stated_by
from memory.category import AllowedValue, AttributeSpec, AttributeType, CategoryTemplate
from memory.rulings import HumanRuling, RulingDecision, StatedValue
from memory.schema import Claim, ClaimSource, Decision, Enrichment, Reason
from tests.memory.human_words import accept, correct, reject
from tests.memory.knowledge_samples import DRILLS, drill, enriched, known, quoted

COLORS = tuple(AllowedValue(value=value, aliases=aliases) for value, aliases in {"red": ("rot",), "blue": ()}.items())
TEMPLATE = CategoryTemplate(
    category_id="drills",
    path=DRILLS,
    taxonomy_version="t",
    attributes=(
        AttributeSpec(key="brand", name="Brand", type=AttributeType.TEXT),
        AttributeSpec(key="color", name="Color", type=AttributeType.ENUM, values=COLORS),
        AttributeSpec(key="voltage", name="Voltage", type=AttributeType.QUANTITY, unit="volt"),
        AttributeSpec(key="weight", name="Weight", type=AttributeType.QUANTITY, unit="kilogram"),
        AttributeSpec(key="batteries", name="Batteries", type=AttributeType.COUNT),
        AttributeSpec(key="material", name="Material", type=AttributeType.TEXT, many=True),
    ),
)
ITEM = drill()
RED, BLUE = quoted(ITEM, "0.0.color", "color", "red"), known("color", "blue", "0.1.color")
ACME = quoted(ITEM, "0.2.brand", "brand", "Acme").model_copy(update={"normalized": "Acme"})


def case(accepted: Sequence[Claim] = (RED, ACME), rejected: Sequence[Claim] = (BLUE,)) -> Case:
    return Case(ITEM, enriched(ITEM, accepted, rejected=rejected, summary="Color red; brand Acme."), TEMPLATE)


def ruled(about: Case, *rulings: HumanRuling) -> Enrichment:
    return with_rulings(about.item, about.enrichment, about.template, rulings)


def verdicts(enrichment: Enrichment, attribute: str = "color") -> dict[str, tuple[Decision, Reason, str]]:
    """Return what is said of each value of an attribute, and by whom."""
    found = {claim.normalized: enrichment.verdict_on(claim) for claim in enrichment.claims if claim.name == attribute}
    return {value: (verdict.decision, verdict.reason, verdict.checked_by) for value, verdict in found.items()}


def test_a_correction_takes_the_place_of_what_was_accepted() -> None:
    about = case()

    after = ruled(about, correction(about, "color", stated_by(RED), "blue"))

    assert verdicts(after) == {
        "blue": (Decision.ACCEPT, Reason.REVIEWED, "human"),
        "red": (Decision.REJECT, Reason.REVIEWED, "human"),
    }
    [blue] = [claim for claim in after.accepted if claim.name == "color"]
    assert (blue.id, blue.producer, blue.confidence, blue.seconded_by) == ("0.1.color", "human", 1.0, ("model",))
    assert Enrichment.model_validate(after.model_dump(), context={"item": ITEM}) == after
    assert verdicts(after, "brand") == verdicts(about.enrichment, "brand")


def test_what_is_accepted_makes_rivals_contradictions() -> None:
    about = case(accepted=(RED, ACME), rejected=())
    rival = known("color", "blue", "9.0.color")
    disputed = Case(ITEM, enriched(ITEM, (RED, rival, ACME)), TEMPLATE)

    after = ruled(disputed, acceptance(about, "color", stated_by(RED)))

    assert verdicts(after)["blue"] == (Decision.REJECT, Reason.CONTRADICTION, "human")
    assert verdicts(after)["red"] == (Decision.ACCEPT, Reason.REVIEWED, "human")


def test_a_rival_is_a_machine_s_question_again_once_the_word_against_it_is_gone() -> None:
    about = case()
    settled = ruled(about, acceptance(about, "color", stated_by(RED)))
    again = Case(ITEM, settled, TEMPLATE)

    after = ruled(again, acceptance(about, "color", stated_by(RED)), rejection(again, "color", stated_by(RED)))

    assert verdicts(settled)["blue"] == (Decision.REJECT, Reason.UNSUPPORTED, "human")
    assert verdicts(after) == {
        "red": (Decision.REJECT, Reason.REVIEWED, "human"),
        "blue": (Decision.REJECT, Reason.UNSUPPORTED, "code"),
    }


def test_doing_it_twice_changes_nothing() -> None:
    about = case()
    rulings = [
        correction(about, "color", stated_by(RED), "blue"),
        correction(about, "voltage", None, "18 V"),
        acceptance(about, "brand", stated_by(ACME)),
    ]

    once = ruled(about, *rulings)

    assert ruled(Case(ITEM, once, TEMPLATE), *rulings) == once
    assert len(once.claims) == 4


def test_a_summary_that_names_what_is_wrong_becomes_the_plain_one() -> None:
    about = case()

    after = ruled(about, rejection(about, "color", stated_by(RED)))
    kept = ruled(about, acceptance(about, "color", stated_by(RED)))

    assert after.summary == "Drills: brand Acme."
    assert kept.summary == "Drills: color red; brand Acme." or kept.summary == about.enrichment.summary


def test_a_value_that_means_the_same_is_the_same() -> None:
    shouted = ACME.model_copy(update={"id": "1.0.brand", "value": "ACME", "normalized": "ACME"})
    about = case(accepted=(shouted,), rejected=())

    after = ruled(about, accept(ITEM, "brand", "Acme"))

    assert [(claim.id, claim.producer) for claim in after.accepted] == [("1.0.brand", "human")]


def test_two_claims_of_an_approved_value_are_one() -> None:
    twin = RED.model_copy(update={"id": "1.0.color"})
    said = peoples_word(ITEM, TEMPLATE, [accept(ITEM, "color", "red")])

    found = human_verdicts([RED, twin], said, TEMPLATE)
    later = human_verdicts([twin], said, TEMPLATE, accepted=[RED], round=1)

    assert [verdict.reason for verdict in found.values()] == [Reason.REVIEWED, Reason.DUPLICATE]
    assert [(verdict.reason, verdict.round) for verdict in later.values()] == [(Reason.DUPLICATE, 1)]


def test_nobody_s_word_settles_nothing() -> None:
    assert human_verdicts([RED, BLUE], (), TEMPLATE) == {}
    assert ruled(case()) == case().enrichment


def test_other_values_of_an_attribute_of_many_stay_the_machines_question() -> None:
    steel, wood = known("material", "steel", "m1"), known("material", "wood", "m2")
    about = case(accepted=(steel, wood), rejected=())

    after = ruled(about, acceptance(about, "material", stated_by(steel)))

    assert verdicts(after, "material")["wood"] == (Decision.ACCEPT, Reason.SUPPORTED, "code")
    assert {claim.normalized for claim in after.accepted} == {"steel", "wood"}


def test_a_word_is_said_in_the_unit_of_the_template() -> None:
    old = correct(ITEM, "weight", None, "500").model_copy(
        update={"right": StatedValue(value="500 g", normalized="500", unit="gram")}
    )

    [claim] = human_claims(peoples_word(ITEM, TEMPLATE, [old]))

    assert (claim.normalized, claim.unit, claim.value) == ("0.5", "kilogram", "500 g")


def test_a_word_on_what_the_template_does_not_ask_for_or_has_no_word_for_holds() -> None:
    rulings = [correct(ITEM, "warranty", None, "2 years"), correct(ITEM, "color", None, "salmon")]

    claims = human_claims(peoples_word(ITEM, TEMPLATE, rulings))

    assert [(claim.name, claim.normalized) for claim in claims] == [("warranty", "2 years"), ("color", "salmon")]


@pytest.mark.parametrize(
    ("text", "source", "quote"),
    [
        ("rot", ClaimSource.TEXT, "red"),  # the claim of the same value has evidence
        ("blue", ClaimSource.WORLD_KNOWLEDGE, None),
    ],
)
def test_a_corrected_value_has_evidence_where_the_text_says_it(
    text: str, source: ClaimSource, quote: str | None
) -> None:
    about = case(rejected=())
    wrong = StatedValue(value="green", normalized="green")

    [claim] = human_claims(peoples_word(ITEM, TEMPLATE, [correction(about, "color", wrong, text)]))

    assert claim.source is source
    assert (claim.evidence.quote if claim.evidence else None) == quote


def test_evidence_is_whole_words() -> None:
    about = case()

    word = correction(about, "brand", stated_by(ACME), "cordless")
    part = correction(about, "brand", stated_by(ACME), "cord")

    assert word.quote is not None
    assert (word.quote.start, word.quote.end) == (5, 13)
    assert part.quote is None


def test_a_bare_number_is_no_evidence() -> None:
    about = case()

    count = correction(about, "batteries", None, "18")
    measure = correction(about, "voltage", None, "18 V")

    assert count.quote is None
    assert measure.quote is not None
    assert measure.quote.quote == "18 V"


def test_a_value_that_cannot_be_is_refused_with_what_can() -> None:
    about = case()

    with pytest.raises(RefusedValue, match="allowed: red, blue"):
        correction(about, "color", None, "salmon")
    with pytest.raises(RefusedValue, match="quantity in volt"):
        correction(about, "voltage", None, "heavy")
    with pytest.raises(RefusedValue, match="it has: brand, color, voltage, weight, batteries, material"):
        correction(about, "warranty", None, "2 years")
    with pytest.raises(RefusedValue, match="allowed"):
        acceptance(about, "color", StatedValue(value="salmon", normalized="salmon"))


def test_a_correction_to_the_same_value_is_an_acceptance() -> None:
    ruling = correction(case(), "color", stated_by(RED), "rot")

    assert ruling.decision is RulingDecision.ACCEPT


def test_what_a_decision_says_of_the_claims_is_kept_as_machines_made_them() -> None:
    about = case()
    first = correction(about, "color", stated_by(RED), "blue")
    again = Case(ITEM, ruled(about, first), TEMPLATE, (first,))

    second = rejection(again, "color", StatedValue(value="blue", normalized="blue"))

    assert {(c.normalized, c.producer, c.confidence, c.right) for c in first.claims} == {
        ("red", "rule", 0.9, False),
        ("blue", "model", 0.5, True),
    }
    assert [(c.normalized, c.producer, c.right) for c in second.claims] == [("blue", "model", False)]


def test_a_rejection_says_nothing_of_other_values() -> None:
    ruling = rejection(case(), "color", stated_by(RED))

    assert [(claim.normalized, claim.right) for claim in ruling.claims] == [("red", False)]


def test_what_is_undone_is_as_it_was_and_the_rest_stays() -> None:
    about = case()
    first = ruled(about, correction(about, "color", stated_by(RED), "blue"))
    both = ruled(Case(ITEM, first, TEMPLATE), reject(ITEM, "brand", "Acme"))

    assert undone(first, about.enrichment, "color", TEMPLATE) == about.enrichment
    restored = undone(both, about.enrichment, "color", TEMPLATE)
    assert verdicts(restored) == verdicts(about.enrichment)
    assert verdicts(restored, "brand") == verdicts(both, "brand")
