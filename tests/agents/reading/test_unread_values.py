"""Columns that no rule can read are kept with what they say."""

from agents.claim_checks import check_claims
from agents.reading.rules import rule_claims
from agents.reading.unread_values import unread_values
from memory.category import CategoryTemplate
from memory.encoder import MiniLmEncoder
from memory.schema import CatalogItem, Decision, Reason, SourceField
from memory.taxonomy import starter_taxonomy

ATTRIBUTES = starter_taxonomy().attributes
TEMPLATE = CategoryTemplate(
    category_id="x",
    path=("X",),
    attributes=tuple(ATTRIBUTES[key] for key in ("brand", "color", "material", "size", "numeric_size", "item_weight")),
    taxonomy_version="1",
)


def item(**columns: str) -> CatalogItem:
    return CatalogItem(id="1", title="Thing", fields=tuple(SourceField(name=n, text=t) for n, t in columns.items()))


def test_a_value_that_is_near_no_allowed_one_stays_as_written_and_is_refused_for_good() -> None:
    of = item(Farbe="Galaxie")

    (claim,) = unread_values(of, TEMPLATE)
    (verdict,) = check_claims(of, [claim], TEMPLATE)

    assert (claim.name, claim.value, claim.normalized, claim.snapped) == ("color", "Galaxie", "Galaxie", None)
    assert (verdict.decision, verdict.reason) == (Decision.REJECT, Reason.NOT_IN_VOCABULARY)


def test_a_misspelt_value_is_taken_for_the_allowed_one_with_its_score_and_let_through() -> None:
    of = item(Farbe="Anthrazt")

    (claim,) = unread_values(of, TEMPLATE)
    (verdict,) = check_claims(of, [claim], TEMPLATE)

    assert (claim.value, claim.normalized, verdict.reason) == ("Anthrazt", "anthracite", Reason.SUPPORTED)
    assert claim.snapped is not None
    assert claim.confidence < 0.95
    assert claim.evidence is not None
    assert claim.evidence.quote == "Anthrazt"


def test_a_shade_needs_an_encoder() -> None:
    of = item(Material="brushed aluminum alloy metal")

    assert unread_values(of, TEMPLATE, MiniLmEncoder()) == unread_values(of, TEMPLATE)


def test_a_labelled_value_that_is_no_allowed_one_is_kept_unless_the_attribute_is_told_elsewhere() -> None:
    of = CatalogItem(id="1", title="Thing", description="Strong. Color: galaxy dust. Brand: Acme. Size: n/a")

    (claim,) = unread_values(of, TEMPLATE)
    (verdict,) = check_claims(of, [claim], TEMPLATE)

    assert (claim.name, claim.value, claim.producer) == ("color", "galaxy dust", "rule")
    assert (verdict.decision, verdict.reason) == (Decision.REJECT, Reason.NOT_IN_VOCABULARY)
    assert unread_values(of, TEMPLATE, read={"color"}) == []


def test_running_text_and_long_labelled_values_are_left_alone() -> None:
    long = "a colour that nobody has a word for and that goes on and on and on"
    prose = CatalogItem(id="1", title="The color is galaxy", description=f"Color: {long}")

    assert unread_values(prose, TEMPLATE) == []


def test_a_wrong_unit_is_kept_with_its_reason() -> None:
    of = item(Gewicht="5 Watt")

    (claim,) = unread_values(of, TEMPLATE)
    (verdict,) = check_claims(of, [claim], TEMPLATE)

    assert (claim.name, verdict.reason) == ("item_weight", Reason.WRONG_UNIT)


def test_a_column_that_any_attribute_could_read_is_not_reported_for_the_others() -> None:
    of = item(Größe="42")

    assert [claim.name for claim in rule_claims(of, TEMPLATE)] == ["numeric_size"]
    assert unread_values(of, TEMPLATE) == []


def test_columns_that_say_nothing_or_are_prose_or_are_nobodys_are_passed_over() -> None:
    assert unread_values(item(Farbe="n/a", Material="long words " * 40, stock="7"), TEMPLATE) == []
