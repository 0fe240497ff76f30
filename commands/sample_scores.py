"""How right a knowledge base of the sample catalog is, measured against the bundled gold."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from agents.phrasing import phrase_value
from agents.values.normalization import same_value
from commands.choices import taxonomy_of
from commands.output import print_table
from commands.settings import Settings
from evaluators.extraction_scores import Counts, add_up, score_item
from evaluators.golden import GoldItem, read_gold
from memory.category import AttributeSpec
from memory.database import open_existing_database
from memory.rows import StoredKnowledge
from memory.schema import ClaimSource
from memory.store import enrichment_of, failure_of

GOLD = Path(__file__).parent.parent / "memory" / "sample" / "gold.jsonl"

Scores = dict[str, dict[str, float]]


def score_sample(settings: Settings) -> Scores:
    """Return the figures for each split of the gold: rules were tuned on "dev", "test" was held out.

    Only items of the knowledge base count, as a demo may have been limited; a failed one counts as nothing found.
    """
    specs = taxonomy_of(settings).attributes
    with open_existing_database(settings.kb) as database, database.session() as session:
        gold = [g for g in read_gold(GOLD) if enrichment_of(session, g.item_id) or failure_of(session, g.item_id)]
        known = {g.item_id: enrichment_of(session, g.item_id) for g in gold}
    splits = sorted({g.split for g in gold})
    return {split: _figures([g for g in gold if g.split == split], known, specs) for split in splits}


def print_scores(scores: Scores) -> None:
    """Print one row a split."""
    names = list(next(iter(scores.values())))
    rows = [[split, *(_shown(name, figures[name]) for name in names)] for split, figures in scores.items()]
    print_table("Against the bundled gold (rules were tuned on dev; test was held out)", ["split", *names], rows)


def _figures(
    gold: list[GoldItem], known: dict[str, StoredKnowledge | None], specs: Mapping[str, AttributeSpec]
) -> dict[str, float]:
    right_category = valid = text_claims = 0
    counts: list[dict[str, Counts]] = []
    for wanted in gold:
        stored = known[wanted.item_id]
        predicted: dict[str, list[str]] = {}
        if stored is not None:
            right_category += stored.enrichment.category.category_id == wanted.category
            for claim in stored.enrichment.accepted:
                predicted.setdefault(claim.name, []).append(phrase_value(claim))
            checked = list(evidence_holds(stored))
            valid, text_claims = valid + sum(checked), text_claims + len(checked)
        counts.append(score_item(predicted, wanted.attributes, specs, same_value))
    total = add_up(counts).overall
    return {
        "items": len(gold),
        "category accuracy": right_category / len(gold),
        "precision": total.precision,
        "recall": total.recall,
        "F1": total.f1,
        "valid evidence": valid / text_claims if text_claims else 1.0,
    }


def evidence_holds(stored: StoredKnowledge) -> Iterable[bool]:
    """Yield for each text claim whether its quote stands in the stored text at its offsets."""
    for claim in stored.enrichment.claims:
        if claim.source is ClaimSource.TEXT:
            evidence = claim.evidence
            text = stored.item.source(evidence.field) if evidence else ""
            yield evidence is not None and text[evidence.start : evidence.end] == evidence.quote


def _shown(name: str, figure: float) -> str:
    return str(int(figure)) if name == "items" else f"{figure:.1%}"
