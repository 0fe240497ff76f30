"""Fitting a model of behaviour sequences: what a batch hides, its loss, and what chooses the epoch."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from diffusion.config import Attention, DenoiserShape, DiffusionConfig, Family
from diffusion.corruption import Hidden, Rows, corrupted, hide
from diffusion.denoiser import Context, Denoiser, Places
from diffusion.evidence import Compared
from diffusion.histories import Histories
from diffusion.kinship import MOST, Kin, Lore, categories_of
from diffusion.losses import bounded, digit_losses, sampled_losses
from diffusion.reading import Reading
from learning.counting import Log, neighbours, transitions
from learning.links import Links
from learning.training import Rows as BatchRows

FLATTENED = 0.75  # the power of a code's count at which it is drawn


@dataclass(eq=False)
class HiddenItems:
    """Examples for `learning.training.fit`: behaviours with some digits hidden, and what stood there."""

    histories: Histories
    reading: Reading
    config: DiffusionConfig
    model: Denoiser
    epoch: int = 0
    chances: list[Tensor] = field(init=False)
    weights: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.lengths = self.histories.lengths
        self.folds = folds_of(len(self.lengths), self.config)
        self.spans = self.histories.spans()
        self.chances = code_chances(self.histories, self.reading)
        self.weights = code_weights(self.histories, self.reading, self.config.balance)

    def batches(self, epoch: int, seed: int, size: int) -> Sequence[BatchRows]:
        """Return an epoch's batches in random order; each holds sequences of nearly one length."""
        self.epoch = epoch
        return length_batches(self.lengths, self.folds, epoch, seed, size)

    def loss(self, model: nn.Module, rows: BatchRows, device: torch.device) -> Tensor:
        """Return the loss of these rows; what is hidden is drawn from torch's own generator."""
        return self.part_loss(model, rows, np.arange(len(rows)), device)

    def part_loss(self, model: nn.Module, rows: BatchRows, own: BatchRows, device: torch.device) -> Tensor:
        """Return what the places `own` of a batch add to its loss; what is hidden is drawn for the whole batch."""
        chosen, part = torch.from_numpy(rows), torch.from_numpy(own)
        batch = self.histories.rows(chosen)
        every = self._hidden(chosen, batch, self.reading.tokens.of(batch.item))
        histories = batch.rows(part)
        digits = self.reading.tokens.of(histories.item)
        hidden = Hidden(every.digits[part][:, : digits.shape[1]], every.weight[part], every.family[part])
        context = context_of(histories, ~hidden.digits.any(dim=2), self.reading, self.config)
        context = replace(context, fold=int(self.folds[rows[0]]))
        if torch.rand(()) < self.config.without_demands:
            context = context.without_demands()
        places = Places(*hidden.digits.any(dim=2).nonzero(as_tuple=True))
        true = digits[places.row, places.place]
        compared = self._compared(true)
        logits = model(
            corrupted(digits, hidden.digits).to(device),
            context.to(device),
            Places(*(one.to(device) for one in places)),
            None if compared is None else [Compared(*(one.to(device) for one in codes)) for codes in compared],
            kinds=True,
        )
        losses = torch.stack([self._losses(logits[d], true[:, d], compared, d) for d in range(true.shape[1])], dim=1)
        barred = self._seen_categories(histories, hidden, places) if len(logits) > true.shape[1] else None
        losses = losses + category_losses(logits, true, self.reading.group, barred)
        asked, weights = weights_of(hidden)
        whole = None if len(own) == len(rows) else weights_of(every)[1].sum().to(device)
        return bounded(losses[asked.to(device)], weights.to(device), len(rows), self.config.bound, whole)

    def _hidden(self, chosen: Tensor, histories: Histories, digits: Tensor) -> Hidden:
        group = torch.where(histories.real, self.reading.group[histories.item.clamp(min=0)], -1)
        rows = Rows(digits, group, self.spans[chosen][:, : digits.shape[1]])
        share = min(1.0, self.epoch / self.config.annealing)
        chances = self.config.families.towards(self.config.families_end, share)

        def sureness(hidden: Tensor) -> Tensor:
            return _sureness(self.model, digits, histories.context(~hidden.any(dim=2)), hidden)

        return hide(
            rows,
            chances,
            torch.default_generator,
            bound=self.config.bound,
            sureness=sureness if chances[Family.ON_POLICY] else None,
        )

    def _seen_categories(self, histories: Histories, hidden: Hidden, places: Places) -> Tensor:
        """Return the visible categories of rows that hide whole ones, [K, C]: what is hidden there is none of them."""
        visible = torch.where(hidden.digits.any(dim=2), -1, histories.item)
        has = categories_of(visible, self.reading.group).bool()
        has &= (hidden.family == list(Family).index(Family.CATEGORY)).unsqueeze(1)
        return has[places.row]

    def _compared(self, true: Tensor) -> list[Compared] | None:
        """Return the codes that a batch compares; None where all of them are."""
        if not self.config.negatives:
            return None
        return [
            Compared(true[:, digit], torch.multinomial(chance, self.config.negatives, replacement=True))
            for digit, chance in enumerate(self.chances)
        ]

    def _losses(self, logits: Tensor, true: Tensor, compared: list[Compared] | None, digit: int) -> Tensor:
        weights = self.weights[digit][true].to(logits.device)
        if compared is None:
            return digit_losses(logits, true.to(logits.device)) * weights
        drawn, chance = compared[digit].shared.to(logits.device), self.chances[digit].to(logits.device)
        return sampled_losses(logits, true.to(logits.device), drawn, chance) * weights


def weights_of(hidden: Hidden) -> tuple[Tensor, Tensor]:
    """Return which digits of the places with hidden ones are hidden [K, L], and the weight of each of these."""
    row, place = hidden.digits.any(dim=2).nonzero(as_tuple=True)
    asked = hidden.digits[row, place]
    return asked, hidden.weight[row].unsqueeze(1).expand(asked.shape)[asked]


def category_losses(logits: list[Tensor], true: Tensor, group: Tensor, barred: Tensor | None = None) -> Tensor:
    """Return -ln p [K, 1] of the categories of true items [K, L], 0 where none are told apart.

    `barred` [K, C] are categories of which it is known that they are not it; where one is it after all, none is.
    """
    if len(logits) == true.shape[1]:
        return torch.zeros(len(true), 1)
    told, column = logits[-1], group[true[:, 0]]
    column = torch.where(column < 0, told.shape[1] - 1, column).to(told.device)
    if barred is not None:
        barred = torch.nn.functional.pad(barred, (0, 1)).to(told.device)
        barred &= ~barred.gather(1, column.unsqueeze(1))
        told = told.masked_fill(barred, -torch.inf)
    return digit_losses(told, column).unsqueeze(1)


def code_chances(histories: Histories, reading: Reading) -> list[Tensor]:
    """Return with which chance the codes of each digit are drawn as negatives: by their flattened counts."""
    counts = [count**FLATTENED for count in _counts(histories, reading)]
    return [count / count.sum() for count in counts]


def code_weights(histories: Histories, reading: Reading, balance: float) -> list[Tensor]:
    """Return what the codes of each digit count in the loss: their numbers to the power of -balance, 1 in the mean.

    The mean is over behaviours. With 0 all behaviours count alike, with 1 all codes (compare Cui et al., 1901.05555).
    """
    counts = _counts(histories, reading)
    weights = [count.clamp(min=1) ** -balance for count in counts]
    return [own * count.sum() / (own * count).sum() for own, count in zip(weights, counts, strict=True)]


def _counts(histories: Histories, reading: Reading) -> list[Tensor]:
    digits = reading.tokens.of(histories.item[histories.real])
    sizes = enumerate(reading.tokens.sizes)
    return [torch.bincount(digits[:, place], minlength=size).float() for place, size in sizes]


def length_batches(lengths: Tensor, folds: NDArray[np.int64], epoch: int, seed: int, size: int) -> list[BatchRows]:
    """Return row numbers in batches of one fold and nearly one length, in an order that the epoch and the seed draw."""
    chance = np.random.default_rng((seed, epoch))
    order = np.lexsort((lengths.numpy() + chance.random(len(lengths)), folds))
    ends = np.cumsum(np.bincount(folds[order]))
    parts = [
        order[start : min(start + size, end)]
        for first, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)
        for start in range(first, end, size)
    ]
    return [parts[place] for place in chance.permutation(len(parts))]


def folds_of(rows: int, config: DiffusionConfig) -> NDArray[np.int64]:
    """Return the fold of each row, from 1; 0 where company is not looked up."""
    return 1 + np.arange(rows) % config.folds if config.folds else np.zeros(rows, dtype=np.int64)


def company_of(histories: Histories, items: int, config: DiffusionConfig) -> list[tuple[Links, ...]]:
    """Return which items stand beside, after and before which: in all rows, then in all folds but each; [] for none."""
    if not config.folds:
        return []
    lengths, item = histories.lengths, histories.item[histories.real]
    log = Log(torch.cat([torch.zeros(1, dtype=torch.long), lengths.cumsum(0)]), item, items)
    folds = torch.from_numpy(folds_of(len(lengths), config))
    logs = [log.of_users(folds != fold) for fold in range(config.folds + 1)]
    return [(neighbours(own), transitions(own), transitions(own, backwards=True)) for own in logs]


def lore_of(histories: Histories, reading: Reading, config: DiffusionConfig) -> Lore | None:
    """Return what is known of categories, and which go together: in all rows, then in all folds but each."""
    lore = Lore(reading.group, reading.ties)
    if not config.categories or reading.tokens.length > 1 or not 1 < lore.categories <= MOST:
        return None
    if not config.folds:
        return lore
    folds = torch.from_numpy(folds_of(len(histories.item), config))
    kin = [Kin.of(histories.item[folds != fold], reading.group) for fold in range(config.folds + 1)]
    return replace(lore, kin=tuple(kin))


def context_of(histories: Histories, visible: Tensor, reading: Reading, config: DiffusionConfig) -> Context:
    """Return what stands beside the items, and the demands that the visible ones speak for."""
    context = histories.context(visible)
    if reading.demands is None or not config.demands:
        return context
    vectors, known = reading.demands.of(torch.where(visible, histories.item, -1), config.demands)
    return Context(context.gap, context.kind, context.source, vectors, known)


def shape_of(reading: Reading, config: DiffusionConfig, attention: Attention, lore: Lore | None) -> DenoiserShape:
    """Return the size of the model that a reading and a config ask for; the twin reads no demands."""
    demands = reading.demands is not None and config.demands > 0 and attention is Attention.BOTH
    return DenoiserShape(
        sizes=reading.tokens.sizes,
        vectors=tuple(own.shape[1] for own in reading.known.vectors),
        features=reading.known.features,
        demands=reading.demands.vectors.shape[1] if demands and reading.demands is not None else 0,
        width=config.width,
        layers=config.layers,
        heads=config.heads,
        categories=0 if lore is None else lore.categories,
        ties=0 if lore is None else len(lore.ties),
        company=config.folds > 0,
        dropout=config.dropout,
        attention=attention,
    )


@torch.no_grad()
def _sureness(model: Denoiser, digits: Tensor, context: Context, hidden: Tensor) -> Tensor:
    """Return the chance that the model gives to each hidden true digit, [B, N, L]; 1 where nothing is hidden."""
    was = model.training
    model.eval()
    places = Places(*hidden.any(dim=2).nonzero(as_tuple=True))
    logits = model(corrupted(digits, hidden), context, places)
    true = digits[places.row, places.place]
    sure = torch.ones(digits.shape)
    for digit, own in enumerate(logits):
        chance = torch.softmax(own, dim=1).gather(1, true[:, digit : digit + 1])[:, 0]
        sure[places.row, places.place, digit] = chance
    model.train(was)
    return torch.where(hidden, sure, 1.0)
