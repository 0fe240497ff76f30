"""The demo's last step: what is imagined of made-up shoppers, whether it is true, and the page of all of it."""

from pathlib import Path

import pytest

import app
from commands.demo_page import write_demo_page
from commands.imagined_demo import check, demo_imagining, print_imagined
from commands.imagined_view import ImaginedBehavior
from commands.ranker_demo import put_shoppers
from evaluators.shoppers.simulation import HiddenBehavior, ShopperTruth, TrueNeed
from evaluators.shoppers.walk import Why
from memory.behaviors.generated import set_inference
from memory.database import open_existing_database

CATEGORIES = {"stove": "camping", "tent": "camping", "mug": "kitchen", "lamp": "office"}


def imagined(item: str) -> ImaginedBehavior:
    return ImaginedBehavior(
        item=item,
        title="<b>A title</b>",
        time=1,
        slot="future",
        position=1,
        log_p=-1.0,
        agreement=1.0,
        confidence=0.5,
        near_item="",
        near_title="",
        near_cosine=None,
        demand="",
        demand_cosine=None,
    )


def truth() -> ShopperTruth:
    hidden = HiddenBehavior(item="tent", time=1, kind="buy", session="s", why=next(iter(Why)))
    return ShopperTruth(
        user="u1",
        situations=(),
        needs=(
            TrueNeed(demand="sleeping outdoors", categories={"camping": 1.0}, wish=None, hidden=True),
            TrueNeed(demand="hot drinks", categories={"kitchen": 1.0}, wish=None, hidden=False),
        ),
        affinity={},
        tastes=(),
        hidden_categories=("camping",),
        hidden=(hidden,),
    )


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("tent", ("bought, elsewhere", "sleeping outdoors")),
        ("stove", ("of a category bought elsewhere", "sleeping outdoors")),
        ("mug", ("meets a need", "hot drinks")),
        ("lamp", ("no true need", "")),
        ("unknown", ("no true need", "")),
    ],
)
def test_what_is_imagined_is_checked_against_the_truth(item: str, expected: tuple[str, str]) -> None:
    found = check(imagined(item), truth(), CATEGORIES)

    assert (found.truth, found.need) == expected


def test_a_page_without_ranking_says_what_was_enriched() -> None:
    write_demo_page(Path("page.html"), {"rows": 7, "enriched": 6, "calls": 5, "tokens": 4}, {}, None, None)

    page = Path("page.html").read_text(encoding="utf-8")
    assert "Knowledge of products" in page
    assert "Behaviours beyond the log" not in page


def test_what_is_imagined_of_shoppers_is_shown_with_the_truth_on_the_page(shop: str) -> None:
    settings = app.read_settings()[0].overridden(kb=shop)
    put_shoppers(settings)
    unwilling = {f"u0000{number}" for number in range(1, 4)}
    with open_existing_database(shop) as database, database.writing() as session:
        for user in unwilling:
            set_inference(session, user, allowed=False)

    found = demo_imagining(settings)

    assert found is not None
    assert not unwilling & {view.user for view in found.views}
    assert len(found.views) == len(found.checked) == 3
    assert found.right is not None
    assert 0 <= found.right <= 1
    assert [len(own) for own in found.checked] == [len(view.imagined) for view in found.views]
    print_imagined(found)
    write_demo_page(Path("page.html"), {"rows": 7, "enriched": 6, "calls": 5, "tokens": 4}, {}, None, found)
    assert Path("page.html").read_text(encoding="utf-8").count("<svg") == 3
