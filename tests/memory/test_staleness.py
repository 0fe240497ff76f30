"""Exactly what a change made stale is told, with the reason, and what it would cost to make it anew."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlmodel import Session

from memory.database import open_database
from memory.ledger import record_call
from memory.model_call import Usage
from memory.schema import Provenance
from memory.staleness import AgentNeeds, StaleResult, Wanted, forecast, stale, stale_among
from memory.store import save_enrichment, save_failure, save_item
from memory.versions import use, version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched
from tests.memory.test_ledger import call

MADE = PROVENANCE.model_copy(
    update={
        "prompts": (
            ("attribute_extractor", "f1"),
            ("category_expert", "f1"),
            ("category_expert_template", "f1"),
            ("critic", "f1"),
        )
    }
)
AGENTS = (
    AgentNeeds(
        agent="category_expert",
        prompts=("category_expert", "category_expert_template"),
        uses=("taxonomy_version", "encoder"),
    ),
    AgentNeeds(agent="attribute_extractor", prompts=("attribute_extractor",), after=("category_expert",)),
    AgentNeeds(agent="critic", prompts=("critic",), after=("attribute_extractor",), uses=("max_revisions",)),
)
ALL = ["category_expert", "attribute_extractor", "critic"]


@pytest.fixture
def session() -> Iterator[Session]:
    """Two items, enriched by the configuration MADE."""
    with open_database(fresh_url()) as database, database.writing() as session:
        version_for(session, MADE)
        for item_id in ("a", "b"):
            learn(session, 1, item_id, MADE)
        yield session


def learn(session: Session, version_id: int, item_id: str, provenance: Provenance) -> None:
    save_enrichment(session, version_id, drill(item_id), enriched(drill(item_id), provenance=provenance))


def wanted(**changes: object) -> Wanted:
    return Wanted(provenance=MADE.model_copy(update=changes), agents=AGENTS)


def edited(prompt: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, "f2" if name == prompt else fingerprint) for name, fingerprint in MADE.prompts)


def reasons(session: Session, configuration: Wanted, item_id: str = "a") -> dict[str, tuple[str, ...]]:
    return {result.agent: result.why for result in stale(session, configuration) if result.item_id == item_id}


def test_nothing_is_stale_where_nothing_changed(session: Session) -> None:
    assert list(stale(session, wanted())) == []


def test_an_edited_prompt_makes_its_agent_stale_and_what_depends_on_it(session: Session) -> None:
    assert reasons(session, wanted(prompts=edited("critic"))) == {"critic": ("prompt critic",)}
    assert reasons(session, wanted(prompts=edited("attribute_extractor"))) == {
        "attribute_extractor": ("prompt attribute_extractor",),
        "critic": ("what attribute_extractor found",),
    }
    assert list(reasons(session, wanted(prompts=edited("category_expert_template")))) == ALL


@pytest.mark.parametrize(
    ("change", "agents", "why"),
    [
        ({"model": "openai:small"}, ALL, "model scripted:test -> openai:small"),
        ({"parameters": "{}"}, ALL, 'parameters {"temperature":0} -> {}'),
        ({"code_version": "0.2.0"}, ALL, "code_version 0.1.0 -> 0.2.0"),
        ({"taxonomy_version": "2"}, ALL, "taxonomy_version starter-1 -> 2"),
        ({"encoder": "other"}, ALL, "encoder minilm -> other"),
        ({"max_revisions": 3}, ["critic"], "max_revisions 2 -> 3"),
    ],
)
def test_each_setting_makes_stale_what_it_shapes(
    session: Session, change: dict[str, object], agents: list[str], why: str
) -> None:
    told = reasons(session, wanted(**change))

    assert list(told) == agents
    assert why in told[agents[0]]


def test_an_item_with_a_new_text_or_none_enriched_is_stale_as_a_whole(session: Session) -> None:
    save_item(session, drill("b", title="Acme hammer drill"))
    save_item(session, drill("c"))

    told = list(stale(session, wanted()))

    assert told == [
        StaleResult(item_id=item_id, agent=agent, why=(why,))
        for item_id, why in (("b", "its text"), ("c", "never enriched"))
        for agent in ALL
    ]


def test_what_the_wanted_version_has_already_is_fresh_although_another_is_current(session: Session) -> None:
    configuration = wanted(prompts=edited("critic"))
    second = version_for(session, configuration.provenance)
    learn(session, second, "a", configuration.provenance)

    assert [(result.item_id, result.agent) for result in stale(session, configuration)] == [("b", "critic")]
    use(session, second)
    assert [result.item_id for result in stale(session, configuration)] == ["b"]
    assert list(stale(session, wanted())) == []  # the first version still has it all


def test_an_item_that_failed_in_the_wanted_version_is_a_failure_and_not_stale(session: Session) -> None:
    configuration = wanted(prompts=edited("critic"))
    second = version_for(session, configuration.provenance)
    save_failure(session, second, drill("a"), "timeout")

    assert [result.item_id for result in stale(session, configuration)] == ["b"]


def test_stale_results_stream_a_page_at_a_time(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memory.staleness.PAGE", 2)
    for number in range(5):
        save_item(session, drill(f"i{number}"))

    assert len(list(stale(session, wanted()))) == 15


def pay(session: Session, item_id: str, agent: str, tokens: int, cost: str | None, run_id: int = 1) -> None:
    usage = Usage(prompt_tokens=tokens, completion_tokens=1)
    made = call(item_id=item_id, cost=Decimal(cost) if cost else None)
    record_call(session, made.model_copy(update={"agent": agent, "usage": usage, "run_id": run_id}))


def test_a_forecast_is_the_mean_of_what_an_item_cost_each_agent(session: Session) -> None:
    for item_id, agent, tokens, cost, run_id in (
        ("a", "critic", 100, "0.1", 1),
        ("a", "critic", 100, "0.1", 1),  # a second round
        ("b", "critic", 200, "0.1", 1),
        ("a", "critic", 100, "0.3", 2),  # another run
        ("drills", "critic", 9000, "9", 1),  # a template: shared, and no item
        ("a", "attribute_extractor", 50, None, 1),
    ):
        pay(session, item_id, agent, tokens, cost, run_id)

    critic = forecast(session, stale(session, wanted(max_revisions=3)))
    both = forecast(session, stale(session, wanted(prompts=edited("attribute_extractor"))))

    [of_critic] = critic.agents
    assert of_critic.items == 2
    assert of_critic.calls == pytest.approx(2 * 4 / 3)
    assert critic.tokens == pytest.approx(2 * 504 / 3)
    assert critic.cost == Decimal("0.4")
    assert both.calls == pytest.approx(2 * 4 / 3 + 2)
    assert both.cost is None  # what the extractor costs is not known


def test_a_forecast_says_what_it_cannot_know(session: Session) -> None:
    told = forecast(session, stale(session, wanted(max_revisions=3)))

    assert [(agent.agent, agent.items, agent.known) for agent in told.agents] == [("critic", 2, False)]
    assert told.calls == 0


def test_nothing_stale_costs_nothing(session: Session) -> None:
    assert forecast(session, []).cost == 0


def test_some_items_are_looked_at_in_the_order_in_which_they_are_named(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.staleness.FEW", 2)
    configuration = wanted(prompts=edited("critic"))

    told = [result.item_id for result in stale_among(session, configuration, ("b", "nowhere", "a"))]

    assert told == ["b", "a"]
    assert list(stale_among(session, wanted(), ("b", "a"))) == []
