"""How many of the simulated shoppers' hidden leaf categories anybody could find: a network told the truth of others.

    python benchmarks/simulated_ceiling.py --kb URL [--shoppers 2000] [--others 400000] [--epochs 6] [--seed 0]

A system of the beyond-log benchmark sees what `--shoppers` simulated shoppers did in the shop. Here a network sees, of
`--others` more shoppers of the same demand graph, what they did and, which no shop knows, what they buy elsewhere; it
learns to tell the one by the other, and is asked about the first shoppers: an estimate, from below, of what an ideal
reasoner over the same histories recalls. Read are the events, sessions and purchases of each leaf category, not which
items nor in which order. The figure of each epoch is told, on 5,000 of the others who are not learned from, and on the
shoppers who are asked. Beside it stands what cosines of categories find (the control "category-CF"), counted over
the shoppers alone and over as many of the others as are named by `--counted`. --kb: the knowledge base that shoppers
walk in; that of docs/beyond-log.md is made by `benchmarks/beyond_log.py --sets simulator` (industrial.db).
"""

import argparse
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from commands.settings import Settings  # noqa: E402
from commands.simulate import stock  # noqa: E402
from evaluators.shoppers.demand_graph import draw_demand_graph  # noqa: E402
from evaluators.shoppers.shop import Shop  # noqa: E402
from evaluators.shoppers.shopper import draw_shopper  # noqa: E402
from evaluators.shoppers.walk import Walk  # noqa: E402

EVENTS, HIDDEN = 30, 0.25  # of `reaseq simulate`
FEWEST_EVENTS = 4
BEST = 10
WIDTH, BATCH, RATE = 768, 512, 2e-3
HELD_BACK = 5000


class Shoppers(NamedTuple):
    """What was seen of shoppers, and what they buy elsewhere; who shows or hides nothing is left out."""

    seen: Tensor  # [shoppers, 3 * categories]: ln(1 + .) of events, sessions and purchases
    hidden: Tensor  # [shoppers, categories]

    @property
    def has(self) -> Tensor:
        """Which categories each has been seen in, [shoppers, categories]."""
        return self.seen[:, : self.hidden.shape[1]] > 0

    def rows(self, start: int, end: int) -> "Shoppers":
        """Return some of them."""
        return Shoppers(self.seen[start:end], self.hidden[start:end])


def walked(shop: Shop, seed: int, numbers: range) -> Shoppers:
    """Let shoppers walk as `reaseq simulate` does."""
    graph = draw_demand_graph(shop, np.random.default_rng(seed))
    seen = np.zeros((len(numbers), 3, len(shop.categories)), np.float32)
    hidden = np.zeros((len(numbers), len(shop.categories)), np.bool_)
    for row, number in enumerate(numbers):
        chance = np.random.default_rng([seed, number])
        shopper = draw_shopper(shop, graph, HIDDEN, chance)
        count = max(FEWEST_EVENTS, round(chance.gamma(2, EVENTS / 2)))
        visits: set[tuple[int, int]] = set()
        for event in Walk(shop, graph, shopper, chance).events(count):
            category = int(shop.category[event.item])
            if category not in shopper.elsewhere:
                seen[row, 0, category] += 1
                seen[row, 2, category] += event.kind == "buy"
                visits.add((category, event.session))
        for category, _ in visits:
            seen[row, 1, category] += 1
        hidden[row, list(shopper.elsewhere)] = True
    scored = seen[:, 0].any(axis=1) & hidden.any(axis=1)
    flat = np.log1p(seen[scored]).reshape(int(scored.sum()), -1)
    return Shoppers(torch.from_numpy(flat), torch.from_numpy(hidden[scored]))


def recalled(scores: Tensor, asked: Shoppers) -> float:
    """Return the mean share of hidden categories among the ten best that are not visible."""
    best = scores.masked_fill(asked.has, -torch.inf).topk(BEST, dim=1).indices
    return float((asked.hidden.gather(1, best).sum(dim=1) / asked.hidden.sum(dim=1)).mean())


def by_cosines(counted: Tensor, asked: Shoppers) -> float:
    """Return the recall of cosines between categories over users [users, categories]."""
    own = counted.float()
    both = own.T @ own
    length = both.diag().clamp(min=1).sqrt()
    cosine = (both / length / length.unsqueeze(1)).fill_diagonal_(0)
    return recalled(asked.has.float() @ cosine, asked)


def taught(others: Shoppers, asked: Shoppers, epochs: int, seed: int) -> None:
    """Teach a network what others buy elsewhere, and tell after each epoch what it finds."""
    torch.manual_seed(seed)
    held, learned = others.rows(0, HELD_BACK), others.rows(HELD_BACK, len(others.seen))
    parts: list[nn.Module] = []
    for width in (learned.seen.shape[1], WIDTH):
        parts += [nn.Linear(width, WIDTH), nn.ReLU(), nn.Dropout(0.1)]
    network = nn.Sequential(*parts, nn.Linear(WIDTH, learned.hidden.shape[1]))
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-4)
    steps = epochs * -(-len(learned.seen) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for epoch in range(epochs):
        network.train()
        for rows in torch.split(torch.randperm(len(learned.seen)), BATCH):
            logits = network(learned.seen[rows])
            loss = nn.functional.binary_cross_entropy_with_logits(logits, learned.hidden[rows].float())
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.no_grad():
            found = [recalled(network(own.seen), own) for own in (held, asked)]
        print(
            f"epoch {epoch}: category recall@{BEST} of others held back {found[0]:.4f}, of those asked {found[1]:.4f}",
            flush=True,
        )


def main() -> None:
    """Print the figures."""
    given = _arguments()
    torch.set_num_threads(1)
    shop, started = Shop.of(stock(Settings(kb=given.kb))), time.process_time()
    asked = walked(shop, given.seed, range(given.shoppers))
    others = walked(shop, given.seed, range(given.shoppers, given.shoppers + given.others))
    told = f"{len(shop.categories)} leaf categories, {len(asked.seen)} shoppers asked, {len(others.seen)} others"
    print(f"{told}; simulated in {time.process_time() - started:.0f} CPU-s", flush=True)
    for more in (0, *given.counted):
        counted = torch.cat([asked.has, others.has[:more]])
        print(f"cosines of categories, counted over {len(counted)}: {by_cosines(counted, asked):.4f}", flush=True)
    taught(others, asked, given.epochs, given.seed)
    print(f"{time.process_time() - started:.0f} CPU-s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kb", required=True)
    parser.add_argument("--shoppers", type=int, default=2000)
    parser.add_argument("--others", type=int, default=400_000)
    parser.add_argument("--counted", type=int, nargs="*", default=[20_000, 200_000])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
