"""What could not be mapped is clustered and proposed, with what it would gain; the taxonomy stays as it is."""

from pathlib import Path

import pytest

from agents.open_vocabularies import OpenValue, open_vocabularies
from agents.value_clusters import clusters
from agents.vocabulary_fragment import fragment
from agents.vocabulary_proposals import Proposal, vocabulary_proposals
from memory.category import AttributeType
from memory.encoder import MiniLmEncoder
from memory.schema import Reason
from memory.taxonomy import load_taxonomy, starter_taxonomy
from memory.unmapped_values import UnmappedValue
from memory.value_coverage import ValueCoverage

TAXONOMY = starter_taxonomy()
ENCODER = MiniLmEncoder()
KETTLES = "kitchen.kettles"
COVERAGE = ValueCoverage(items={KETTLES: 20, "tools.drills": 5}, covered={(KETTLES, "color"): 10})


def strange(value: str, *items: str, waiting: bool = True, reason: Reason = Reason.NOT_IN_VOCABULARY) -> UnmappedValue:
    return UnmappedValue(
        attribute="color",
        reason=reason,
        value=value,
        spellings=(value,),
        claims=len(items),
        items=len(items),
        categories={KETTLES: len(items)},
        examples=(),
        waiting=frozenset(items) if waiting else frozenset(),
    )


def proposed(*values: UnmappedValue, least_items: int = 2) -> list[Proposal]:
    return vocabulary_proposals(values, TAXONOMY, COVERAGE, ENCODER, least_items=least_items)


def test_spellings_of_one_new_value_are_one_proposal_with_the_coverage_gained() -> None:
    (proposal,) = proposed(strange("Galaxieblau", "a", "b", "c"), strange("Galaxiblau", "d"))

    assert (proposal.kind, proposal.value, proposal.words) == ("value", "galaxieblau", ("galaxiblau",))
    assert (proposal.claims, proposal.items, proposal.score) == (4, 4, None)
    assert (proposal.coverage, proposal.coverage_after) == (0.5, 0.7)
    assert proposal.gained == pytest.approx(0.2)


def test_what_comes_near_an_allowed_value_is_proposed_as_a_word_for_it_with_the_score() -> None:
    (proposal,) = proposed(strange("greenish", "a", "b"))

    assert (proposal.kind, proposal.value, proposal.words) == ("alias", "green", ("greenish",))
    assert proposal.score is not None
    assert 0.7 <= proposal.score <= 1


def test_items_that_have_a_value_already_gain_nothing() -> None:
    (proposal,) = proposed(strange("Galaxieblau", "a", "b", waiting=False))

    assert (proposal.items, proposal.gained) == (2, 0)


def test_rare_values_prose_and_what_failed_for_another_reason_are_not_proposed() -> None:
    found = proposed(
        strange("Galaxieblau", "a"),
        strange("a long sentence about the colour of a thing that nobody would list", "a", "b"),
        strange("Lava", "a", "b", reason=Reason.WRONG_TYPE),
    )

    assert found == []


def test_the_same_values_in_any_order_give_the_same_proposals() -> None:
    values = [strange(value, *"abcd"[:n]) for n, value in enumerate(("Lava", "Galaxie", "Galaxi", "Lawa"), 1)]

    assert proposed(*values, least_items=1) == proposed(*reversed(values), least_items=1)


def test_proposing_changes_no_taxonomy() -> None:
    before = TAXONOMY.version, TAXONOMY.attributes["color"]

    proposed(strange("Galaxieblau", "a", "b"))

    assert (TAXONOMY.version, TAXONOMY.attributes["color"]) == before


def test_every_value_is_in_one_cluster_that_is_named_after_its_first() -> None:
    found = clusters(["galaxy blue", "lava", "galaxy-blue", "2 l", "3 l", "²", "¿"], ENCODER)

    assert sorted(row for cluster in found for row in cluster) == list(range(7))
    assert [0, 2] in found
    assert [3] in found
    assert clusters([], ENCODER) == []


def test_few_frequent_values_of_an_open_attribute_are_offered_as_a_list() -> None:
    approved = {(KETTLES, "mattress_size"): {"90x200cm": 4, "90 x 200 cm": 3, "Queen": 3, "odd": 1}}

    found = open_vocabularies(approved, TAXONOMY)

    assert [(value.value, value.items) for value in found] == [("90 x 200 cm", 7), ("Queen", 3)]
    assert found[0].share == pytest.approx(7 / 11)


def test_of_brands_only_those_that_are_spelt_differently_are_offered() -> None:
    approved = {(KETTLES, "brand"): {"Bosch": 5, "BOSCH": 2, "Bosch GmbH": 1, "Acme": 9}}

    assert open_vocabularies(approved, TAXONOMY) == [
        OpenValue(attribute="brand", value="Bosch", words=("BOSCH",), items=8, share=8 / 17)
    ]


def test_the_fragment_is_a_taxonomy_file_of_its_own_whatever_the_words_are(tmp_path: Path) -> None:
    hostile = ["no", "1.5", "2024-01-01", ": {[", "# x", "a\u0085b", "\x1b[31mred", "null", "ﬁ", "- x", "&a *b"]
    found = proposed(*[strange(word, "a", "b") for word in hostile], strange("greenish", "a", "b"))
    listed = [OpenValue(attribute="brand", value="Bosch", words=("Bosch Blue", "BOSCH"), items=3, share=0.1)]
    file = tmp_path / "proposed.yaml"
    content = fragment(found, listed, TAXONOMY)

    file.write_text(content + "department: X\ncategories:\n- {id: x, path: [X], attributes: [color, brand]}\n", "utf-8")
    read = load_taxonomy(file).attributes

    proposed_words = {word for p in found for word in (p.value, *p.words)} - {"green"}
    assert {w for v in read["color"].values for w in (v.value, *v.aliases)} - {"green"} == proposed_words
    assert read["brand"].type is AttributeType.TEXT
    assert [(v.value, v.aliases) for v in read["brand"].values] == [("Bosch", ("Bosch Blue",))]
