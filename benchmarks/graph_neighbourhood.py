"""What one neighbourhood of the knowledge graph costs, and how that grows with the catalog: it should not.

    python benchmarks/graph_neighbourhood.py [--sizes 1000 10000] [--hops 2] [--width 12] [--out FILE]

Makes knowledge bases of synthetic items, whose most common value every tenth item has and whose newest tenth was made
anew by a second version, and walks around the same number of items of each. CPU milliseconds are those of the process,
the median of all walks; the ratio is to the smallest catalog. "whole graph" is what a walk replaces: all of it, read
once, in catalogs of at most 10,000 items.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from memory.category import CategoryChoice  # noqa: E402
from memory.database import Database, open_database  # noqa: E402
from memory.knowledge_graph.graph import graph_of  # noqa: E402
from memory.knowledge_graph.lookup import find_node  # noqa: E402
from memory.knowledge_graph.neighbourhood import Neighbourhood, neighbourhood  # noqa: E402
from memory.knowledge_graph.nodes import ItemNode, Node, ValueNode  # noqa: E402
from memory.knowledge_graph.stored import StoredGraph  # noqa: E402
from memory.model_call import Usage  # noqa: E402
from memory.schema import CatalogItem, Claim, Decision, Enrichment, Provenance, Reason, Verdict  # noqa: E402
from memory.store import enrichments, replace_enrichments, save_items  # noqa: E402
from memory.versions import use, version_for  # noqa: E402

Figures = dict[str, object]

WALKS = 20  # around different items of a catalog
PAGE = 500
WHOLE = 10_000  # items up to which the whole graph is read too
MADE = Provenance(
    prompts=(), model="none", parameters="{}", taxonomy_version="1", encoder="none", code_version="1", max_revisions=0
)


def made_up(number: int, provenance: Provenance) -> tuple[CatalogItem, Enrichment]:
    """Return an item with five values: two that many items have, two that some have, one of its own."""
    values = {
        "color": f"color{number % 10}",
        "material": f"material{number % 7}",
        "brand": f"brand{number % 211}",
        "size": f"{number % 97}",
        "model": f"model{number}",
    }
    item = CatalogItem(id=f"I{number:07}", title=" ".join(values.values()))
    claims = []
    for place, (name, value) in enumerate(values.items()):
        start = item.title.index(value)
        evidence = {"field": "title", "start": start, "end": start + len(value), "quote": value}
        said = {"name": name, "value": value, "normalized": value, "source": "text", "evidence": evidence}
        content = {**said, "id": f"c{place}", "confidence": 0.9, "producer": "rule"}
        claims.append(Claim.model_validate(content, context={"item": item}))
    return item, _enrichment(item, tuple(claims), f"category{number % 40}", provenance)


def filled(database: Database, items: int) -> None:
    """Store a catalog in one version, and its last tenth once more in another, which is the current one."""
    newer = MADE.model_copy(update={"model": "newer"})
    for provenance, first in ((MADE, 0), (newer, items - items // 10)):
        with database.writing() as session:
            version = version_for(session, provenance)
            for start in range(first, items, PAGE):
                pairs = [made_up(number, provenance) for number in range(start, min(start + PAGE, items))]
                save_items(session, [item for item, _ in pairs])
                replace_enrichments(session, [(version, *pair) for pair in pairs])
            use(session, version)


def measured(database: Database, items: int, options: argparse.Namespace) -> Figures:
    """Return what walks around items and around the most common values cost in a catalog of so many items."""
    starts = [f"I{items * place // WALKS:07}" for place in range(WALKS)]
    around_items = [partial(walk, database, ItemNode(item_id), options) for item_id in starts]
    values = [ValueNode("color", f"color{place % 10}", None) for place in range(WALKS)]
    around_values = [partial(walk, database, value, options) for value in values]
    names = [f"brand=Brand{int(item_id[1:]) % 211}" for item_id in starts]
    whole = partial(whole_graph, database)

    return {
        "items": items,
        "nodes": median(len(around().distances) for around in around_items),
        "item_cpu_ms": median(map(cpu_ms, around_items)),
        "value_cpu_ms": median(map(cpu_ms, around_values)),
        "lookup_cpu_ms": median(cpu_ms(partial(looked_up, database, name)) for name in names),
        "whole_graph_cpu_ms": cpu_ms(whole) if items <= WHOLE else None,
    }


def walk(database: Database, start: Node, options: argparse.Namespace) -> Neighbourhood:
    """Return what stands around a node."""
    with database.session() as session:
        return neighbourhood(StoredGraph(session), start, hops=options.hops, width=options.width)


def looked_up(database: Database, name: str) -> Node:
    """Return the node of a name that is written in another case than it is stored."""
    with database.session() as session:
        return find_node(session, name)


def whole_graph(database: Database) -> int:
    """Return how many nodes the graph of the whole catalog has."""
    with database.session() as session:
        return len(graph_of(enrichments(session)))


def cpu_ms(work: Callable[[], object]) -> float:
    """Return the CPU milliseconds of some work."""
    before = time.process_time()
    work()
    return 1000 * (time.process_time() - before)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--hops", type=int, default=2)
    parser.add_argument("--width", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path("graph_neighbourhood.json"))
    options = parser.parse_args()
    rows: list[Figures] = []
    for items in options.sizes:
        with tempfile.TemporaryDirectory() as folder, open_database(f"sqlite:///{folder}/graph.db") as database:
            filled(database, items)
            rows.append(measured(database, items, options))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}"
    names = [name for name in rows[0] if name.endswith("_cpu_ms")]
    print(f"{'items':>8} {'nodes':>6}" + "".join(f" {name.removesuffix('_cpu_ms'):>22}" for name in names))
    for row in rows:
        print(f"{row['items']:>8} {row['nodes']:>6}" + "".join(_cell(row, rows[0], name) for name in names))
    document = {"machine": machine, "command": sys.argv, "rows": rows}
    options.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _cell(row: Figures, first: Figures, name: str) -> str:
    """Return a figure with its ratio to the first row's."""
    if row[name] is None:
        return f" {'not read':>22}"
    cost, least = float(str(row[name])), float(str(first[name]))
    return f" {cost:>10.1f} ms {cost / least:>7.2f}x"


def _enrichment(item: CatalogItem, claims: tuple[Claim, ...], category: str, provenance: Provenance) -> Enrichment:
    supported = {"decision": Decision.ACCEPT, "reason": Reason.SUPPORTED, "checked_by": "code"}
    return Enrichment(
        item_id=item.id,
        content_hash=item.content_hash,
        category=CategoryChoice(category_id=category, path=("All", category), score=0.9, chosen_by="embedding"),
        claims=claims,
        verdicts=tuple(Verdict.model_validate({"claim_id": claim.id, **supported}) for claim in claims),
        summary="",
        rounds=0,
        provenance=provenance,
        usage=Usage(prompt_tokens=0, completion_tokens=0, estimated=False),
        model_calls=0,
        seconds=0,
    )


if __name__ == "__main__":
    main()
