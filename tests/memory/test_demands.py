"""Demands are stored with their enrichment, leave with it, and are told apart from what a text says."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from pydantic import ValidationError
from sqlmodel import Session, func, select

from memory.database import open_database
from memory.demand_tables import DemandRow
from memory.export import ExportFormat, export_knowledge
from memory.relation import Relation
from memory.rows import CorruptKnowledge
from memory.schema import Decision, Demand, Enrichment, Reason, Verdict
from memory.store import enrichment_of, enrichments, save_enrichment
from memory.version_diff import diff
from memory.version_pruning import prune
from memory.versions import use, version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched

LATER = PROVENANCE.model_copy(update={"prompts": (("critic", "f2"),)})
HANGING = Demand(
    id="d1", relation=Relation.USED_FOR, text="hanging shelves", plausibility=0.9, typicality=0.5, producer="template"
)
RED = Demand(
    id="d2",
    relation=Relation.USED_BY,
    text="fans of Acme's \N{SYMBOL FOR ESCAPE} red",
    positive=False,
    plausibility=0.6,
    typicality=0.1,
    rests_on=("c1",),
    producer="model",
)


def ruling(demand: Demand, decision: Decision = Decision.ACCEPT) -> Verdict:
    reason = Reason.SUPPORTED if decision is Decision.ACCEPT else Reason.GENERIC
    return Verdict(claim_id=demand.id, decision=decision, reason=reason, checked_by="model", note="so it is")


def wanted(item_id: str = "d1", *demands: Demand, refused: tuple[Demand, ...] = ()) -> Enrichment:
    """Return an enrichment with these demands."""
    verdicts = [ruling(demand) for demand in demands] + [ruling(demand, Decision.REJECT) for demand in refused]
    content = {"demands": (*demands, *refused), "demand_verdicts": tuple(verdicts)}
    return enriched(drill(item_id)).model_copy(update=content)


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        assert version_for(session, PROVENANCE) == 1
        yield session


def rows(session: Session) -> int:
    return session.exec(select(func.count()).select_from(DemandRow)).one()


def test_demands_come_back_in_their_order_each_with_its_verdict(session: Session) -> None:
    many = [HANGING.model_copy(update={"id": f"d{n}", "text": f"use {n}"}) for n in range(12)]
    save_enrichment(session, 1, drill(), wanted("d1", *many, refused=(RED.model_copy(update={"id": "refused"}),)))
    save_enrichment(session, 1, drill("d2"), wanted("d2", RED))

    first = enrichment_of(session, "d1")
    streamed = list(enrichments(session))

    assert first is not None
    assert [demand.id for demand in first.enrichment.demands] == [*(f"d{n}" for n in range(12)), "refused"]
    assert [demand.text for demand in first.enrichment.accepted_demands] == [f"use {n}" for n in range(12)]
    assert streamed[0].enrichment == first.enrichment
    assert (streamed[1].enrichment.demands, streamed[1].enrichment.demand_verdicts) == ((RED,), (ruling(RED),))


def test_what_is_learnt_anew_replaces_the_demands_of_before(session: Session) -> None:
    save_enrichment(session, 1, drill(), wanted("d1", HANGING, RED))

    save_enrichment(session, 1, drill(), wanted("d1", RED))

    assert rows(session) == 1


def test_demands_leave_with_their_item(session: Session) -> None:
    save_enrichment(session, 1, drill(), wanted("d1", HANGING))

    session.connection().exec_driver_sql("DELETE FROM item")

    assert rows(session) == 0


def test_pruning_keeps_the_demands_of_what_it_keeps(session: Session) -> None:
    save_enrichment(session, 1, drill(), wanted("d1", HANGING, refused=(RED,)))
    use(session, version_for(session, LATER))

    gone = prune(session)

    known = enrichment_of(session, "d1")
    assert gone == [1]
    assert known is not None
    assert known.enrichment.accepted_demands == (HANGING,)
    assert len(known.enrichment.demands) == rows(session) == 2


def test_a_diff_counts_the_demands_that_came_and_went(session: Session) -> None:
    later = version_for(session, LATER)
    save_enrichment(session, 1, drill(), wanted("d1", HANGING))
    save_enrichment(session, later, drill(), wanted("d1", RED, refused=(HANGING,)))

    [difference] = diff(session, 1, later)

    assert difference.demands == (1, 1)
    assert (difference.added, difference.removed, difference.changed) == ((), (), ())


def test_json_lines_mark_demands_as_knowledge_of_the_world(session: Session, tmp_path: Path) -> None:
    save_enrichment(session, 1, drill(), wanted("d1", RED, refused=(HANGING,)))

    export_knowledge(session, tmp_path / "out.jsonl", ExportFormat.JSONL)

    told = orjson.loads((tmp_path / "out.jsonl").read_bytes())
    assert told["demands"] == [
        {
            "relation": "used_by",
            "text": RED.text,
            "positive": False,
            "plausibility": 0.6,
            "typicality": 0.1,
            "producer": "model",
            "rests_on": [{"name": "brand", "normalized": "acme", "unit": None}],
            "source": "world_knowledge",
        }
    ]
    assert [(d["text"], d["reason"], d["note"]) for d in told["rejected_demands"]] == [
        ("hanging shelves", "generic", "so it is")
    ]


@pytest.mark.parametrize("column", ["relation = 'loved_by'", "plausibility = 2", "text = ''", "decision = 'perhaps'"])
def test_demands_that_were_changed_from_outside_are_refused(session: Session, column: str) -> None:
    save_enrichment(session, 1, drill(), wanted("d1", HANGING))
    session.connection().exec_driver_sql(f"UPDATE demand SET {column}")

    with pytest.raises(CorruptKnowledge, match="item 'd1' is not valid"):
        enrichment_of(session, "d1")


@pytest.mark.parametrize("ruled", [(), ("d1", "d1"), ("d2",)])
def test_each_demand_of_an_enrichment_has_exactly_one_verdict(ruled: tuple[str, ...]) -> None:
    verdicts = [ruling(HANGING).model_copy(update={"claim_id": demand_id}) for demand_id in ruled]
    content = {**dict(enriched(drill())), "demands": (HANGING,), "demand_verdicts": tuple(verdicts)}

    with pytest.raises(ValidationError, match="each demand needs exactly one verdict"):
        Enrichment.model_validate(content, context={"item": drill()})
