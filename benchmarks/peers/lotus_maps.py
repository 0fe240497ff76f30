"""lotus-ai: four `sem_map` operations over a data frame, one after the other; a map waits for the whole one before it.

A map's answer is free text: lotus holds it to no schema. Nothing is stored.
"""
# It runs in an environment of its own, which mypy does not see.
# mypy: ignore-errors

import os

from measuring import STAGES, Meter, offline_litellm, task_of, task_parser
from products import product_text
from questions import QUESTIONS


def mapped(products):
    """Ask the four questions of every product, each with the answer before."""
    before = "product"
    for stage in STAGES:
        text = QUESTIONS[stage].replace("{earlier}", "{" + before + "}")
        products = products.sem_map(text, suffix=stage)
        before = stage
    return products


def main():
    """Run once, and print the figures."""
    task, meter = task_of(task_parser(__doc__)), Meter()
    os.environ |= offline_litellm()
    import lotus  # noqa: PLC0415 - it reads the environment
    import pandas as pd  # noqa: PLC0415
    from lotus.models import LM  # noqa: PLC0415

    model = LM(model="openai/bench", api_base=task.url, api_key="none", max_batch_size=task.concurrency, max_tokens=512)
    lotus.settings.configure(lm=model)
    mapped(pd.DataFrame({"product": [product_text(0)]}))
    products = pd.DataFrame({"product": [product_text(number) for number in task.product_numbers]})
    meter.start()
    results = mapped(products)
    meter.stop()
    meter.report(int(results[STAGES[-1]].astype(bool).sum()), ["lotus-ai", "litellm"], "4 maps in sequence, no schema")


if __name__ == "__main__":
    main()
