"""The page of a report: one file, no script, nothing from elsewhere; texts of items and prompts stay texts."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from evaluators.comparison import compare
from evaluators.evaluation import GoldUsed
from evaluators.extractgpt import AnswerKinds
from evaluators.impact.knowledge import knowledge_change
from evaluators.impact.report import (
    AgentsReport,
    AgentWorth,
    GoldenChange,
    ImpactReport,
    RankingChange,
    SampleUsed,
    Side,
    SideCost,
    SliceChange,
    Spent,
    StaleCause,
    Step,
    Work,
)
from evaluators.impact.report_page import impact_page
from evaluators.impact.vectors import vector_change
from evaluators.impact.verdict import Figure, verdict_on
from memory.version_diff import ItemDiff
from tests.evaluators.gold_scores import score
from tests.evaluators.page_tags import HOSTILE, Tags
from tests.evaluators.ranking.ranking_reports import next_item_report

RIGHT, WRONG = AnswerKinds(vc=1), AnswerKinds(vw=1)


@pytest.fixture(scope="module")
def report() -> ImpactReport:
    """A report with everything that a page may show."""
    before = [score(f"{n}", RIGHT).model_copy(update={"title": HOSTILE}) for n in range(8)]
    after = [s.model_copy(update={"attributes": {HOSTILE: WRONG}}) for s in before]
    comparison = compare(before, after, seed=0)
    value = (HOSTILE, HOSTILE, HOSTILE)
    changed = ItemDiff(
        item_id=HOSTILE,
        title=HOSTILE,
        known=(True, True),
        category=(HOSTILE, "b"),
        added=(value,),
        removed=(),
        changed=((value, value),),
        demands=(1, 0),
        summary=True,
    )
    ranking = next_item_report()
    costs = (
        SideCost(items=8, calls=1, tokens=10, cost=Decimal("0.1")),
        SideCost(items=8, calls=1, tokens=9, cost=None),
    )
    turned = np.eye(2, dtype=np.float32)
    return ImpactReport(
        made_at=datetime(2026, 11, 26, tzinfo=UTC),
        what=(HOSTILE,),
        before=Side(version=1, provenance=None),
        after=Side(version=2, provenance=None, prompts=HOSTILE),
        sample=SampleUsed(items=8, of=9),
        work=Work(causes=(StaleCause(agent=HOSTILE, why=HOSTILE, results=8),), spent=Spent(items=8)),
        knowledge=knowledge_change([changed], {HOSTILE: HOSTILE}, (8, 8), (0, 1)),
        verdict=verdict_on([Figure(HOSTILE, comparison.f1, "golden items")], costs),
        golden=GoldenChange(
            gold=GoldUsed(file=HOSTILE, fingerprint="", items=8),
            comparison=comparison,
            precision=(1, 0),
            recall=(1, 0),
            valued=8,
            categorized=0,
        ),
        vectors=(vector_change(HOSTILE, [HOSTILE, "b"], [HOSTILE, "b"], turned, turned[::-1]),),
        rankings=(
            RankingChange(
                model=HOSTILE,
                report=ranking,
                slices=(SliceChange(by=HOSTILE, name=HOSTILE, events=3, metric=HOSTILE, difference=comparison.f1),),
            ),
        ),
        costs=costs,
        steps=(Step(name=HOSTILE, seconds=1, cpu_seconds=1),),
        notes=(HOSTILE,),
        machine=HOSTILE,
    )


def test_texts_are_shown_as_texts_and_nothing_is_fetched(report: ImpactReport) -> None:
    page = impact_page(report, 3)

    tags = Tags(page).found
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "link", "base", "form"}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert "alert(1)" in page
    assert "49" not in page.split("7*7")[1][:20]


def test_the_verdict_comes_first_and_all_parts_are_there(report: ImpactReport) -> None:
    page = impact_page(report, 3)

    headings = [line.split("<h2>")[1].split("</h2>")[0] for line in page.splitlines() if "<h2>" in line]
    assert headings[:4] == ["What decides", "Golden items", "Knowledge", "Vectors"]
    assert headings[-2:] == ["Cost", "What to bear in mind"]
    assert page.index("do not ship") < page.index("What decides")


def test_a_report_is_read_back_as_it_was(report: ImpactReport) -> None:
    assert ImpactReport.model_validate_json(report.model_dump_json()) == report


def test_a_report_of_agents_is_a_page_too(report: ImpactReport) -> None:
    difference = next(report.differences())
    worth = AgentWorth(
        agent=HOSTILE,
        off=HOSTILE,
        version=3,
        tokens=(5, 10),
        cost=(Decimal("0.1"), Decimal("0.2")),
        golden=None,
        knowledge=(1, 2, 3),
        rankings=(difference,),
    )
    agents = AgentsReport(
        made_at=report.made_at, side=report.before, sample=report.sample, agents=(worth,), work=Spent(), machine=HOSTILE
    )

    page = impact_page(agents)

    assert not {tag for tag, _ in Tags(page).found} & {"script", "img", "iframe"}
    assert "1, 2, 3" in page
