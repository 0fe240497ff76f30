"""docetl: a pipeline of four map operations with output schemas; a map waits for the whole one before it.

An answer comes as a tool call. The results are written to one JSON file at the end; its cache is off.
"""
# It runs in an environment of its own, which mypy does not see.
# mypy: ignore-errors

import json
import os

from measuring import STAGES, Meter, offline_litellm, task_of, task_parser
from products import product_text
from questions import QUESTIONS

OUTPUTS = {
    "category": {"category_id": "string", "confidence": "number"},
    "extraction": {"claims": "list[{attribute: string, value: string, field: string, quote: string}]"},
    "critic": {"verdicts": "list[{claim: string, decision: string}]"},
    "summary": {"summary": "string"},
}
EARLIER = dict(zip(STAGES[1:], ("category_id", "claims", "verdicts"), strict=True))


def operation(stage):
    """Return one map operation."""
    text = QUESTIONS[stage].replace("{product}", "{{ input.product }}")
    text = text.replace("{earlier}", "{{ input." + EARLIER.get(stage, "product") + " }}")
    return {"name": stage, "type": "map", "prompt": text, "output": {"schema": OUTPUTS[stage]}, "bypass_cache": True}


def pipeline(task, name, numbers):
    """Return the pipeline over some products, which are written to a file first."""
    source, target = task.folder / f"{name}.json", task.folder / f"{name}_out.json"
    source.write_text(json.dumps([{"product": product_text(number)} for number in numbers]), encoding="utf-8")
    return {
        "default_model": "openai/bench",
        "default_lm_api_base": task.url,
        "bypass_cache": True,
        "datasets": {"products": {"type": "file", "path": str(source)}},
        "operations": [operation(stage) for stage in STAGES],
        "pipeline": {
            "steps": [{"name": "all", "input": "products", "operations": list(STAGES)}],
            "output": {"type": "file", "path": str(target)},
        },
    }


def main():
    """Run once, and print the figures."""
    task, meter = task_of(task_parser(__doc__)), Meter()
    os.environ |= offline_litellm() | {
        "OPENAI_API_BASE": task.url,
        "OPENAI_API_KEY": "none",
        "DOCETL_HOME_DIR": str(task.folder),
    }
    from docetl.runner import DSLRunner  # noqa: PLC0415 - it reads the environment

    DSLRunner(pipeline(task, "first", [0]), max_threads=task.concurrency).load_run_save()
    runner = DSLRunner(pipeline(task, "products", task.product_numbers), max_threads=task.concurrency)
    meter.start()
    runner.load_run_save()
    meter.stop()
    results = json.loads((task.folder / "products_out.json").read_text(encoding="utf-8"))
    meter.report(sum(1 for result in results if result["summary"]), ["docetl", "litellm"], "4 maps in sequence")


if __name__ == "__main__":
    main()
