"""How long each part of the work takes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from commands.output import say
from evaluators.impact.report import Step


class Stopwatch:
    """Times steps one after the other; CPU seconds are those of this process."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done while this is entered, and say that it begins."""
        say(f"{name} …")
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.steps.append(Step(name=name, seconds=time.perf_counter() - wall, cpu_seconds=time.process_time() - cpu))
