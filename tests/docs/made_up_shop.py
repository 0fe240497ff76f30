"""A shop that nobody owns, in the form of the public one that docs/tutorial.md is about."""

import csv
import gzip
import json
import random
from pathlib import Path

NAME = "Industrial_and_Scientific"
FIRST, ITEMS, USERS = 70, 24, 40  # item 84 and user A4042 are those that the tutorial looks at
BRANDS = ("Ironwood", "Stark & Sohn", "Nordlicht", "Quillon Tools")
THINGS = ("Digital Caliper", "Hex Key Set", "Nitrile Gloves, Box of 100", "Glass Beaker 250 ml", "Duct Tape 48 mm")
MATERIALS = ("stainless steel", "aluminum", "rubber", "glass")

Item = dict[str, str]
Histories = dict[str, list[str]]


def items() -> dict[str, Item]:
    """Return the products by their ids; the brand stands in the title of most."""
    made: dict[str, Item] = {}
    for number in range(ITEMS):
        brand, thing, material = BRANDS[number % 4], THINGS[number % 5], MATERIALS[number % 3]
        title = f"{thing} {number} by {brand}" if number % 7 else f"{thing} {number}"
        paragraphs = [f"Made of {material}.", f"For workshop and laboratory, article {number}."]
        made[str(FIRST + number)] = {"title": title, "brand": brand, "description": str(paragraphs)}
    return made


def histories() -> Histories:
    """Return what each user bought, the oldest first."""
    draw = random.Random(0)
    ids = [*items()]
    users = {f"A{4042 + number}": draw.sample(ids, 6) for number in range(USERS)}
    users["A4042"][0] = "84"
    return users


def write_upstream(folder: Path) -> None:
    """Write the shop as the repository has it: an item's last ones and the next one a row, in three parts by time."""
    (folder / "index").mkdir(parents=True)
    (folder / "index" / f"{NAME}.item.json").write_text(json.dumps(items()), encoding="utf-8")
    for part, places in {"train": (1, 2, 3), "valid": (4,), "test": (5,)}.items():
        (folder / part).mkdir()
        with (folder / part / f"{NAME}_5_2016-10-2018-11.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["user_id", "history_item_title", "item_title", "history_item_id", "item_id"])
            for place in places:
                for user, own in histories().items():
                    before = [int(item) for item in own[:place]]
                    table.writerow([user, "[]", "", before, own[place]])


def write_prepared(folder: Path) -> None:
    """Write the same shop in the prepared form."""
    folder.mkdir(parents=True)
    with gzip.open(folder / "items.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"item_id": int(key), **item}) + "\n" for key, item in items().items())
    with gzip.open(folder / "interactions.csv.gz", "wt", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["user_id", "item_id", "pos", "split", "time_rank"])
        table.writerows(
            [user, item, place, "history", -1] for user, own in histories().items() for place, item in enumerate(own)
        )
