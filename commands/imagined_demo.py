"""The demo's last step: what a small model imagines of three made-up shoppers, checked against their true needs."""

from typing import TYPE_CHECKING

from commands.imagined_drawing import reason
from commands.imagined_view import ImaginedBehavior, ImaginedView, view_of
from commands.model_material import read_material
from commands.output import print_table, say
from commands.ranker_demo import simulation
from commands.settings import Settings
from commands.simulate import stock
from memory.extras import ExtraMissing, extras
from memory.record import Record
from memory.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evaluators.shoppers.simulation import ShopperTruth
    from learning.material import Material
    from memory.behaviors.generated import GeneratedBehaviors

SHOWN, CHAINS, COUNT, LAST = 3, 8, 6, 8
VERSION = "demo"
ELSEWHERE, HIDDEN_CATEGORY, NEEDED, NOT_NEEDED = (
    "bought, elsewhere",
    "of a category bought elsewhere",
    "meets a need",
    "no true need",
)


class Checked(Record):
    """One imagined behaviour, and what is true."""

    imagined: ImaginedBehavior
    truth: str  # one of the four words above
    need: str  # the true demand that it meets, "" for none


class DemoImagined(Record):
    """What the demo imagined, and how right it was."""

    views: tuple[ImaginedView, ...]
    checked: tuple[tuple[Checked, ...], ...]  # of each view
    right: float | None  # share of all that is imagined of all shoppers which meets a true need; None: there is nothing
    by_chance: float | None  # the share of the catalog's other items that does


def demo_imagining(settings: Settings) -> DemoImagined | None:
    """Train, imagine, store and check; None, with a word why, where that is not possible."""
    try:
        with extras():
            from learning.devices import use_threads  # noqa: PLC0415 - torch is an extra
            from learning.material import NothingToLearn  # noqa: PLC0415
    except ExtraMissing as missing:
        say(f"\nNothing imagined: {missing}")
        return None
    from evaluators.shoppers.shop import ShopUnusable  # noqa: PLC0415 - numpy takes a moment to import

    say("\nImagining what these shoppers may want that the shop's log does not have …")
    use_threads(1)
    try:
        material = read_material(settings, None, None)
        truths = {truth.user: truth for truth in simulation(settings).truths}
        found = _imagined(material, _asked(settings, material, truths))
    except (ShopUnusable, NothingToLearn) as few:
        say(f"Nothing imagined: {few}")
        return None
    categories = {item.id: item.category for item in stock(settings)}
    users = _shown(found, truths)
    views = _stored(settings, material, found, users)
    right, by_chance = _shares(found, truths, categories, material)
    checked = tuple(tuple(check(one, truths[view.user], categories) for one in view.imagined) for view in views)
    return DemoImagined(views=views, checked=checked, right=right, by_chance=by_chance)


def check(one: ImaginedBehavior, truth: "ShopperTruth", categories: "Mapping[str, str]") -> Checked:
    """Return what is true of an imagined behaviour: did the shopper want that?"""
    category = categories.get(one.item, "")
    need = next((need.demand for need in truth.needs if category in need.categories), "")
    if any(hidden.item == one.item for hidden in truth.hidden):
        return Checked(imagined=one, truth=ELSEWHERE, need=need)
    if category in truth.hidden_categories:
        return Checked(imagined=one, truth=HIDDEN_CATEGORY, need=need)
    return Checked(imagined=one, truth=NEEDED if need else NOT_NEEDED, need=need)


def print_imagined(found: DemoImagined) -> None:
    """Print each shopper's imagined behaviours with reasons and truth, and how right all of them are."""
    for view, checked in zip(found.views, found.checked, strict=True):
        rows = [
            [
                printable(one.imagined.title or one.imagined.item, 60),
                f"{one.imagined.confidence:.2f}",
                printable(reason(one.imagined), 120),
                one.truth + (f": {printable(one.need, 60)}" if one.need else ""),
            ]
            for one in checked
        ]
        print_table(f"Imagined of shopper {view.user}", ["item", "sure", "because", "in truth"], rows)
    if found.right is not None and found.by_chance is not None:
        say(
            f"Of all that was imagined {found.right:.0%} meets a true need of its shopper; of the items that they do"
            f" not have {found.by_chance:.0%} would."
        )


def _asked(settings: Settings, material: "Material", truths: "Mapping[str, ShopperTruth]") -> list[int]:
    """Return the rows of the shoppers of whom something may be inferred."""
    from memory.behaviors.generated import inference_is_off  # noqa: PLC0415 - polars is an extra
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    with open_existing_database(settings.kb) as database, database.session() as session:
        off = inference_is_off(session, truths)
    return [row for user, row in material.behaviors.user_rows.items() if user in truths and user not in off]


def _imagined(material: "Material", rows: "Sequence[int]") -> "GeneratedBehaviors":
    import numpy as np  # noqa: PLC0415 - it takes a moment to import

    from diffusion.config import DiffusionConfig  # noqa: PLC0415 - torch is an extra
    from diffusion.fitted import fit_diffusion  # noqa: PLC0415
    from diffusion.imagining import ImaginingConfig, imagine  # noqa: PLC0415

    config = DiffusionConfig(width=32, layers=1, heads=2, epochs=15, patience=4, batch_size=32, negatives=0)
    model = fit_diffusion(material, config)
    return imagine(model, material.behaviors, np.array(rows), ImaginingConfig(count=COUNT, chains=CHAINS))


def _shown(found: "GeneratedBehaviors", truths: "Mapping[str, ShopperTruth]") -> list[str]:
    """Return the first shoppers of whom something is imagined and who buy something elsewhere."""
    users = dict.fromkeys(user for user in found.user if truths[user].hidden)
    return list(users)[:SHOWN]


def _stored(
    settings: Settings, material: "Material", found: "GeneratedBehaviors", users: "Sequence[str]"
) -> tuple[ImaginedView, ...]:
    from memory.behaviors.generated import store_generated  # noqa: PLC0415 - polars is an extra
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    as_of = int(material.behaviors.time.max()) + 1
    with open_existing_database(settings.kb) as database:
        with database.writing() as session:
            store_generated(session, found, as_of=as_of, model_version=VERSION, expires=None)
        return tuple(view_of(database, user, LAST) for user in users)


def _shares(
    found: "GeneratedBehaviors",
    truths: "Mapping[str, ShopperTruth]",
    categories: "Mapping[str, str]",
    material: "Material",
) -> tuple[float | None, float | None]:
    """Return the share of the imagined items that meets a true need, and of all that the same shoppers do not have."""
    wanted = {user: {name for need in truth.needs for name in need.categories} for user, truth in truths.items()}
    right = [categories.get(item, "") in wanted[user] for user, item in zip(found.user, found.item, strict=True)]
    chance: list[bool] = []
    for user in dict.fromkeys(found.user):
        have = {material.behaviors.items[row] for row in material.behaviors.of_user(user)}
        chance += [category in wanted[user] for item, category in categories.items() if item not in have]
    return (sum(right) / len(right), sum(chance) / len(chance)) if right and chance else (None, None)
