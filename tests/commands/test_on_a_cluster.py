"""The heavy commands with `--engine ray`: the same vectors, behaviours and weights as one process makes."""

import os
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from commands.cluster_maps import Cluster
from commands.shared_training import trained_on
from graphs.ray_cluster import connected
from learning.config import TrainingConfig
from learning.training import Epoch
from learning.weights import METRICS, load_weights
from memory.behaviors.generated import GeneratedBehaviors, generated_of
from memory.database import open_existing_database
from memory.item_vectors.vectors import ItemVectors
from tests.commands.command_line import reaseq
from tests.learning.toy_line import trained, trained_until_lost

pytestmark = pytest.mark.ray

PATIENCE = 60.0  # seconds until Ray has told of a process that ended
KB = ("--kb", "sqlite:///shop.db")
CLUSTER = ("--engine", "ray", "--workers", 2)
DIFFUSION = "epochs = 2\nwidth = 16\nlayers = 1\nbatch_size = 32\nnegatives = 0\ndropout = 0.0\n"
RANKER = "[next_item]\ncandidates = 10\nfolds = 2\nepochs = 1\n\n[click_through]\nepochs = 2\n"


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """A cluster of two cores on this machine, which the commands find."""
    with connected(None, cores=2):
        yield


def vectors(name: str) -> ItemVectors:
    with open_existing_database("sqlite:///shop.db") as database, database.session() as session:
        return ItemVectors.load(session, name)


def imagined() -> GeneratedBehaviors:
    with open_existing_database("sqlite:///shop.db") as database, database.session() as session:
        return generated_of(session)


def test_vectors_are_the_same_bit_for_bit(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy("shop.db", "cluster.db")
    monkeypatch.setattr("memory.item_vectors.building.ENCODED_AT_ONCE", 7)

    here = reaseq("vectors", "build", *KB, "--name", "here", "--json")
    there = reaseq("vectors", "build", "--kb", "sqlite:///cluster.db", "--name", "there", *CLUSTER, "--json")

    assert (here.code, there.code) == (0, 0), here.all + there.all
    assert there.document["encoded"] == here.document["encoded"] > 7
    with open_existing_database("sqlite:///cluster.db") as database, database.session() as session:
        found = ItemVectors.load(session, "there")
    assert found.ids == vectors("here").ids
    assert np.array_equal(found.of(found.ids), vectors("here").of(found.ids))


def test_behaviours_are_trained_and_imagined_alike(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("diffusion.toml").write_text(DIFFUSION, encoding="utf-8")
    monkeypatch.setattr("commands.diffusion_generation.AT_ONCE", 20)

    trained = reaseq("diffusion", "train", "--config", "diffusion.toml", *CLUSTER, *KB, "--json")
    ran = [reaseq("diffusion", "generate", *KB)]
    here = imagined()
    ran.append(reaseq("diffusion", "generate", "--again", *CLUSTER, *KB, "--json"))
    there = imagined()

    assert trained.code == 0, trained.all
    assert trained.document["metrics"]["selection NDCG@10"] > 0
    assert [own.code for own in ran] == [0, 0], ran[1].all
    assert there.item == here.item
    assert there.user == here.user
    assert np.array_equal(there.log_p, here.log_p)


def test_two_processes_train_a_ranker_about_as_good(shop: str) -> None:
    Path("ranker.toml").write_text(RANKER, encoding="utf-8")
    settings = ("--config", "ranker.toml", *KB, "--json")

    here = reaseq("ranker", "train", "--out", "here", *settings)
    there = reaseq("ranker", "train", "--out", "there", *CLUSTER, *settings)

    assert (here.code, there.code) == (0, 0), here.all + there.all
    weights = [load_weights(Path(folder) / "click-through") for folder in ("here", "there")]
    assert {name: own.shape for name, own in weights[0].items()} == {
        name: own.shape for name, own in weights[1].items()
    }
    areas = [ran.document["metrics"]["selection AUC"] for ran in (here, there)]
    assert areas[1] == pytest.approx(areas[0], abs=0.1)  # what it draws by itself (dropout) is drawn otherwise
    assert (Path("there") / "click-through" / METRICS).exists()


def test_a_training_goes_on_where_a_process_was_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, marker = TrainingConfig(epochs=4, batch_size=8, learning_rate=0.01), tmp_path / "lost"
    begun: list[int] = []

    def lead() -> list[Epoch]:
        begun.append(1)
        return trained(config, tmp_path)[1]

    epochs = trained_on(Cluster(workers=2), lead, partial(trained_until_lost, config, marker))

    assert marker.exists()
    assert len(begun) == 2
    assert [epoch.number for epoch in epochs] == [0, 1, 2, 3]
    assert "a process of the cluster was lost" in capsys.readouterr().err


def test_stdout_is_left_to_the_command_where_ray_tells_of_a_process(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    import ray  # it reads the environment that `connected` sets

    def ended() -> None:
        os._exit(1)

    with pytest.raises(ray.exceptions.WorkerCrashedError):
        ray.get(ray.remote(max_retries=0)(ended).remote())

    until = time.monotonic() + PATIENCE
    while "Ray: A worker died" not in caplog.text and time.monotonic() < until:
        time.sleep(0.1)

    assert "Ray: A worker died" in caplog.text
    assert capfd.readouterr().out == ""


def test_a_cluster_is_named_with_its_engine_alone(shop: str) -> None:
    ran = reaseq("vectors", "build", "--workers", 2, *KB)

    assert ran.code == 2
    assert "--engine ray" in ran.errors
