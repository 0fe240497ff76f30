"""Minimising a smooth function of many variables: L-BFGS with a backtracking line search.

Nocedal & Wright, Numerical Optimization, algorithms 7.4 and 3.1. Written here because SciPy would double what the
student needs to be trained.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from agents.student.sparse_rows import Floats

Objective = Callable[[Floats], tuple[float, Floats]]

REMEMBERED = 6  # steps
_SUFFICIENT = 1e-4
_SHORTEST = 1e-8


@dataclass(frozen=True)
class Step:
    """Where the minimisation stands."""

    number: int
    loss: float
    point: Floats


def minimise(objective: Objective, start: Floats, most_steps: int, tolerance: float = 1e-4) -> Iterator[Step]:
    """Yield one `Step` each; ends after `most_steps`, or where a step gains less than `tolerance` of the loss.

    `objective` returns value and gradient, the latter float32 of the point's shape.
    """
    point, (loss, gradient) = start, objective(start)
    memory: deque[tuple[Floats, Floats]] = deque(maxlen=REMEMBERED)
    for number in range(1, most_steps + 1):
        direction = -_scaled(gradient, memory)
        if float(direction @ gradient) >= 0:  # rounding has spoilt the memory
            memory.clear()
            direction = -_scaled(gradient, memory)
        before = loss
        new_point, loss, new_gradient = _searched(objective, point, loss, direction, float(direction @ gradient))
        change = (new_point - point, new_gradient - gradient)
        if float(change[0] @ change[1]) > 1e-10:
            memory.append(change)
        point, gradient = new_point, new_gradient
        yield Step(number, loss, point)
        if before - loss < tolerance * max(1.0, abs(loss)):
            return


def _scaled(gradient: Floats, memory: deque[tuple[Floats, Floats]]) -> Floats:
    """Return the gradient times the approximate inverse Hessian."""
    if not memory:
        shorter: Floats = gradient / np.float32(max(1.0, float(np.abs(gradient).sum()) ** 0.5))
        return shorter
    result, weights = gradient.copy(), []
    for step, change in reversed(memory):
        weight = float(step @ result) / float(step @ change)
        weights.append(weight)
        result -= weight * change
    step, change = memory[-1]
    result *= float(step @ change) / float(change @ change)
    for (step, change), weight in zip(memory, reversed(weights), strict=True):
        result += (weight - float(change @ result) / float(step @ change)) * step
    return result


def _searched(
    objective: Objective, point: Floats, loss: float, direction: Floats, slope: float
) -> tuple[Floats, float, Floats]:
    """Return point, loss and gradient after the longest of the steps 1, 1/2, 1/4 … that gains enough."""
    length = 1.0
    while True:
        tried = point + np.float32(length) * direction
        new_loss, gradient = objective(tried)
        if new_loss <= loss + _SUFFICIENT * length * slope or length < _SHORTEST:
            return tried, new_loss, gradient
        length /= 2
