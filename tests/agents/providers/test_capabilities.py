"""What is left of a model's capabilities where agents go without it."""

import pytest

from agents.providers.base import Capabilities


def test_each_agent_gives_up_what_it_needs_a_model_for() -> None:
    left = Capabilities().without(["critic", "attribute_extractor"])

    assert left == Capabilities(judges=False, proposes=False, picks=False)
    assert left.without([]) == left


def test_demands_and_claims_go_without_a_model_apart_from_each_other() -> None:
    left = Capabilities().without(["demand_analyst", "demand_critic"])

    assert left == Capabilities(supposes=False, weighs=False)


def test_what_a_model_could_not_do_it_still_cannot() -> None:
    assert not Capabilities(classifies=False).without(["critic"]).classifies


def test_an_agent_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError, match="cook"):
        Capabilities().without(["cook"])
