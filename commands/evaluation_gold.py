"""The golden items of an evaluation: read, joined with their texts, chosen, and put into the taxonomy's own words."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agents.values.normalization import same_value
from commands.output import say
from evaluators.evaluation import GoldUsed, Protocol, fingerprint_of
from evaluators.golden import BadGoldLine, GoldError, GoldItem, gold_lines
from evaluators.item_scores import Grading
from evaluators.predictions import PredictedValue
from memory.catalog import RejectedRow, read_catalog
from memory.demand_space import nearest_cosines
from memory.encoder import MiniLmEncoder
from memory.record import Record
from memory.schema import CatalogItem, SourceField
from memory.taxonomy import Taxonomy
from memory.text import plain_text

NAMED = 5  # of what is missing, in a note


class GoldChoice(Record):
    """Which golden items, and where their texts are."""

    file: Path
    catalog: Path | None = None  # has the texts of items that have none of their own
    split: str | None = None
    sample: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class GoldSet:
    """Golden items beside the items that they are about, and what was left out."""

    gold: tuple[GoldItem, ...]
    items: tuple[CatalogItem, ...]
    used: GoldUsed


def gold_set(
    choice: GoldChoice, taxonomy: Taxonomy, stored: Callable[[str], CatalogItem | None] = lambda _: None
) -> GoldSet:
    """Return the chosen golden items; raises `GoldError` where none is left.

    `stored` has texts of items that have none of their own, and that the catalog of the choice does not have.
    """
    lines = list(gold_lines(choice.file))
    bad = [line for line in lines if isinstance(line, BadGoldLine)]
    gold = _of_split([line for line in lines if isinstance(line, GoldItem)], choice)
    paired, notes = _with_texts(gold, choice.catalog, stored)
    chosen = _sampled(paired, choice)
    if not chosen:
        raise GoldError("; ".join([f"{choice.file} has no golden item with a text", *notes]))
    worded = tuple(_in_words_of(taxonomy, [item for item, _ in chosen]))
    return GoldSet(
        gold=worded,
        items=tuple(item for _, item in chosen),
        used=GoldUsed(
            **choice.model_dump(include={"split", "sample", "seed"}),
            file=str(choice.file),
            fingerprint=fingerprint_of(worded),
            items=len(worded),
            bad_lines=tuple(bad),
            notes=(*notes, *_unknown_words(worded, taxonomy)),
        ),
    )


def tell_left_out(gold: GoldSet, tell: Callable[[str], None] = say) -> None:
    """Say what of the gold cannot be used."""
    for line in gold.used.bad_lines:
        tell(f"left out: {line.file}, line {line.line}: {line.reason}")
    for note in gold.used.notes:
        tell(note)


def narrowed(gold: GoldSet, ids: Collection[str], why: str) -> GoldSet:
    """Return what is left of golden items where only these ids can be scored; raises `GoldError` where none can."""
    kept = [(golden, item) for golden, item in zip(gold.gold, gold.items, strict=True) if item.id in ids]
    left_out = [item.id for item in gold.items if item.id not in ids]
    if not left_out:
        return gold
    note = f"left out, {why}: {_named(left_out)}"
    if not kept:
        raise GoldError(f"{gold.used.file}: no golden item can be scored; {note}")
    golden = tuple(one for one, _ in kept)
    changes = {"fingerprint": fingerprint_of(golden), "items": len(kept), "notes": (*gold.used.notes, note)}
    return GoldSet(golden, tuple(item for _, item in kept), gold.used.model_copy(update=changes))


def grading_of(taxonomy: Taxonomy, protocol: Protocol) -> Grading:
    """Return how answers are judged."""
    specs = taxonomy.attributes

    def exact(value: PredictedValue, wanted: str) -> bool:
        return wanted in (value.written, value.normal)

    def normal(value: PredictedValue, wanted: str) -> bool:
        spec = specs.get(value.attribute)
        return exact(value, wanted) if spec is None else same_value(value.normal, wanted, spec)

    return Grading(
        same=exact if protocol.match == "exact" else normal,
        many=frozenset(key for key, spec in specs.items() if spec.many),
        complete=protocol.complete,
        nearness=partial(nearest_cosines, MiniLmEncoder()),  # which is loaded when gold has a demand
        paths={category.id: category.path for category in taxonomy.categories.values()},
    )


def _of_split(gold: list[GoldItem], choice: GoldChoice) -> list[GoldItem]:
    if choice.split is None:
        return gold
    found = [item for item in gold if item.split == choice.split]
    if not found:
        known = ", ".join(sorted({item.split for item in gold})) or "none"
        raise GoldError(f"{choice.file} has no split {choice.split!r}; there are: {known}")
    return found


def _with_texts(
    gold: Sequence[GoldItem], catalog: Path | None, stored: Callable[[str], CatalogItem | None]
) -> tuple[list[tuple[GoldItem, CatalogItem]], list[str]]:
    """Return the golden items with the items that they are about, and notes on those that have no text."""
    rows = {row.id: row for row in read_catalog(catalog) if not isinstance(row, RejectedRow)} if catalog else {}
    paired: list[tuple[GoldItem, CatalogItem]] = []
    missing: list[str] = []
    for golden in gold:
        item = _own_text(golden) or rows.get(golden.item_id) or stored(golden.item_id)
        if item is None:
            missing.append(golden.item_id)
        else:
            paired.append((_with_text(golden, item), item))
    where = f"nor is it in {catalog}" if catalog else "and no --catalog is named"
    return paired, [f"left out, for they have no title, {where}: {_named(missing)}"] if missing else []


def _own_text(golden: GoldItem) -> CatalogItem | None:
    title = " ".join(plain_text(golden.title).split())
    if not title:
        return None
    fields = ((name, plain_text(text)) for name, text in golden.fields.items() if name)
    return CatalogItem(
        id=golden.item_id,
        title=title,
        description=plain_text(golden.description),
        fields=tuple(SourceField(name=_field_name(name), text=text) for name, text in fields if text),
    )


def _field_name(name: str) -> str:
    return f"{name} (field)" if name in ("title", "description") else name[:200]


def _with_text(golden: GoldItem, item: CatalogItem) -> GoldItem:
    fields = {field.name: field.text for field in item.fields}
    return golden.model_copy(update={"title": item.title, "description": item.description, "fields": fields})


def _sampled(paired: list[tuple[GoldItem, CatalogItem]], choice: GoldChoice) -> list[tuple[GoldItem, CatalogItem]]:
    """Return a sample drawn by the seed; a larger one holds the smaller, so that its answers are there already."""
    if choice.sample is None:
        return paired

    def lot(pair: tuple[GoldItem, CatalogItem]) -> bytes:
        return hashlib.sha256(f"{choice.seed}:{pair[0].item_id}".encode()).digest()

    return sorted(paired, key=lot)[: choice.sample]


def _in_words_of(taxonomy: Taxonomy, gold: Iterable[GoldItem]) -> Iterator[GoldItem]:
    """Yield golden items with the taxonomy's keys and ids in place of its names and paths."""
    keys = {spec.name.casefold(): key for key, spec in taxonomy.attributes.items()}
    ids = {category.path: category.id for category in taxonomy.categories.values()}
    for golden in gold:
        steps = tuple(step.strip() for step in golden.category.split(">"))
        named = {
            name if name in taxonomy.attributes else keys.get(name.casefold(), name): values
            for name, values in golden.attributes.items()
        }
        known = golden.category in taxonomy.categories
        category = golden.category if known else ids.get(steps, golden.category)
        yield golden.model_copy(update={"category": category, "attributes": named})


def _unknown_words(gold: Iterable[GoldItem], taxonomy: Taxonomy) -> Iterator[str]:
    """Yield notes on what no answer can match: categories and attributes that the taxonomy does not have."""
    attributes: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    for golden in gold:
        attributes.update(name for name in golden.attributes if name not in taxonomy.attributes)
        categories.update([golden.category] if golden.category not in ("", *taxonomy.categories) else [])
    for what, found in {"attributes": attributes, "categories": categories}.items():
        if found:
            yield f"{what} of the gold that the taxonomy does not have: {_named([*found])}"


def _named(names: Sequence[str]) -> str:
    more = f" … and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(repr(name) for name in names[:NAMED]) + more
