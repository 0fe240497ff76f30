"""The systems of benchmarks/diffusion_next_item.py: each is fitted on a log, and gives ten items for a history."""

import hashlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.sequence_sets import LogSet, Rows, Task  # noqa: E402
from diffusion.beam import NextDigit, beam  # noqa: E402
from diffusion.config import DiffusionConfig  # noqa: E402
from diffusion.fitted import fit_autoregressive, fit_diffusion  # noqa: E402
from diffusion.fitting import context_of  # noqa: E402
from diffusion.histories import Histories  # noqa: E402
from diffusion.imagination import Imagination  # noqa: E402
from diffusion.sampler import SamplerConfig, sample  # noqa: E402
from diffusion.tokens import MASK, Tokens  # noqa: E402
from learning.config import TrainingConfig  # noqa: E402
from learning.material import TITLE, Material  # noqa: E402
from learning.training import Epoch  # noqa: E402
from learning.whitening import Whitening  # noqa: E402
from memory.item_vectors.semantic_ids import IdKind, SemanticIds  # noqa: E402
from ranker.floors import ScoresOf, floors_of, sasrec_of  # noqa: E402

TOP = 10
SASREC = TrainingConfig(learning_rate=2e-3, batch_size=128, epochs=40)  # as `reaseq ranker` has it
BEAM_WIDTH = 50
SLOTS, CHAINS = 8, 4
AT_ONCE = 256  # histories

TopOf = Callable[[Task, NDArray[np.bool_]], Tensor]  # questions, barred items -> items [B, TOP], -1: none


@dataclass(frozen=True)
class Kept:
    """Where the models of a set and a seed are kept: a model that two parts ask for is fitted once."""

    folder: Path

    def of(self, *settings: object) -> Path:
        """Return the folder of a model."""
        return self.folder / hashlib.sha256(repr(settings).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class System:
    """A fitted system."""

    top: TopOf
    parameters: int = 0
    about: tuple[tuple[str, float], ...] = ()  # what else is to be told of it


def by_scores(scores: Callable[[Task], NDArray[np.float32]]) -> TopOf:
    """Return the items of the highest scores."""

    def top(task: Task, barred: NDArray[np.bool_]) -> Tensor:
        table = torch.from_numpy(scores(task)).masked_fill(torch.from_numpy(barred), -torch.inf)
        best = table.topk(TOP, dim=1)
        return torch.where(best.values.isneginf(), -1, best.indices)

    return top


def by_histories(scores: ScoresOf) -> TopOf:
    """Return the items of the highest scores of a system that reads items alone."""
    return by_scores(lambda task: scores(task.histories))


def floors(data: LogSet) -> dict[str, System]:
    """Return the simple systems that every model must beat."""
    wanted = ("popularity", "item-kNN", "Markov + kNN + MiniLM")
    return {name: System(by_histories(scores)) for name, scores, _ in floors_of(data.material) if name in wanted}


def sasrec(data: LogSet, seed: int) -> System:
    """Return SASRec; the last behaviour of some users chooses its epoch."""
    learned, choosing = data.for_choosing(seed)

    def chosen(scores: ScoresOf) -> float:
        return judged(System(by_histories(scores)), choosing, len(learned.items))["ndcg"]

    config = SASREC.model_copy(update={"seed": seed})
    return System(by_histories(sasrec_of(data.material.learning_from(learned), chosen, config)))


def masked(material: Material, config: DiffusionConfig, kept: Kept, tokens: Tokens | None = None) -> Imagination:
    """Return the masked diffusion model of an arm of the material."""
    kind = None if tokens is None else tokens.kind
    return fit_diffusion(
        material, config, tokens=tokens, folder=kept.of("masked", material.arm, config, kind), told=_told
    )


def twin(material: Material, config: DiffusionConfig, kept: Kept) -> Imagination:
    """Return the autoregressive model of equal size."""
    return fit_autoregressive(material, config, folder=kept.of("twin", material.arm, config), told=_told)


def of_model(model: Imagination, about: tuple[tuple[str, float], ...] = ()) -> System:
    """Return a model that is asked for the likeliest items after a history."""
    return System(by_model(model), sum(own.numel() for own in model.model.parameters()), about)


def _told(epoch: Epoch) -> None:
    print(f"  epoch {epoch.number}: loss {epoch.loss:.3f}, chosen by {epoch.metric:.4f}", file=sys.stderr, flush=True)


def semantic_tokens(material: Material, kind: IdKind) -> tuple[Tokens, tuple[tuple[str, float], ...]]:
    """Return semantic IDs of the whitened title vectors, and how many items share one."""
    vectors = material.vectors[TITLE]
    ids = SemanticIds.of(material.behaviors.items, Whitening.fit(vectors).apply(vectors), kind=kind)
    about = (("collisions", ids.collision_rate), *((f"perplexity {d}", own) for d, own in enumerate(ids.perplexity)))
    return Tokens.of_semantic_ids(ids.codes, ids.sizes, kind.value), about


def by_model(model: Imagination) -> TopOf:
    """Return the likeliest items after a history: of item tokens by their chances, of semantic IDs by a beam."""
    if model.reading.tokens.length == 1:
        return by_scores(lambda task: _chances(model, task))

    def top(task: Task, barred: NDArray[np.bool_]) -> Tensor:
        rows = histories_of(task, model.config.longest)
        slotted, place = rows.with_slots(rows.lengths.unsqueeze(1))
        digits = model.reading.tokens.of(slotted.item)
        digits[torch.arange(len(place)), place[:, 0]] = MASK
        context = context_of(slotted, slotted.real, model.reading, model.config)
        residual = model.reading.tokens.kind.value == IdKind.RESIDUAL.value
        return beam(
            model.model.eval(),
            digits,
            context,
            place[:, 0],
            model.reading.tokens,
            k=TOP,
            width=BEAM_WIDTH,
            next_digit=NextDigit.FIRST if residual else NextDigit.SUREST,
            excluded=torch.from_numpy(barred),
        ).items

    return top


def by_samples(model: Imagination, steps: int, seed: int) -> TopOf:
    """Return the items that most chains imagine in slots after a history; of equals the one drawn more surely."""

    def top(task: Task, barred: NDArray[np.bool_]) -> Tensor:
        users = len(task.histories)
        every = [row for row in range(users) for _ in range(CHAINS)]
        rows = histories_of(task, model.config.longest - SLOTS).rows(torch.tensor(every))
        slotted, place = rows.with_slots(rows.lengths.unsqueeze(1).expand(-1, SLOTS))
        digits = model.reading.tokens.of(slotted.item)
        digits[torch.arange(len(place)).unsqueeze(1), place] = MASK
        chance = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            drawn = sample(
                lambda own, places: model.predict(slotted, own, places),
                digits,
                model.reading.tokens,
                SamplerConfig(steps=steps),
                chance,
            )
        items = drawn.digits[..., 0].gather(1, place).view(users, -1)
        sure = drawn.log_p[..., 0].gather(1, place).view(users, -1).exp()
        votes = torch.zeros(users, model.reading.tokens.count, dtype=torch.float64)
        votes.scatter_add_(1, items, 1 + sure / (CHAINS * SLOTS + 1))
        best = votes.masked_fill(torch.from_numpy(barred), 0).topk(TOP, dim=1)
        return torch.where(best.values > 0, best.indices, -1)

    return top


def histories_of(task: Task, longest: int) -> Histories:
    """Return the newest behaviours of each history; sets without kinds have the first one, and retail has buys."""
    rows = Histories.of_items(task.histories, longest)
    time = torch.zeros_like(rows.time)
    for row, own in enumerate(task.times):
        newest = own[-longest:]
        time[row, : len(newest)] = torch.from_numpy(newest)
    return Histories(rows.item, time, torch.full_like(rows.kind, task.kind), rows.source)


def _chances(model: Imagination, task: Task) -> NDArray[np.float32]:
    rows = histories_of(task, model.config.longest)
    return model.log_chances(rows, rows.lengths).numpy()


def judged(system: System, task: Task, items: int, most: int | None = None) -> dict[str, float]:
    """Return recall and NDCG at ten, and the milliseconds of CPU a history; of `most` histories drawn once for all."""
    rows = np.arange(len(task.true))
    if most is not None and most < len(rows):
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:most])
    recall, gain, started = [], [], time.process_time()
    for start in range(0, len(rows), AT_ONCE):
        part = task.part(rows[start : start + AT_ONCE].tolist())
        top = system.top(part, _barred(part.histories, task.among, items))
        for true, found in zip(part.true, top.tolist(), strict=True):
            hits = np.isin(found, true)
            best = min(TOP, len(true))
            recall.append(hits.sum() / best)
            gain.append((hits / WEIGHTS).sum() / (1 / WEIGHTS[:best]).sum())
    spent = (time.process_time() - started) / max(1, len(rows))
    return {"recall": float(np.mean(recall)), "ndcg": float(np.mean(gain)), "events": len(rows), "ms": 1000 * spent}


WEIGHTS = np.log2(np.arange(TOP) + 2.0)


def _barred(histories: Sequence[Rows], among: str, items: int) -> NDArray[np.bool_]:
    barred = np.full((len(histories), items), among == "old", dtype=np.bool_)
    if among != "all":
        for row, own in enumerate(histories):
            barred[row, own] = among == "new"
    return barred
