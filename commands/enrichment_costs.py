"""What one item is expected to cost to be made anew, by the agents that would be asked, as the ledger tells."""

from collections.abc import Collection
from decimal import Decimal

from agents.spending.prices import MILLION, Price
from commands.choices import capabilities_of, keyless, model_of
from commands.settings import Settings
from evaluators.enrichment_plan import Cost
from graphs.dependencies import AGENTS
from memory.database import Session
from memory.staleness import AgentForecast, StaleResult, forecast

NOTHING = Cost(tokens=0.0, money=Decimal(0))


def agents_asked(settings: Settings) -> frozenset[str]:
    """Return the agents that ask the settings' model anything; what the others do costs nothing."""
    able = capabilities_of(settings, model_of(keyless(settings)))
    return frozenset(needs.agent for needs in AGENTS if able.asked_by(needs.agent))


def agent_costs(session: Session, agents: Collection[str], price: Price | None) -> dict[str, Cost]:
    """Return what each of these agents cost of one item lately, on average, at the present price where it is known.

    An agent that was never asked is left out.
    """
    one_each = [StaleResult(item_id="", agent=agent, why=()) for agent in sorted(agents)]
    return {one.agent: _cost(one, price) for one in forecast(session, one_each).agents if one.known}


def _cost(agent: AgentForecast, price: Price | None) -> Cost:
    tokens = agent.prompt_tokens + agent.completion_tokens
    if price is None:
        return Cost(tokens=tokens, money=agent.cost)
    prompt, answer = Decimal(agent.prompt_tokens), Decimal(agent.completion_tokens)
    return Cost(tokens=tokens, money=(prompt * price.input + answer * price.output) / MILLION)
