"""The knowledge base as files for other programs: JSON lines, CSV, Parquet; equal knowledge gives equal bytes."""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

import duckdb
import orjson
from sqlmodel import Session

from memory.atomic_file import FileUnwritable, written_whole
from memory.rows import StoredKnowledge
from memory.schema import Claim, ClaimSource, Decision, Demand
from memory.store import enrichments
from memory.writable_text import writable

Json = str | int | float | None | list["Json"] | dict[str, "Json"]

# The long form's columns, one row a claim, with their Parquet types.
COLUMNS = {
    "item_id": "VARCHAR",
    "title": "VARCHAR",
    "category": "VARCHAR",
    "category_path": "VARCHAR[]",
    "attribute": "VARCHAR",
    "value": "VARCHAR",
    "normalized": "VARCHAR",
    "unit": "VARCHAR",
    "source": "VARCHAR",
    "field": "VARCHAR",
    "start": "INTEGER",
    "end": "INTEGER",
    "quote": "VARCHAR",
    "confidence": "DOUBLE",
    "producer": "VARCHAR",
    "decision": "VARCHAR",
    "reason": "VARCHAR",
    "summary": "VARCHAR",
}

_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(
    r"[+-]?\d[\d.,  ]*(e[+-]?\d+)?( ?[^\W\d_]{1,12}(/[^\W\d_]{1,4})?| ?[%°\"'′″]{1,2}[^\W\d_]?)?", re.IGNORECASE
)


class ExportFormat(StrEnum):
    """What can be written."""

    JSONL = "jsonl"  # one object an item, with its demands
    CSV = "csv"  # one row a claim
    PARQUET = "parquet"  # one row a claim


def export_knowledge(session: Session, path: Path, export_format: str, version_id: int | None = None) -> int:
    """Write what a version (the current one unless given) knows of all items to `path`; return how many items.

    They come in order of id, and the file is written whole or not at all. `export_format` is one of `ExportFormat`.
    Times and costs are left out, so equal knowledge gives equal bytes. NUL and lone surrogates, which these formats or
    their readers cannot hold, become U+FFFD. Raises
    `memory.atomic_file.FileUnwritable`.
    """
    write = _WRITERS[ExportFormat(export_format)]
    with written_whole(path) as unfinished:
        return write(enrichments(session, version_id), unfinished)


def unformula(text: str) -> str:
    """Return a CSV cell that no spreadsheet runs as a formula; numbers, with or without a unit, stay as they are.

    Only what could be mistaken gets an apostrophe in front, and so does what already has one there: removing one
    apostrophe before a formula sign gives back every text.
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _write_jsonl(known: Iterator[StoredKnowledge], path: Path) -> int:
    number = 0
    with path.open("wb") as file:
        for knowledge in known:
            number += 1
            file.write(orjson.dumps(_writable(_as_object(knowledge)), option=orjson.OPT_APPEND_NEWLINE))
    return number


def _write_csv(known: Iterator[StoredKnowledge], path: Path) -> int:
    number = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for knowledge in known:
            number += 1
            writer.writerows([_cell(value) for value in row.values()] for row in _as_rows(knowledge))
    return number


def _write_parquet(known: Iterator[StoredKnowledge], path: Path) -> int:
    """Let DuckDB read the rows from a temporary file: it copies files fast, and inserts single rows slowly."""
    number = 0
    rows = path.with_suffix(".rows.tmp")
    try:
        with rows.open("wb") as file:
            for knowledge in known:
                number += 1
                for row in _as_rows(knowledge):
                    file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        _copy_to_parquet(rows, path)
    except duckdb.Error as error:
        raise FileUnwritable(f"the Parquet file cannot be written: {error}") from error
    finally:
        rows.unlink(missing_ok=True)
    return number


def _copy_to_parquet(rows: Path, path: Path) -> None:
    columns = ", ".join(f"'{name}': '{type_}'" for name, type_ in COLUMNS.items())
    source = f"read_json(?, format = 'newline_delimited', hive_partitioning = false, columns = {{{columns}}})"
    target = str(path).replace("'", "''")
    # One thread, so that the bytes depend on no machine; nothing is ever fetched from a network.
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        connection.execute(
            f"COPY (SELECT * FROM {source}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)",  # noqa: S608
            [_as_pattern(rows)],
        )


def _as_pattern(path: Path) -> str:
    """Return the path as a pattern that matches itself alone."""
    return re.sub(r"[*?\[]", lambda match: f"[{match[0]}]", str(path))


def _as_object(known: StoredKnowledge) -> dict[str, Json]:
    item, enrichment = known
    provenance = enrichment.provenance.model_dump(mode="json", exclude={"prompts"})
    attributes: defaultdict[str, list[Json]] = defaultdict(list)
    for claim in enrichment.accepted:
        attributes[claim.name].append(_claim(claim))
    return {
        "id": item.id,
        "title": item.title,
        "category": {"id": enrichment.category.category_id, "path": list(enrichment.category.path)},
        "attributes": dict(attributes),
        "rejected": [*_rejected(known)],
        "demands": [_demand(known, demand) for demand in enrichment.accepted_demands],
        "rejected_demands": [*_rejected_demands(known)],
        "summary": enrichment.summary,
        "provenance": {
            "content_hash": enrichment.content_hash,
            "prompts": dict(enrichment.provenance.prompts),
            **provenance,
        },
    }


def _claim(claim: Claim) -> dict[str, Json]:
    content = claim.model_dump(mode="json", exclude={"id", "name"})
    return {name: content[name] for name in _CLAIM_FIELDS}


_CLAIM_FIELDS = ("value", "normalized", "unit", "source", "evidence", "confidence", "producer")


def _rejected(known: StoredKnowledge) -> Iterator[dict[str, Json]]:
    for claim in known.enrichment.claims:
        verdict = known.enrichment.verdict_on(claim)
        if verdict.decision is not Decision.ACCEPT:
            ruling: dict[str, Json] = {"decision": verdict.decision.value, "reason": verdict.reason.value}
            yield {"name": claim.name, **_claim(claim), **ruling, "note": verdict.note}


def _demand(known: StoredKnowledge, demand: Demand) -> dict[str, Json]:
    """Return a demand, with the claims that it rests on in place of their ids, and marked as no word of the text."""
    content: dict[str, Json] = demand.model_dump(mode="json", exclude={"id", "rests_on"})
    rests_on: list[Json] = [
        {"name": claim.name, "normalized": claim.normalized, "unit": claim.unit}
        for claim in known.enrichment.claims
        if claim.id in demand.rests_on
    ]
    return content | {"rests_on": rests_on, "source": ClaimSource.WORLD_KNOWLEDGE.value}


def _rejected_demands(known: StoredKnowledge) -> Iterator[dict[str, Json]]:
    demands = {demand.id: demand for demand in known.enrichment.demands}
    for verdict in known.enrichment.demand_verdicts:
        if verdict.decision is not Decision.ACCEPT:
            ruling: dict[str, Json] = {"decision": verdict.decision.value, "reason": verdict.reason.value}
            yield _demand(known, demands[verdict.claim_id]) | ruling | {"note": verdict.note}


def _as_rows(known: StoredKnowledge) -> Iterator[dict[str, Json]]:
    """Yield one row a claim; an item without claims has one row whose claim columns are empty."""
    item, enrichment = known
    about_item: dict[str, Json] = {
        "item_id": item.id,
        "title": item.title,
        "category": enrichment.category.category_id,
        "category_path": list(enrichment.category.path),
        "summary": enrichment.summary,
    }
    empty: dict[str, Json] = dict.fromkeys(COLUMNS)
    for about_claim in [_claim_columns(known, claim) for claim in enrichment.claims] or [{}]:
        yield {name: _writable(value) for name, value in (empty | about_item | about_claim).items()}


def _claim_columns(known: StoredKnowledge, claim: Claim) -> dict[str, Json]:
    verdict = known.enrichment.verdict_on(claim)
    evidence: dict[str, Json] = {} if claim.evidence is None else claim.evidence.model_dump()
    return {
        "attribute": claim.name,
        "value": claim.value,
        "normalized": claim.normalized,
        "unit": claim.unit,
        "source": claim.source.value,
        **evidence,
        "confidence": claim.confidence,
        "producer": claim.producer,
        "decision": verdict.decision.value,
        "reason": verdict.reason.value,
    }


def _cell(value: Json) -> str | int | float | None:
    if isinstance(value, list):
        return unformula(" > ".join(str(step) for step in value))
    return unformula(value) if isinstance(value, str) else value if isinstance(value, int | float) else None


def _writable(value: Json) -> Json:
    """Return the value with U+FFFD in place of what JSON readers and UTF-8 refuse."""
    match value:
        case str():
            return writable(value)
        case list():
            return [_writable(part) for part in value]
        case dict():
            return {writable(name): _writable(part) for name, part in value.items()}
    return value


_WRITERS: dict[ExportFormat, Callable[[Iterator[StoredKnowledge], Path], int]] = {
    ExportFormat.JSONL: _write_jsonl,
    ExportFormat.CSV: _write_csv,
    ExportFormat.PARQUET: _write_parquet,
}
