"""The floor: nothing but asyncio and aiohttp; four dependent calls an item, no checks, nothing stored."""
# It runs in an environment of its own, which mypy does not see.
# mypy: ignore-errors

import asyncio
import json

import aiohttp
from measuring import STAGES, Meter, task_of, task_parser
from questions import question, schema


async def item(session, url, number):
    """Ask the four questions of one product."""
    earlier = ""
    for stage in STAGES:
        body = {
            "model": "bench",
            "messages": [{"role": "user", "content": question(stage, number, earlier)}],
            "response_format": {"type": "json_schema", "json_schema": {"name": stage, "schema": schema(stage)}},
        }
        async with session.post(f"{url}/chat/completions", json=body) as answer:
            earlier = (await answer.json())["choices"][0]["message"]["content"]
        json.loads(earlier)
    return earlier


async def run(task, meter):
    """Send every product, at most so many at once."""
    numbers = iter(task.product_numbers)
    done = 0

    async def worker(session):
        nonlocal done
        for number in numbers:
            summary = await item(session, task.url, number)
            done += bool(summary)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await item(session, task.url, 0)
        meter.start()
        await asyncio.gather(*(worker(session) for _ in range(task.concurrency)))
        meter.stop()
    return done


if __name__ == "__main__":
    meter = Meter()
    done = asyncio.run(run(task_of(task_parser(__doc__)), meter))
    meter.report(done, ["aiohttp"])
