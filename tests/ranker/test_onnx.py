"""An exported ranker: the same scores as torch's, for any number of requests, behaviours and candidates."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from learning.config import TrainingConfig
from learning.training import fit
from memory.atomic_file import FileUnwritable
from memory.onnx_session import onnx_session
from ranker.affinity import FEATURES, affinities
from ranker.click_through import Impressions, Ranker, auc_of, standardise
from ranker.impressions import Negatives, events, impressions
from ranker.model import ClickThroughRanker, ClickThroughShape, Requests
from ranker.onnx_export import ExportTooLarge, check_size, export_onnx, feature_names
from ranker.onnx_ranker import ABOUT, OnnxAbout, OnnxRanker, OnnxUnreadable, counts_beside, read_counts
from tests.ranker.shop import ITEMS, brands, two_tastes, vectors

ROOT = Path(__file__).parents[2]
RETRIEVED = 6
LOG = two_tastes()
BLOCKED = ("torch", "polars", "faiss", "safetensors", "onnx", "onnxscript")


@dataclass(frozen=True)
class Exported:
    """A trained ranker and its files."""

    ranker: Ranker
    network: Path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A small ranker that was trained and exported."""
    seen = LOG.without_last(3)
    views = affinities(seen, brands(), ["brand"])
    train, select = (
        Impressions.of(impressions(LOG, seen, events(LOG, last=0, held_out=place), Negatives.UNIFORM, seed=1), views)
        for place in (3, 2)
    )
    torch.manual_seed(0)
    tables = (vectors(), vectors(4))
    sizes = tuple(table.shape[1] for table in tables)
    shape = ClickThroughShape(
        items=ITEMS, features=train.features.shape[2], dimensions=sizes, width=8, hidden=16, retrieved=RETRIEVED
    )
    model = ClickThroughRanker(shape, tables)
    standardise(model, train.features)
    fit(model, train, auc_of(select), TrainingConfig(epochs=4, batch_size=32, learning_rate=5e-3, patience=4))
    ranker = Ranker(model.eval(), views, line=(0.8, -0.3), recent=4)
    network = tmp_path_factory.mktemp("exported") / "clicks.onnx"
    export_onnx(ranker, LOG.items, network)
    return Exported(ranker, network)


@pytest.mark.parametrize(
    ("requests", "behaviours", "candidates"),
    [(1, 1, 1), (1, 3, 40), (3, RETRIEVED, 2), (2, RETRIEVED + 1, 5), (7, 50, 10), (1, 300, 100)],
)
@pytest.mark.parametrize("padded", [0.0, 0.5, 1.0])
def test_its_logits_are_those_of_torch(
    exported: Exported, requests: int, behaviours: int, candidates: int, padded: float
) -> None:
    chance = np.random.default_rng(behaviours)
    history = chance.integers(ITEMS, size=(requests, behaviours))
    history[chance.random(history.shape) < padded] = -1
    offered = chance.integers(ITEMS, size=(requests, candidates))
    features = chance.normal(size=(requests, candidates, exported.ranker.model.config.features)).astype(np.float32)
    feed = {"history": history, "candidates": offered, "features": features}

    logits, chances = onnx_session(exported.network.read_bytes()).run(["logits", "chances"], feed)
    with torch.no_grad():
        true = exported.ranker.model(Requests(*map(torch.from_numpy, (history, offered, features)))).numpy()

    assert logits.shape == (requests, candidates)
    assert np.abs(logits - true).max() < 1e-4
    assert np.allclose(chances, 1 / (1 + np.exp(0.3 - 0.8 * true)), atol=1e-4)
    assert candidates == 1 or true.std() > 0.05  # else anything would be near


@pytest.mark.parametrize("length", [0, 1, 5, 7, 100])
def test_served_with_its_counts_it_scores_as_the_ranker_does(exported: Exported, length: int) -> None:
    history = np.random.default_rng(length).integers(ITEMS, size=length).astype(np.int32)
    everything = np.arange(ITEMS, dtype=np.int32)

    served = OnnxRanker.load(exported.network).score(history, everything)

    assert np.allclose(served, exported.ranker.score(history, everything), atol=1e-5)
    assert served.std() > 0.01


def test_it_is_served_where_neither_torch_nor_another_extra_is_installed(exported: Exported) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.modules.update(dict.fromkeys({BLOCKED!r}))\n"
        "from pathlib import Path; import numpy as np; from ranker.onnx_ranker import OnnxRanker\n"
        "ranker = OnnxRanker.load(Path(sys.argv[1])); row = {id: row for row, id in enumerate(ranker.about.items)}\n"
        "print(*ranker.score(np.array([row['i2'], row['i4']]), np.array([row['i6'], row['i7']])))"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program, exported.network], capture_output=True, text=True, check=False, env=os.environ
    )

    assert ran.returncode == 0, ran.stderr
    history, candidates = np.array([2, 4], dtype=np.int32), np.array([6, 7], dtype=np.int32)
    assert np.allclose(
        [float(word) for word in ran.stdout.split()], exported.ranker.score(history, candidates), atol=1e-5
    )


def test_its_file_says_what_a_server_needs_to_know(exported: Exported) -> None:
    model = onnx.load(exported.network)
    about = OnnxAbout.model_validate_json({own.key: own.value for own in model.metadata_props}[ABOUT])

    shapes = {
        own.name: [axis.dim_param or axis.dim_value for axis in own.type.tensor_type.shape.dim]
        for own in (*model.graph.input, *model.graph.output)
    }

    assert shapes == {
        "history": ["batch", "behaviours"],
        "candidates": ["batch", "candidates"],
        "features": ["batch", "candidates", 3 * len(FEATURES)],
        "logits": ["batch", "candidates"],
        "chances": ["batch", "candidates"],
    }
    assert about.items == LOG.items
    assert about.line == (0.8, -0.3)
    assert about.features == feature_names(exported.ranker.views)
    assert about.features[0] == "item/recent"
    assert about.features[-1] == "brand/popularity"


def test_counts_come_back_as_they_were(exported: Exported) -> None:
    found = read_counts(counts_beside(exported.network))

    for own, true in zip(found, exported.ranker.views, strict=True):
        assert (own.name, own.window, own.decay) == (true.name, true.window, true.decay)
        for name in ("code", "behaviours", "marginal", "pairs", "counts"):
            assert np.array_equal(getattr(own, name), getattr(true, name))
            assert getattr(own, name).dtype == getattr(true, name).dtype


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("clicks.onnx", None, "No such file"),
        ("clicks.onnx", b"not a network", "clicks.onnx' holds no exported ranker"),
        ("clicks.counts.npz", None, "clicks.counts.npz' holds no counts"),
        ("clicks.counts.npz", b"other", "clicks.counts.npz' holds the counts of another export"),
    ],
)
def test_a_file_that_is_missing_or_not_its_own_is_named(
    exported: Exported, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    for path in (exported.network, counts_beside(exported.network)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(OnnxUnreadable, match=reason):
        OnnxRanker.load(tmp_path / "clicks.onnx")


def test_any_other_network_is_no_exported_ranker(exported: Exported, tmp_path: Path) -> None:
    model = onnx.load(exported.network)
    del model.metadata_props[:]
    (tmp_path / "clicks.onnx").write_bytes(model.SerializeToString())

    with pytest.raises(OnnxUnreadable, match="holds no exported ranker"):
        OnnxRanker.load(tmp_path / "clicks.onnx")


def test_a_ranker_of_more_than_a_file_holds_is_refused() -> None:
    with torch.device("meta"):  # sizes without memory
        model = ClickThroughRanker(ClickThroughShape(items=1_000_000, features=0, dimensions=(384, 128)))

    with pytest.raises(ExportTooLarge, match=r"'big.onnx' would hold 2.0 GiB"):
        check_size(model, Path("big.onnx"))


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "clicks.onnx").mkdir()

    with pytest.raises(FileUnwritable, match=r"clicks.onnx"):
        export_onnx(exported.ranker, LOG.items, tmp_path / "clicks.onnx")

    assert [path.name for path in tmp_path.iterdir()] == ["clicks.onnx"]
