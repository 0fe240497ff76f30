"""Behaviours, items and vectors as a folder that RecBole reads: its atomic files, tab-separated with typed headers."""

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
from sqlmodel import Session

from memory.atomic_file import FileUnwritable, written_whole
from memory.item_vectors.feature_files import vectors_as_of
from memory.item_vectors.known_items import KnownItem, known_items
from memory.item_vectors.knowledge_table import number_of, numeric_attributes
from memory.item_vectors.vectors import ItemVectors
from memory.record import Record
from memory.writable_text import writable

TITLE, CATEGORY, CATEGORIES, DEMANDS = "title", "category", "categories", "demands"
OWN_FIELDS = ("item_id", TITLE, CATEGORY, CATEGORIES, DEMANDS)

# RecBole splits a line at tabs, a sequence at blanks, and lets pandas read the rest: a quotation mark would swallow the
# lines up to the next one, and these words would be missing values.
_MISSING_WORDS = frozenset(
    ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"]
    + ["NULL", "NaN", "None", "n/a", "nan", "null"]
)
_UNSAFE_IN_ID = re.compile(r'[\s"%\x00-\x1f\x7f-\x9f]')
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_UNSAFE_IN_NAME = re.compile(r"\W+")


class RecBoleFolder(Record):
    """What was written."""

    folder: str
    items: int
    behaviors: int
    vectors: int  # items that have one; 0 where no set of that name was built
