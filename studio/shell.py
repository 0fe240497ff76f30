"""What every page stands in: the way to the others, the keys that work everywhere, what to say when something fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from nicegui import Client, app, ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from memory.errors import ReaseqError
from memory.version import VERSION
from studio.parts import address, box, button, text
from studio.telling import in_tab, refuse
from studio.workbench import Workbench

HERE = Path(__file__).parent
PAGES = {
    "items": "Items",
    "prompts": "Prompts",
    "runs": "Runs",
    "knowledge": "Knowledge",
    "review": "Review",
    "impact": "Impact",
}
KEYS = {"1 … 6": "go to a page", "/": "search", "?": "show or hide these keys", "Esc": "close, leave a field"}

logger = logging.getLogger(__name__)

Keys = dict[str, str]  # key → what it does


def style_pages() -> None:
    """Give every page our style and our keys; both are files of ours."""
    app.add_static_file(local_file=HERE / "studio.css", url_path=f"/studio-{VERSION}.css")
    app.add_static_file(local_file=HERE / "studio.js", url_path=f"/studio-{VERSION}.js")
    ui.add_head_html(f'<link rel="stylesheet" href="/studio-{VERSION}.css">', shared=True)
    ui.add_body_html(f'<script defer src="/studio-{VERSION}.js"></script>', shared=True)
    logging.getLogger("nicegui").addFilter(_is_no_failure)
    app.on_exception(tell_failure)
    app.on_page_exception(show_failure)


class Shell:
    """The frame of one tab; the page that is shown in it says its name and its keys."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._keys: Keys = {}
        self._pressed: dict[str, Callable[[], Awaitable[None]]] = {}
        self._links: dict[str, Element] = {}
        self._dark = ui.dark_mode(bench.dark)
        self._help = ui.dialog()
        self._header()
        self.main = box("main", "main")
        ui.on("shortcut", self._on_key)

    def show(self, page: str, keys: Keys | None = None) -> None:
        """Say which page is shown from now on, and which keys it knows."""
        ui.page_title(f"{PAGES[page]} · reaseq studio")
        self._keys = KEYS | (keys or {})
        self._pressed = {}
        for name, made in self._links.items():
            here = name == page
            made.classes(add="here" if here else None, remove=None if here else "here")
            made.props["aria-current"] = "page" if here else "false"
            made.update()
        self._fill_help()

    def on_key(self, key: str, do: Callable[[], object]) -> None:
        """Let a key do something while no field has the focus."""
        self._pressed[key] = in_tab(do)

    async def _on_key(self, event: GenericEventArguments) -> None:
        key = str(event.args)
        if key == "?":
            self._help.value = not self._help.value
        elif key == "Escape":
            self._help.value = False
        elif key in self._pressed and not self._help.value:
            await self._pressed[key]()

    def _header(self) -> None:
        with box("header", "header"):
            text("reaseq studio", "brand")
            with box("pages", "nav"):
                for number, (page, name) in enumerate(PAGES.items(), 1):
                    made = text(name, tag="a")
                    made.props.update({"href": address(page), "title": f"key {number}", "data-key": str(number)})
                    self._links[page] = made
            with box("about"):
                self._under_way = text("", "under-way")
                url = self._bench.database.url
                text(url.rsplit("/", 1)[-1], "soft kb").props["title"] = url
                text(self._bench.settings.model, "soft model")
                button("◐", self._turn, "quiet", hint="light, dark, or as the browser says")
                button("?", lambda: self._help.set_value(True), "quiet", hint="keys")
        ui.timer(1.0, self._tell_run)

    def _tell_run(self) -> None:
        run = self._bench.desk.run
        told = "" if run is None or run.ended else "● a run is under way"
        if self._under_way.text != told:
            self._under_way.set_text(told)

    def _turn(self) -> None:
        following: dict[bool | None, bool | None] = {None: True, True: False, False: None}
        self._bench.dark = following[self._bench.dark]
        self._dark.value = self._bench.dark
        told = {None: "as the browser says", True: "dark", False: "light"}
        ui.notify(f"colours: {told[self._bench.dark]}")

    def _fill_help(self) -> None:
        self._help.clear()
        with self._help, box("help"):
            text("Keys", tag="h2")
            for key, what in self._keys.items():
                with box("key"):
                    text(key, tag="kbd")
                    text(what)


def tell_failure(error: Exception) -> None:
    """Say on the page what its reader can mend; of anything else only a number, which the log has with all of it."""
    if isinstance(error, ReaseqError):
        message = str(error)
    elif isinstance(error, asyncio.CancelledError):
        return
    else:
        trace_id = uuid4().hex[:12]
        logger.error("trace id %s", trace_id, exc_info=error)
        message = f"that failed by an error of the program; its log says more under {trace_id}"
    client = _client()
    if client is not None:
        with client:
            refuse(message)


def _is_no_failure(record: logging.LogRecord) -> bool:
    """Return whether nicegui logs something else than a failure: these are told by `tell_failure` alone."""
    return not isinstance(record.msg, Exception)


def show_failure(error: Exception) -> None:
    """Show a page in place of one that could not be made."""
    with box("main", "main"):
        text("This page could not be made", tag="h2")
        text(str(error) if isinstance(error, ReaseqError) else "The log of the studio says why.", "soft")


def _client() -> Client | None:
    try:
        return ui.context.client
    except RuntimeError:  # of a task that belongs to no page
        return None
