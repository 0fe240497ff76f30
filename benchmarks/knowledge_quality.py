"""How right and how dear the knowledge is: the bundled gold, and real catalogs without gold.

    python benchmarks/knowledge_quality.py [--model SPEC] [--data FOLDER] [--items N] [--out FILE]

Prints a table and writes it as JSON. The bundled gold has two splits: the rules were tuned on "dev", "test" was held
out. `--data` names a folder with amazon_industrial/items.jsonl.gz: 3,686 products of Amazon Reviews 2018 (Ni et al.
2019), one JSON object a line (item_id, title, brand, description), made from data/Amazon/index/*.item.json of the
public repository AkaliKong/MiniOneRec. CPU seconds are those of the whole process.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from commands.catalog_items import SAMPLE_CATALOG  # noqa: E402
from commands.catalog_run import run_catalog  # noqa: E402
from commands.run_options import RunOptions  # noqa: E402
from commands.run_report import RunReport  # noqa: E402
from commands.sample_scores import evidence_holds, score_sample  # noqa: E402
from commands.settings import Settings  # noqa: E402
from memory.database import open_database  # noqa: E402
from memory.store import enrichments  # noqa: E402

Figures = dict[str, object]


def measured(report: RunReport) -> Figures:
    """Return what every run shows."""
    return {
        "rows": report.rows,
        "enriched": report.enriched,
        "rejected": len(report.rejected),
        "failed": sum(report.failed.values()),
        "cpu_seconds_an_item": round(report.cpu_seconds / max(1, report.enriched), 3),
        "tokens_an_item": round(report.tokens / max(1, report.enriched), 1),
    }


def looked_at(settings: Settings) -> Figures:
    """Return what a knowledge base shows without gold: claims an item, by attribute; evidence that holds."""
    valid = claims = items = accepted = 0
    by_attribute: Counter[str] = Counter()
    with open_database(settings.kb) as database, database.session() as session:
        for known in enrichments(session):
            checked = list(evidence_holds(known))
            items, valid, claims = items + 1, valid + sum(checked), claims + len(checked)
            accepted += len(known.enrichment.accepted)
            by_attribute.update({claim.name for claim in known.enrichment.accepted})
    return {
        "valid_evidence": valid / claims if claims else 1.0,
        "text_claims": claims,
        "accepted_claims_an_item": round(accepted / max(1, items), 2),
        "coverage": {name: round(count / items, 3) for name, count in by_attribute.most_common(12)},
    }


def enriched(settings: Settings, catalog: Path, limit: int | None = None) -> Figures:
    """Enrich a catalog and return its figures."""
    report = asyncio.run(run_catalog(settings, catalog, RunOptions(limit=limit)))
    return measured(report) | looked_at(settings)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=Settings().model)
    parser.add_argument("--data", type=Path, help="a folder with amazon_industrial/items.jsonl.gz")
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("knowledge_quality.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(kb=f"sqlite:///{folder}/sample.db", model=options.model)
        figures: Figures = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}",
            "model": settings.model,
            "sample": enriched(settings, SAMPLE_CATALOG),
            "gold": score_sample(settings),
        }
        real = options.data / "amazon_industrial" / "items.jsonl.gz" if options.data else None
        if real is not None and real.exists():
            other = Settings(kb=f"sqlite:///{folder}/real.db", model=options.model)
            figures["amazon_industrial"] = enriched(other, real, options.items)
        else:
            print(f"amazon_industrial is left out: {real or '--data FOLDER'} is missing; see --help", file=sys.stderr)
    print(json.dumps(figures, indent=2))
    options.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
