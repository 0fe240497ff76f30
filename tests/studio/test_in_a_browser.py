"""The studio as a person uses it, in a real browser: run by `make test-browser`."""

from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from memory.category import AttributeSpec, AttributeType, CategoryTemplate
from memory.items import save_item
from memory.reviews import all_rulings
from memory.runs import runs
from memory.schema import CatalogItem, SourceField
from memory.store import save_enrichment, save_template
from memory.traces import trace_heads, trace_of
from memory.versions import use, version_for
from tests.memory.knowledge_samples import DRILLS, PROVENANCE, enriched, quoted
from tests.studio.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

HOSTILE = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1> kettle"


def opened(page: "Page", shop: Shop, path: str = "/items") -> str:
    """Open the studio and then one of its pages; return the studio's address without the token."""
    url = shop.open()
    page.goto(url)
    page.wait_for_selector(".header")
    base = url.partition("/?")[0]
    page.goto(base + path)
    return base


def stocked(shop: Shop, *items: CatalogItem) -> None:
    """Store items with a brand and a colour each, in the version that is read."""
    specs = tuple(AttributeSpec(key=key, name=key, type=AttributeType.TEXT) for key in ("brand", "color"))
    template = CategoryTemplate(category_id="drills", path=DRILLS, attributes=specs, taxonomy_version="starter-1")
    with shop.database() as database, database.writing() as session:
        save_template(session, template)
        version = version_for(session, PROVENANCE)
        for item in items:
            first, last = item.title.split()[0], item.title.split()[-1]
            claims = [quoted(item, "c1", "brand", first), quoted(item, "c2", "color", last)]
            made = enriched(item, claims).model_copy(update={"ungrounded": ()})
            save_enrichment(session, version, item, made)
        use(session, version)


def kettle(item_id: str, title: str) -> CatalogItem:
    return CatalogItem(id=item_id, title=title)


def stored(shop: Shop) -> None:
    """Store the rows of the catalog as items of which nothing is known."""
    with shop.database() as database, database.writing() as session:
        save_item(session, kettle("K1", "Acme steel kettle 1.7 l red"))
        save_item(session, kettle("K3", "Acme glass kettle 1 l"))


def test_a_prompt_is_edited_tried_replayed_compared_saved_and_measured(page: "Page", shop: Shop) -> None:
    stored(shop)
    opened(page, shop, "/items?item=K1")
    page.wait_for_selector(".item .source")
    page.click("a:has-text('Prompts')")
    page.click(".prompts a:has-text('critic')")

    page.locator(".cm-content").first.wait_for()
    page.locator(".cm-line", has_text="Rule on every claim").click()
    page.keyboard.press("End")
    page.keyboard.type(" Be strict with colours.")
    page.wait_for_selector(".of-system:has-text('Be strict with colours.')")
    page.wait_for_selector(".difference .come:has-text('Be strict with colours.')")
    page.wait_for_selector(".state:has-text('edited')")

    page.click(".run-on-item")
    page.wait_for_selector(".trace .steps button:has-text('critic')")
    page.click(".steps button:has-text('3. critic')")
    page.wait_for_selector(".chosen-step .message:has-text('Be strict with colours.')", state="attached")
    page.click(".steps button:has-text('attribute extractor')")
    page.wait_for_selector(".chosen-step mark:has-text('Acme')")

    asked = len(shop.provider.asked)
    page.click(".steps button:has-text('3. critic')")
    page.wait_for_selector(".chosen-step .message:has-text('Be strict with colours.')", state="attached")
    page.click(".again")  # not that of the step before, which goes as soon as this one is there
    page.wait_for_selector(".replay .cm-content")
    page.click(".run-again")
    page.wait_for_selector("text=What each cost")
    with shop.database() as database, database.session() as session:
        replay, first = trace_heads(session)
        whole = trace_of(session, replay.id)
    assert (replay.replay_of, replay.replay_from) == (first.id, 3)
    again = [call for step in whole.steps[2:] for call in step.calls]
    assert len(shop.provider.asked) - asked <= len(again)

    saved = (shop.prompts / "critic.md").read_text(encoding="utf-8")
    assert "Be strict" not in saved
    page.click("a:has-text('Prompts')")
    page.click(".prompts a:has-text('critic')")
    page.locator(".cm-line", has_text="Rule on every claim").click()
    page.keyboard.press("End")
    page.keyboard.type(" Be strict.")
    page.wait_for_selector(".state:has-text('edited')")
    page.click(".run-on-gold")
    page.wait_for_selector("text=95 % interval")
    assert "2 items of gold.jsonl" in page.inner_text(".golden")
    page.keyboard.press("Escape")
    page.locator(".cm-content").first.click()
    page.keyboard.press("Control+s")
    page.wait_for_selector(".state:has-text('saved')")
    assert "Rule on every claim: Be strict." in (shop.prompts / "critic.md").read_text(encoding="utf-8")


def test_an_edit_is_not_saved_over_another_one(page: "Page", shop: Shop) -> None:
    stored(shop)
    opened(page, shop, "/prompts?prompt=critic")
    page.locator(".cm-line", has_text="Rule on every claim").click()
    page.keyboard.press("End")
    page.keyboard.type(" Mine.")
    page.wait_for_selector(".state:has-text('edited')")

    theirs = (shop.prompts / "critic.md").read_text(encoding="utf-8").replace("Rule on every claim:", "Theirs:")
    (shop.prompts / "critic.md").write_text(theirs, encoding="utf-8")
    page.click(".save")

    page.wait_for_selector("text=changed since it was read")
    assert (shop.prompts / "critic.md").read_text(encoding="utf-8") == theirs


def test_a_fault_of_a_prompt_is_told_while_it_is_typed(page: "Page", shop: Shop) -> None:
    stored(shop)
    opened(page, shop, "/prompts?prompt=critic")
    page.wait_for_selector(".findings .good")
    page.locator(".cm-line", has_text="Rule on every claim").click()
    page.keyboard.press("End")
    page.keyboard.type(" {{ price }}")

    page.wait_for_selector(".finding .bad")

    assert "price" in page.inner_text(".findings")


def test_three_claims_are_reviewed_by_keyboard(page: "Page", shop: Shop) -> None:
    stocked(shop, kettle("K1", "Acme kettle red"), kettle("K2", "Bosch kettle blue"))
    opened(page, shop, "/review")
    page.wait_for_selector(".claim-value:has-text('Acme')")
    assert page.inner_text("mark.strong") == "Acme"

    page.keyboard.press("a")
    page.wait_for_selector(".claim-value:has-text('red')")
    page.keyboard.press("r")
    page.wait_for_selector(".claim-value:has-text('Bosch')")
    page.keyboard.press("c")
    page.wait_for_function("document.activeElement.closest('.right-value')")
    page.keyboard.type("Siemens")
    page.keyboard.press("Enter")
    page.wait_for_selector(".claim-value:has-text('blue')")
    page.keyboard.press("u")
    page.wait_for_selector(".claim-value:has-text('Bosch')")
    page.wait_for_selector(".figure:has-text('claims judged'):has-text('2')")  # counted after what is shown

    with shop.database() as database, database.session() as session:
        decided = {(r.item_id, r.attribute, r.decision.value) for all_ in all_rulings(session).values() for r in all_}
    assert decided == {("K1", "brand", "accept"), ("K1", "color", "reject")}


def test_ten_clicks_start_one_run_which_stops_and_goes_on(page: "Page", shop: Shop) -> None:
    base = opened(page, shop, "/runs")
    page.wait_for_selector(".start")
    shop.gate.clear()

    page.evaluate("for (let n = 0; n < 10; n++) document.querySelector('.start').click()")
    page.wait_for_selector(".badge:has-text('under way')")
    page.wait_for_selector(".figures")
    page.goto("about:blank")  # the tab is closed; the run is not
    page.goto(f"{base}/runs")
    page.wait_for_selector(".badge:has-text('under way')")
    page.keyboard.press("s")
    page.wait_for_selector(".badge:has-text('stopping')")
    shop.gate.set()
    page.wait_for_selector(".badge:has-text('goes on where it was')")
    page.click(".start")
    page.wait_for_selector(".badge:has-text('finished')")

    with shop.database() as database, database.session() as session:
        last, first = runs(session)
    assert (first.state.value, last.state.value) == ("stopped", "finished")
    assert last.counts.enriched + last.counts.skipped == 3


def test_a_hostile_item_is_shown_as_text(page: "Page", shop: Shop) -> None:
    link = SourceField(name="url", text="javascript:window.pwned=1")
    hostile = CatalogItem(id="<b>H1</b>", title=HOSTILE, description="{{ 7*7 }} ]]> `${1}`", fields=(link,))
    stocked(shop, hostile, kettle("K2", "Bosch kettle blue"))
    base = opened(page, shop)
    page.click(".results a:has-text('script')")
    page.wait_for_selector(".item .source")

    for path in (
        "/review",
        "/knowledge?around=item:%3Cb%3EH1%3C/b%3E",
        "/knowledge",
        "/runs",
        "/items?item=%3Cb%3EH1%3C/b%3E",
    ):
        page.goto(base + path)
        page.wait_for_function("document.querySelector('.main') && !document.querySelector('.waiting')")

    assert HOSTILE in page.inner_text(".item .title-text")
    assert "javascript:window.pwned=1" in page.inner_text(".item")
    assert page.locator("a[href^=javascript], main img, main script").count() == 0
    assert page.evaluate("window.pwned") is None


def test_keys_are_listed_and_lead_from_page_to_page(page: "Page", shop: Shop) -> None:
    stocked(shop, kettle("K1", "Acme kettle red"))
    opened(page, shop)
    page.wait_for_selector(".results a")

    page.keyboard.press("?")
    page.wait_for_selector(".help:has-text('go to a page')")
    page.keyboard.press("Escape")
    page.wait_for_selector(".help", state="hidden")
    page.keyboard.press("5")
    page.wait_for_selector(".claim-value")

    assert page.url.endswith("/review")
    page.keyboard.press("?")
    page.wait_for_selector(".help:has-text('undo the last decision')")


def test_two_versions_are_compared_switched_and_rolled_back(page: "Page", shop: Shop) -> None:
    item = kettle("K1", "Acme kettle red")
    stocked(shop, item)
    with shop.database() as database, database.writing() as session:
        newer = version_for(session, PROVENANCE.model_copy(update={"model": "another"}))
        save_enrichment(session, newer, item, enriched(item, [quoted(item, "c1", "brand", "Acme")]))
    opened(page, shop, "/runs")

    page.click(".compare")
    page.wait_for_selector("td:has-text('- color: red')")
    page.click("button:has-text('Read this one')")
    page.wait_for_selector("text=version 2 is read from now on")
    page.click("button:has-text('Read this one')")
    page.wait_for_selector("text=version 1 is read from now on")


def test_a_wrong_host_is_misdirected_and_a_missing_token_refused(page: "Page", shop: Shop) -> None:
    url = shop.open()
    address = urlsplit(url).netloc

    def status(host: str, path: str) -> int:
        connection = HTTPConnection(address)
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status

    assert status("evil.test", "/items") == 421
    assert status(address, "/items") == 403
    refused = page.goto(f"http://{address}/review")
    assert refused is not None
    assert refused.status == 403
    assert page.goto(url) is not None
    page.wait_for_selector(".header")
    cookies = page.context.cookies()
    assert [(cookie.get("httpOnly"), cookie.get("sameSite")) for cookie in cookies] == [(True, "Strict")]
    assert "token" not in page.url
    assert "sk-planted-key" not in page.content() + shop.close()
