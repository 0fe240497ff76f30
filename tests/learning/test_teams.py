"""Several processes that train one model take the course of one: the same losses and weights, up to rounding."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from diffusion.config import Bound
from tests.learning import team

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("bound", [Bound.COUNT, Bound.NORMALISED])
def test_two_processes_take_the_course_of_one(tmp_path: Path, bound: Bound) -> None:
    meeting, out = f"file://{tmp_path}/meeting", tmp_path / "together.pt"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    commands = [
        [sys.executable, "-m", "tests.learning.team", str(rank), meeting, bound.value, str(out)] for rank in range(2)
    ]

    processes = [subprocess.Popen(one, cwd=ROOT, env=environment, stderr=subprocess.PIPE) for one in commands]
    said = [process.communicate(timeout=240)[1].decode() for process in processes]
    epochs, weights = team.trained(bound)

    assert [process.returncode for process in processes] == [0, 0], said
    together = torch.load(out, weights_only=True)
    assert np.allclose(together["losses"], [epoch.loss for epoch in epochs], rtol=1e-4)
    assert together["weights"].keys() == weights.keys()
    for name, own in weights.items():
        assert torch.allclose(together["weights"][name], own, atol=1e-3), name  # less than one step of Adam
