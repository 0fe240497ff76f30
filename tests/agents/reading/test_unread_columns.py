"""Columns that no rule can read are kept with what they say."""

from agents.claim_checks import check_claims
from agents.reading.rules import rule_claims
from agents.reading.unread_columns import unread_columns
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

    (claim,) = unread_columns(of, TEMPLATE)
    (verdict,) = check_claims(of, [claim], TEMPLATE)

    assert (claim.name, claim.value, claim.normalized, claim.snapped) == ("color", "Galaxie", "Galaxie", None)
    assert (verdict.decision, verdict.reason) == (Decision.REJECT, Reason.NOT_IN_VOCABULARY)


def test_a_misspelt_value_is_taken_for_the_allowed_one_with_its_score_and_let_through() -> None:
    of = item(Farbe="Anthrazt")

    (claim,) = unread_columns(of, TEMPLATE)
    (verdict,) = check_claims(of, [claim], TEMPLATE)

    assert (claim.value, claim.normalized, verdict.reason) == ("Anthrazt", "anthracite", Reason.SUPPORTED)
    assert claim.snapped is not None
    assert claim.confidence < 0.95
    assert claim.evidence is not None
    assert claim.evidence.quote == "Anthrazt"


def test_a_shade_needs_an_encoder() -> None:
    of = item(Material="brushed aluminum alloy metal")

    assert unread_columns(of, TEMPLATE, MiniLmEncoder()) == unread_columns(of, TEMPLATE)


def test_a_wrong_unit_is_kept_with_its_reason() -> None:
    of = item(Gewicht="5 Watt")

    (claim,) = unread_columns(of, TEMPLATE)
    (verdict,) = check_claims(of, [claim], TEMPLATE)

    assert (claim.name, verdict.reason) == ("item_weight", Reason.WRONG_UNIT)


def test_a_column_that_any_attribute_could_read_is_not_reported_for_the_others() -> None:
    of = item(Größe="42")

    assert [claim.name for claim in rule_claims(of, TEMPLATE)] == ["numeric_size"]
    assert unread_columns(of, TEMPLATE) == []


def test_columns_that_say_nothing_or_are_prose_or_are_nobodys_are_passed_over() -> None:
    assert unread_columns(item(Farbe="n/a", Material="long words " * 40, stock="7"), TEMPLATE) == []
