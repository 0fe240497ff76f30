"""Reports of what changes did, as a person reads, ships and takes them back in a real browser."""

from typing import TYPE_CHECKING

import pytest

from evaluators.impact.report import Decision
from memory.versions import current_version, version_for
from tests.memory.knowledge_samples import PROVENANCE
from tests.studio.impact_samples import agents_report, impact_report, kept
from tests.studio.shop import Shop
from tests.studio.test_in_a_browser import HOSTILE, kettle, opened, stocked

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def with_reports(shop: Shop) -> None:
    """Store a report of agents, one that says to ship and one that says not to; version 1 is read."""
    stocked(shop, kettle("K1", "Acme kettle red"))
    with shop.database() as database, database.writing() as session:
        version_for(session, PROVENANCE.model_copy(update={"model": "another"}))
        kept(session, agents_report())
        kept(session, impact_report(Decision.SHIP, title=HOSTILE))
        kept(session, impact_report(Decision.KEEP_OLD, reason=HOSTILE))


def read_now(shop: Shop) -> int | None:
    with shop.database() as database, database.session() as session:
        return current_version(session)


def test_a_report_is_read_in_full_shipped_and_rolled_back(page: "Page", shop: Shop) -> None:
    with_reports(shop)
    opened(page, shop)
    page.wait_for_selector(".results a")
    page.keyboard.press("6")
    page.wait_for_selector(".decision:has-text('do not ship')")
    assert HOSTILE in page.inner_text(".verdict")

    page.click(".list a[href$='report=2']")
    page.wait_for_selector(".decision:text-is('ship')")
    shown = page.inner_text(".report")
    page.click(".ship")
    page.wait_for_selector(".question:has-text('prompts = \"my-prompts\" in reaseq.toml')")
    page.click(".question button:has-text('Cancel')")
    page.wait_for_selector(".question", state="hidden")
    before = read_now(shop)
    page.click(".ship")
    page.click(".agree")
    page.wait_for_selector(".badge:has-text('it is shipped')")
    shipped = read_now(shop)
    page.click(".roll-back")
    page.click(".agree")
    page.wait_for_selector(".badge:has-text('from before the change, is read')")

    assert (before, shipped, read_now(shop)) == (1, 2, 1)
    parts = ["What decides", "Golden items", "Knowledge", "Vectors: attributes", "trained on both sides", "Cost"]
    places = [shown.index(part) for part in ["F1 falls", *parts]]
    assert places == sorted(places)
    assert HOSTILE in shown
    assert "4,321 in all would tell" in shown
    assert page.locator(".report svg.intervals").count() == 2
    assert page.locator("main img, main script").count() == 0
    assert page.evaluate("window.pwned") is None


def test_what_is_not_to_be_shipped_is_asked_twice(page: "Page", shop: Shop) -> None:
    with_reports(shop)
    base = opened(page, shop, "/impact?report=3")

    page.click(".ship")
    page.click(".agree:has-text('against the verdict')")
    page.wait_for_selector(".question:has-text('Really ship')")
    asked = read_now(shop)
    page.click(".agree:has-text('Ship all the same')")
    page.wait_for_selector(".badge:has-text('it is shipped')")

    assert (asked, read_now(shop)) == (1, 2)
    page.goto(f"{base}/impact?report=1")
    page.wait_for_selector(".report:has-text('every claim is accepted')")
    assert page.locator(".ship").count() == 0
    page.goto(f"{base}/impact?report=99")
    page.wait_for_selector("text=There is no such report")
