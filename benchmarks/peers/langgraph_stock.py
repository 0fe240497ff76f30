"""LangGraph with ChatOpenAI.with_structured_output and `abatch`, as its documentation has it; nothing is stored."""
# It runs in an environment of its own, which mypy does not see.
# mypy: ignore-errors

import asyncio
from typing import Literal, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph
from measuring import STAGES, Meter, task_of, task_parser
from pydantic import BaseModel
from questions import question


class Category(BaseModel):
    """The chosen category."""

    category_id: Literal["kitchen.water-bottles", "kitchen.cups", "kitchen.jugs"]
    confidence: float


class Claim(BaseModel):
    """One value with its quote."""

    attribute: str
    value: str
    field: str
    quote: str
    confidence: float


class Claims(BaseModel):
    """What is claimed."""

    claims: list[Claim]


class Ruling(BaseModel):
    """What the critic says of one claim."""

    claim: str
    decision: Literal["accept", "revise", "reject"]


class Rulings(BaseModel):
    """What the critic says."""

    verdicts: list[Ruling]


class Summary(BaseModel):
    """One sentence."""

    summary: str


ANSWERS = dict(zip(STAGES, (Category, Claims, Rulings, Summary), strict=True))


class State(TypedDict, total=False):
    """One product on its way."""

    number: int
    earlier: str


def build(url):
    """Return the compiled graph of four nodes."""
    chat = ChatOpenAI(model="bench", base_url=url, api_key="none", temperature=0, max_retries=0)
    graph = StateGraph(State)
    before = START
    for stage, answer_type in ANSWERS.items():
        graph.add_node(stage, node(stage, chat.with_structured_output(answer_type)))
        graph.add_edge(before, stage)
        before = stage
    return graph.compile()


def node(stage, model):
    """Return one node: asks its question, and passes the answer on."""

    async def ask(state: State) -> State:
        answer = await model.ainvoke(question(stage, state["number"], state.get("earlier", "")))
        return {"earlier": answer.model_dump_json()}

    return ask


async def run(task, meter):
    """Send every product through the graph."""
    graph = build(task.url)
    await graph.ainvoke({"number": 0})
    products = [{"number": number} for number in task.product_numbers]
    meter.start()
    results = await graph.abatch(products, {"max_concurrency": task.concurrency})
    meter.stop()
    return sum(1 for result in results if result["earlier"])


if __name__ == "__main__":
    meter = Meter()
    done = asyncio.run(run(task_of(task_parser(__doc__)), meter))
    meter.report(done, ["langgraph", "langchain-openai", "openai"])
