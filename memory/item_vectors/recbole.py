"""Behaviours, items and vectors as a folder that RecBole reads: its atomic files, tab-separated with typed headers."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from urllib.parse import quote

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlmodel import Session

from memory.atomic_file import FileUnwritable, written_whole
from memory.behaviors.store import behaviors_of
from memory.item_vectors.feature_files import vectors_as_of
from memory.item_vectors.knowledge_table import number_of, numeric_attributes
from memory.item_vectors.known_items import KnownClaim, KnownItem, known_items
from memory.record import Record
from memory.writable_text import writable

OWN_FIELDS = ("item_id", "title", "category", "categories", "demands")
Field = tuple[str, str | None]  # attribute; of a number its unit or "", of anything else None

# RecBole splits a line at tabs, a sequence at blanks, and lets pandas read the rest: a quotation mark would swallow the
# lines up to the next one, and these words would be missing values.
_MISSING = re.compile(r"#N/A( N/A)?|#NA|-?1\.#(IND|QNAN)|-?(NaN|nan)|<NA>|N/A|NA|NULL|None|n/a|null")
_UNSAFE_IN_ID = re.compile(r'[\s"%\x00-\x1f\x7f-\x9f]')
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_UNSAFE_IN_NAME = re.compile(r"\W+")

# What a RecBole configuration needs to find all fields; `--config_files F.yaml`.
_SETTINGS = """\
USER_ID_FIELD: user_id
ITEM_ID_FIELD: item_id
TIME_FIELD: timestamp
load_col:
  inter: [user_id, item_id, timestamp]
"""
_SETTINGS_OF_VECTORS = """\
  itememb: [iid, item_emb]
additional_feat_suffix: [itememb]
alias_of_item_id: [iid]
preload_weight:
  iid: item_emb
"""


class RecBoleFolder(Record):
    """What was written."""

    folder: str
    items: int
    behaviors: int
    vectors: int  # items that have one; 0 where no set of that name was built


def export_recbole(
    session: Session, folder: Path, *, name: str, version_id: int | None = None, as_of: int | None = None
) -> RecBoleFolder:
    """Write F.inter, F.item, F.itememb and F.yaml, F being the folder's name; each file is whole or not there.

    `name` is the set of vectors; where it was not built, F.itememb is left out. `as_of`, in milliseconds since 1970
    (UTC): only behaviours and knowledge from strictly before. Ids stay as they are but for what RecBole cannot read,
    which is written as in URLs (`plain_id`). Raises `UnknownVersion`, `VectorsTooNew` and `FileUnwritable`.
    """
    vectors = vectors_as_of(session, name, as_of)
    items = list(known_items(session, version_id, as_of))
    behaviors = behaviors_of(session, as_of=as_of)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnwritable(f"{str(folder)!r} cannot be made: {error.strerror}") from error
    stem = str(folder.resolve() / folder.resolve().name)
    _write_interactions(behaviors, Path(f"{stem}.inter"))
    _write_table(Path(f"{stem}.item"), *_item_table(items, numeric_attributes(session)))
    if vectors is not None:
        rows = (
            [plain_id(item_id), _floats(vector)] for item_id, vector in zip(vectors.ids, vectors.vectors, strict=True)
        )
        _write_table(Path(f"{stem}.itememb"), ["iid:token", "item_emb:float_seq"], rows)
    with written_whole(Path(f"{stem}.yaml")) as unfinished:
        unfinished.write_text(_SETTINGS + (_SETTINGS_OF_VECTORS if vectors else ""), encoding="utf-8")
    return RecBoleFolder(
        folder=str(folder), items=len(items), behaviors=len(behaviors), vectors=len(vectors.ids) if vectors else 0
    )


def plain_id(text: str) -> str:
    """Return an id without blanks, quotation marks and control characters, each as %XX; `unquote` gives it back."""
    plain = _UNSAFE_IN_ID.sub(lambda found: quote(found[0], safe=""), writable(text))
    return f"%{ord(plain[0]):02X}{plain[1:]}" if _MISSING.fullmatch(plain) else plain


def one_token(text: str) -> str:
    """Return a value as one token of a sequence: no blanks, no quotation marks."""
    token = _BLANKS.sub("_", writable(text).strip()).replace('"', "'")
    return f"{token}_" if _MISSING.fullmatch(token) else token


def words(text: str) -> str:
    """Return a text as a sequence of words: single blanks between them, no quotation marks."""
    sequence = _BLANKS.sub(" ", writable(text)).strip().replace('"', "'")
    return f"{sequence}_" if _MISSING.fullmatch(sequence) else sequence


def _write_interactions(behaviors: pl.DataFrame, path: Path) -> None:
    frame = behaviors.select(
        _plain(behaviors["user"]).alias("user_id:token"),
        _plain(behaviors["item"]).alias("item_id:token"),
        behaviors["time"].alias("timestamp:float"),
        behaviors["kind"].cast(pl.String).alias("kind:token"),
    )
    with written_whole(path) as unfinished:
        frame.write_csv(unfinished, separator="\t", quote_style="never")


def _plain(ids: pl.Series) -> pl.Series:
    """Return the ids as RecBole can read them; only those are touched that it could not."""
    changed = {text: plain for text in ids.unique() if (plain := plain_id(text)) != text}
    return ids.replace(changed) if changed else ids


def _item_table(items: Sequence[KnownItem], numeric: frozenset[str]) -> tuple[list[str], Iterator[list[str]]]:
    """Return the header of the item file and its rows: one field an attribute, numbers one a unit."""
    fields = sorted({_field(claim, numeric) for item in items for claim in item.accepted})
    header = ["item_id:token", "title:token_seq", "category:token", "categories:token_seq", "demands:token_seq"]
    names = _names(fields)
    header += [f"{names[field]}:{'float' if field[1] is not None else 'token_seq'}" for field in fields]
    return header, (_item_row(item, fields, numeric) for item in items)


def _field(claim: KnownClaim, numeric: frozenset[str]) -> Field:
    is_number = claim.name in numeric and not math.isnan(number_of(claim.normalized))
    return claim.name, (claim.unit or "") if is_number else None


def _names(fields: Sequence[Field]) -> dict[Field, str]:
    """Return a name for each field: letters, digits and underscores, each name once."""
    names: dict[Field, str] = {}
    for attribute, unit in fields:
        name = _UNSAFE_IN_NAME.sub("_", f"{attribute}_{unit}" if unit else attribute)
        while name in OWN_FIELDS or name in names.values():
            name += "_"
        names[attribute, unit] = name
    return names


def _item_row(item: KnownItem, fields: Sequence[Field], numeric: frozenset[str]) -> list[str]:
    values: defaultdict[Field, list[KnownClaim]] = defaultdict(list)
    for claim in item.accepted:
        values[_field(claim, numeric)].append(claim)
    demands = (one_token(demand.as_value) for demand in item.demands)
    about = [plain_id(item.id), words(item.title), one_token(" > ".join(item.path)), _sequence(item.path)]
    return [*about, " ".join(demands), *(_cell(values.get(field, []), field) for field in fields)]


def _cell(claims: Sequence[KnownClaim], field: Field) -> str:
    """Return the surest number, or all values as tokens; empty where nothing is known."""
    if not claims:
        return ""
    if field[1] is not None:
        return repr(number_of(max(claims, key=lambda claim: claim.confidence).normalized))
    return _sequence(claim.with_unit for claim in claims)


def _sequence(values: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(one_token(value) for value in values))


def _floats(vector: NDArray[np.float32]) -> str:
    return " ".join(map(str, vector))


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="\n") as file:
        for row in chain([header], rows):
            file.write("\t".join(row) + "\n")
