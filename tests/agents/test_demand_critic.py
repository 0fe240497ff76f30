"""The demand critic: what code refuses, what the model refuses, and what neither rules on."""

from collections.abc import Sequence

import pytest
from pydantic import JsonValue

from agents.answering import Interviewer
from agents.demand_analyst import category_demands
from agents.demand_critic import review_demands
from agents.providers.base import Capabilities
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from memory.demand_space import DemandSpace
from memory.encoder import MiniLmEncoder
from memory.model_call import ModelCall
from memory.relation import Relation
from memory.schema import Claim, Decision, Demand, Reason, Verdict
from memory.taxonomy import starter_taxonomy
from prompts.library import PromptLibrary, default_folder
from tests.agents.made_up_demands import ITEM, TEMPLATE, demand, power

CODE_ONLY = Capabilities(weighs=False)
CONCRETE = demand("drilling into concrete")


@pytest.fixture(scope="module")
def space() -> DemandSpace:
    return DemandSpace.build(starter_taxonomy(), MiniLmEncoder(), None)


def ruled(*rulings: tuple[str, str]) -> ScriptedAnswer:
    listed: list[JsonValue] = [
        {"demand_id": demand_id, "decision": decision, "note": "so it is"} for demand_id, decision in rulings
    ]
    return ScriptedAnswer(agent="demand_critic", answer={"rulings": listed})


async def review(
    *demands: Demand,
    answer: ScriptedAnswer | None = None,
    space: DemandSpace | None = None,
    accepted: Sequence[Claim] = (),
    calls: list[ModelCall] | None = None,
) -> list[Verdict]:
    model = ScriptedModel([answer] if answer else [], capabilities=None if answer else CODE_ONLY)
    return await review_demands(
        ITEM,
        demands,
        TEMPLATE,
        accepted,
        space=space,
        model=Interviewer(model, (lambda call: None) if calls is None else calls.append),
        prompt=PromptLibrary.load(default_folder()).get("demand_critic"),
    )


def told(verdicts: Sequence[Verdict]) -> list[tuple[Decision, Reason, str]]:
    return [(verdict.decision, verdict.reason, verdict.checked_by) for verdict in verdicts]


async def test_a_categorys_own_demands_are_taken_without_a_question() -> None:
    calls: list[ModelCall] = []

    verdicts = await review(*category_demands(TEMPLATE), answer=ruled(), calls=calls)

    assert told(verdicts) == [(Decision.ACCEPT, Reason.SUPPORTED, "code")] * 2
    assert calls == []


async def test_a_demand_that_rests_on_a_refused_claim_is_refused() -> None:
    on_power, on_nothing_known = (demand(f"drilling {n}", rests_on=(claim,)) for n, claim in enumerate("ab"))

    verdicts = await review(on_power, on_nothing_known, accepted=[power("a")])

    assert told(verdicts) == [
        (Decision.ACCEPT, Reason.SUPPORTED, "code"),
        (Decision.REJECT, Reason.UNSUPPORTED, "code"),
    ]
    assert "'b'" in verdicts[1].note


async def test_a_demand_that_its_own_author_doubts_is_refused() -> None:
    verdicts = await review(demand("mixing cake batter", plausibility=0.3))

    assert told(verdicts) == [(Decision.REJECT, Reason.IMPLAUSIBLE, "code")]


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("drilling into concrete", "drilling in concrete walls", Reason.DUPLICATE),
        ("Drilling into concrete", "drilling into CONCRETE", Reason.DUPLICATE),
        ("drilling into concrete", "drilling into wood", Reason.SUPPORTED),
        ("professional electricians", "homeowners doing small repairs", Reason.SUPPORTED),
    ],
)
async def test_of_two_demands_that_say_the_same_the_first_stands(
    first: str, second: str, reason: Reason, space: DemandSpace
) -> None:
    verdicts = await review(demand(first), demand(second), space=space)

    assert [verdict.reason for verdict in verdicts] == [Reason.SUPPORTED, reason]


async def test_what_the_category_says_already_is_a_duplicate(space: DemandSpace) -> None:
    verdicts = await review(*category_demands(TEMPLATE), demand("furniture assembly"), space=space)

    assert [verdict.reason for verdict in verdicts][2:] == [Reason.DUPLICATE]
    assert "assembling furniture" in verdicts[2].note


async def test_the_same_words_in_another_relation_are_another_demand() -> None:
    verdicts = await review(demand("drill bits"), demand("drill bits", Relation.USED_WITH, demand_id="other"))

    assert [verdict.reason for verdict in verdicts] == [Reason.SUPPORTED] * 2


async def test_a_demand_and_its_contrary_do_not_both_stand() -> None:
    verdicts = await review(CONCRETE, demand("drilling into concrete", demand_id="not", positive=False))

    assert [verdict.reason for verdict in verdicts] == [Reason.SUPPORTED, Reason.CONTRADICTION]


async def test_a_refused_demand_makes_no_other_a_duplicate() -> None:
    verdicts = await review(demand("drilling", plausibility=0.1), demand("drilling", demand_id="again"))

    assert [verdict.reason for verdict in verdicts] == [Reason.IMPLAUSIBLE, Reason.SUPPORTED]


@pytest.mark.parametrize("text", ["everyday use", "gift giving", "any kind of occasion", "people of every age"])
async def test_a_demand_that_fits_nearly_every_item_is_generic(text: str, space: DemandSpace) -> None:
    verdicts = await review(demand(text), CONCRETE, space=space)

    assert [verdict.reason for verdict in verdicts] == [Reason.GENERIC, Reason.SUPPORTED]
    assert "which may be wanted of anything" in verdicts[0].note


async def test_a_demand_that_a_third_of_the_other_departments_know_is_generic(space: DemandSpace) -> None:
    verdicts = await review(demand("the living room", Relation.USED_IN), space=space)

    assert verdicts[0].reason is Reason.GENERIC
    assert "of 20 other departments" in verdicts[0].note


async def test_the_model_rules_on_what_a_model_stated_and_code_let_through() -> None:
    calls: list[ModelCall] = []
    far_fetched = demand("stirring soup")
    negative = demand("working under water", Relation.USED_IN, positive=False)
    answer = ruled((CONCRETE.id, "accept"), (far_fetched.id, "reject"), (negative.id, "accept"), ("invented", "accept"))

    verdicts = await review(
        *category_demands(TEMPLATE),
        CONCRETE,
        far_fetched,
        negative,
        demand("x", plausibility=0.1),
        answer=answer,
        calls=calls,
    )

    assert told(verdicts)[2:] == [
        (Decision.ACCEPT, Reason.SUPPORTED, "model"),
        (Decision.REJECT, Reason.IMPLAUSIBLE, "model"),
        (Decision.ACCEPT, Reason.SUPPORTED, "model"),
        (Decision.REJECT, Reason.IMPLAUSIBLE, "code"),
    ]
    question = calls[0].messages[1].content
    assert "- working under water: used_in = 'working under water' (NOT served by it)" in question
    assert "assembling furniture" not in question
    assert "<product-" in question


async def test_a_demand_that_the_model_passes_over_is_rejected() -> None:
    verdicts = await review(CONCRETE, answer=ruled())

    assert told(verdicts) == [(Decision.REJECT, Reason.UNRULED, "model")]


async def test_of_two_rulings_on_one_demand_the_stricter_counts() -> None:
    verdicts = await review(CONCRETE, answer=ruled((CONCRETE.id, "reject"), (CONCRETE.id, "accept")))

    assert told(verdicts) == [(Decision.REJECT, Reason.IMPLAUSIBLE, "model")]
