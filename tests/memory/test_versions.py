"""Results are laid version over version: read, compared, rolled back and pruned as wholes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlmodel import Session

from memory.database import open_database
from memory.runs import RunCounts, RunState, end_run, runs, start_run
from memory.schema import Provenance
from memory.store import counts, enrichment_of, enrichments, failures, save_enrichment, save_failure, save_item
from memory.version_diff import diff
from memory.version_pruning import prune
from memory.versions import UnknownVersion, current_version, fingerprint_of, lineage, use, version_for, versions
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched, quoted


def configured(prompt: str) -> Provenance:
    return PROVENANCE.model_copy(update={"prompts": (("critic", prompt),)})


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        yield session


def learn(session: Session, version_id: int, item_id: str, summary: str) -> None:
    save_enrichment(session, version_id, drill(item_id), enriched(drill(item_id), summary=summary))


def told(session: Session, version_id: int | None = None) -> dict[str, str]:
    return {known.item.id: known.enrichment.summary for known in enrichments(session, version_id)}


@pytest.fixture
def two(session: Session) -> Session:
    """Version 1 knows a and b; version 2, laid over it, knows b anew and c."""
    first = version_for(session, configured("1"))
    learn(session, first, "a", "a1")
    learn(session, first, "b", "b1")
    second = version_for(session, configured("2"), note="a better critic")
    learn(session, second, "b", "b2")
    learn(session, second, "c", "c2")
    return session


def test_a_configuration_has_one_version_and_a_new_one_is_laid_over_the_current(session: Session) -> None:
    first = version_for(session, configured("1"))
    second = version_for(session, configured("2"), note="a better critic")

    assert version_for(session, configured("1")) == first
    assert [(v.id, v.parent_id, v.note, v.current, v.provenance) for v in versions(session)] == [
        (first, None, "", True, configured("1")),
        (second, first, "a better critic", False, configured("2")),
    ]


def test_everything_that_shapes_a_result_is_in_the_fingerprint() -> None:
    others = {
        "prompts": (("critic", "f2"),),
        "model": "m",
        "parameters": "{}",
        "taxonomy_version": "t",
        "encoder": "e",
        "code_version": "9",
        "max_revisions": 9,
        "aids": (("calibration", "f3"),),
    }

    prints = {fingerprint_of(PROVENANCE.model_copy(update={name: value})) for name, value in others.items()}

    assert others.keys() == Provenance.model_fields.keys()
    assert len(prints | {fingerprint_of(PROVENANCE)}) == len(others) + 1


def test_before_the_first_run_nothing_is_known(session: Session) -> None:
    save_item(session, drill())

    assert (current_version(session), lineage(session), told(session)) == (None, (), {})
    assert counts(session).enriched == 0


def test_a_version_is_read_over_those_below_it_and_switched_in_whole(two: Session) -> None:
    assert told(two) == {"a": "a1", "b": "b1"}

    use(two, 2)

    assert told(two) == {"a": "a1", "b": "b2", "c": "c2"}
    assert (counts(two).enriched, counts(two).accepted_claims) == (3, 3)
    use(two, 1)
    assert told(two) == {"a": "a1", "b": "b1"}
    assert told(two, 2) == {"a": "a1", "b": "b2", "c": "c2"}
    assert [version.results for version in versions(two)] == [2, 2]


def test_an_unknown_version_is_named_with_those_there_are(two: Session) -> None:
    with pytest.raises(UnknownVersion, match="no version 9; there are: 1, 2"):
        use(two, 9)


def test_learning_an_item_again_replaces_it_in_its_own_version_alone(two: Session) -> None:
    learn(two, 2, "b", "b3")

    assert told(two, 1)["b"] == "b1"
    assert told(two, 2)["b"] == "b3"


def test_a_failure_hides_nothing_that_a_version_below_knows(two: Session) -> None:
    use(two, 2)
    save_failure(two, 2, drill("a"), "timeout")
    save_failure(two, 2, drill("d"), "refused")

    assert told(two)["a"] == "a1"
    assert [failure.item_id for failure in failures(two)] == ["a", "d"]
    assert failures(two, 1) == []
    assert (counts(two).enriched, counts(two).failed) == (3, 1)


def test_a_failure_is_over_when_a_later_version_knows_the_item(two: Session) -> None:
    save_failure(two, 1, drill("c"), "timeout")

    assert [failure.item_id for failure in failures(two, 1)] == ["c"]
    assert failures(two, 2) == []


def test_a_new_text_is_read_from_the_version_that_knows_it(two: Session) -> None:
    changed = drill("b", title="Acme hammer drill")
    save_enrichment(two, 1, changed, enriched(changed, summary="hammer"))

    assert told(two, 1)["b"] == "hammer"
    assert told(two, 2)["b"] == "hammer"  # what version 2 knows is of the old text


def test_a_diff_tells_what_changed_item_by_item(two: Session) -> None:
    item = drill("a")
    claims = [quoted(item, "c1", "brand", "cordless"), quoted(item, "c2", "colour", "red")]
    save_enrichment(two, 2, item, enriched(item, claims, summary="a1"))

    changed, summary, new = diff(two, 1, 2)

    assert (changed.item_id, changed.changed) == ("a", ((("brand", "acme", None), ("brand", "cordless", None)),))
    assert (changed.added, changed.removed, changed.summary) == ((("colour", "red", None),), (), False)
    assert (summary.item_id, summary.summary, summary.added, summary.changed) == ("b", True, (), ())
    assert (new.item_id, new.known, new.added) == ("c", (False, True), (("brand", "acme", None),))
    assert [d.known for d in diff(two, 2, 1)] == [(True, True), (True, True), (True, False)]


def test_a_diff_tells_a_changed_category(two: Session) -> None:
    known = enriched(drill("a"), summary="a1")
    moved = known.category.model_copy(update={"category_id": "hammers"})
    save_enrichment(two, 2, drill("a"), known.model_copy(update={"category": moved}))

    assert next(d.category for d in diff(two, 1, 2)) == ("drills", "hammers")


def test_a_version_is_like_itself(two: Session) -> None:
    assert list(diff(two, 2, 2)) == []


def test_a_diff_of_an_unknown_version_is_refused(two: Session) -> None:
    with pytest.raises(UnknownVersion):
        list(diff(two, 1, 9))


def test_pruning_keeps_what_the_current_version_says_and_drops_the_rest(two: Session) -> None:
    use(two, 2)
    save_failure(two, 1, drill("d"), "timeout")
    run = start_run(two, 1, "c.csv", {})
    end_run(two, run, RunState.FINISHED, RunCounts(enriched=2))
    before = list(enrichments(two)), counts(two), failures(two)

    gone = prune(two)

    assert gone == [1]
    assert (list(enrichments(two)), counts(two), failures(two)) == before
    assert [(v.id, v.parent_id, v.results) for v in versions(two)] == [(2, None, 3)]
    assert two.execute(text("SELECT count(*) FROM claim")).scalar_one() == 3
    assert [run.version_id for run in runs(two)] == [None]


def test_pruning_drops_a_version_that_was_rolled_back(two: Session) -> None:
    assert prune(two) == [2]

    assert told(two) == {"a": "a1", "b": "b1"}


def test_pruning_keeps_the_versions_asked_for_and_what_they_share(two: Session) -> None:
    third = version_for(two, configured("3"))
    learn(two, third, "c", "c3")
    use(two, third)
    before = told(two, 2), told(two, 3)

    assert prune(two, keep=[2]) == []

    assert (told(two, 2), told(two, 3)) == before
    assert prune(two) == [1, 2]
    assert told(two) == before[1]


def test_pruning_keeps_a_version_with_a_run_at_work_in_it(two: Session) -> None:
    start_run(two, 2, "c.csv", {})

    assert prune(two) == []


def test_pruning_drops_what_was_known_of_texts_that_are_no_more(two: Session) -> None:
    save_item(two, drill("a", title="Acme hammer drill"))

    prune(two)

    assert [version.results for version in versions(two)] == [1]


def test_pruning_moves_any_number_of_items(two: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memory.version_pruning.PAGE", 3)
    for number in range(10):
        learn(two, 1, f"i{number}", "many")
    use(two, 2)
    before = told(two)

    prune(two)

    assert told(two) == before
    assert enrichment_of(two, "i7") == (drill("i7"), enriched(drill("i7"), summary="many"))
