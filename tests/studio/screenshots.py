"""The pictures of docs/studio.md, taken anew from a shop on loopback: `python -m tests.studio.screenshots KB [FOLDER]`.

KB is the file of a knowledge base of the sample (`reaseq enrich memory/sample/catalog.csv`) with a report of
`reaseq impact`; it is copied.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

from tests.studio.shop import KB, ROOT, Shop

SIZES = ((1440, 900), (800, 900))
ITEM = "S002"
READY = "!document.querySelector('.waiting')"


def main() -> None:
    """Take them all."""
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "studio"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place, Shop(Path(place), Path(place) / "cache", departments=()) as shop:
        shutil.copy(sys.argv[1], Path(place) / KB)
        url = shop.open()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
            prepared(browser, url)
            for scheme in ("light", "dark"):
                for width, height in SIZES:
                    taken(browser, url, folder, scheme, width, height)


def prepared(browser: Browser, url: str) -> None:
    """Trace an item, run the catalog and decide a few values, so that every page has something to show."""
    page = browser.new_page()
    page.set_default_timeout(300_000)
    base = entered(page, url)
    page.goto(f"{base}/items?item={ITEM}")
    page.click(".run-item")
    page.wait_for_selector(".trace .steps")
    page.goto(f"{base}/review")
    for key in "aaraaraa":
        before = page.inner_text(".claim-value")
        page.keyboard.press(key)
        page.wait_for_function("before => document.querySelector('.claim-value').innerText !== before", arg=before)
    page.goto(f"{base}/runs")
    page.click(".start")
    page.wait_for_selector(".main .panel .badge:has-text('finished')")
    page.close()


def taken(browser: Browser, url: str, folder: Path, scheme: str, width: int, height: int) -> None:
    """Take a picture of each page in one size and one scheme of colours."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.set_default_timeout(300_000)
    base = entered(page, url)
    for name, (address, first) in {
        "item": (f"/items?item={ITEM}&trace=1&step=2", ".chosen-step .message"),
        "prompts": ("/prompts?prompt=attribute_extractor", ".rendered .message"),
        "runs": ("/runs", "text=is read"),
        "knowledge": ("/knowledge", ".main svg"),
        "review": ("/review", ".claim-value"),
        "impact": ("/impact", ".report svg.intervals"),
    }.items():
        page.goto(base + address)
        page.wait_for_selector(first, state="attached")
        page.wait_for_function(READY)
        page.wait_for_timeout(600)  # for fonts and transitions
        page.screenshot(path=folder / f"{name}-{scheme}-{width}.png")
    context.close()


def entered(page: Page, url: str) -> str:
    """Open the studio with its token; return its address without."""
    page.goto(url)
    page.wait_for_selector(".results a")
    return url.partition("/?")[0]


if __name__ == "__main__":
    main()
