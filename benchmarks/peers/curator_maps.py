"""bespokelabs-curator: four LLM blocks over a dataset, one after the other; a block waits for the whole one before it.

Each block writes its requests and its answers to files under the run's own folder, as curator always does.
"""
# It runs in an environment of its own, which mypy does not see.
# mypy: ignore-errors

import os

from measuring import STAGES, Meter, offline_litellm, task_of, task_parser
from pydantic import BaseModel
from questions import question

NO_LIMIT = 1_000_000_000  # requests and tokens a minute: the provider here has none


class Category(BaseModel):
    """The chosen category."""

    category_id: str
    confidence: float


class Claim(BaseModel):
    """One value with its quote."""

    attribute: str
    value: str
    field: str
    quote: str


class Claims(BaseModel):
    """What is claimed."""

    claims: list[Claim]


class Ruling(BaseModel):
    """What the critic says of one claim."""

    claim: str
    decision: str


class Rulings(BaseModel):
    """What the critic says."""

    verdicts: list[Ruling]


class Summary(BaseModel):
    """One sentence."""

    summary: str


ANSWERS = dict(zip(STAGES, (Category, Claims, Rulings, Summary), strict=True))


def block(curator, stage, task):
    """Return the LLM block of one stage."""

    class Block(curator.LLM):
        response_format = ANSWERS[stage]

        def prompt(self, row):
            return question(stage, row["number"], row["earlier"])

        def parse(self, row, answer):
            return {"number": row["number"], "earlier": answer.model_dump_json()}

    limits = {
        "base_url": task.url,
        "api_key": "none",
        "max_concurrent_requests": task.concurrency,
        "max_requests_per_minute": NO_LIMIT,
        "max_tokens_per_minute": NO_LIMIT,
        "max_retries": 0,
        "request_timeout": 60,
    }
    return Block(model_name="bench", backend="openai", backend_params=limits, response_format=ANSWERS[stage])


def mapped(blocks, numbers):
    """Ask the four questions of every product, each with the answer before."""
    rows = [{"number": number, "earlier": ""} for number in numbers]
    for each in blocks:
        answered = each(rows)
        rows = getattr(answered, "dataset", answered)
    return rows


def main():
    """Run once, and print the figures."""
    task, meter = task_of(task_parser(__doc__)), Meter()
    os.environ |= offline_litellm() | {
        "TELEMETRY_ENABLED": "false",
        "CURATOR_CACHE_DIR": str(task.folder / "cache"),
        "HF_DATASETS_CACHE": str(task.folder / "datasets"),
        "HF_HUB_OFFLINE": "1",
        "OPENAI_API_KEY": "none",
    }
    from bespokelabs import curator  # noqa: PLC0415 - it reads the environment

    blocks = [block(curator, stage, task) for stage in STAGES]
    mapped(blocks, [0])
    meter.start()
    results = mapped(blocks, task.product_numbers)
    meter.stop()
    done = sum(1 for row in results if row["earlier"])
    meter.report(done, ["bespokelabs-curator", "litellm"], "4 blocks in sequence, answers in files")


if __name__ == "__main__":
    main()
