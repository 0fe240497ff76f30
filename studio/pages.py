"""Which pages there are, and under which addresses; one document holds them all, so that a page is there at once."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from studio.impact_page import impact_page
from studio.items_page import items_page
from studio.knowledge_page import knowledge_page
from studio.prompts_page import prompts_page
from studio.review_page import review_page
from studio.runs_page import runs_page
from studio.shell import PAGES, Shell
from studio.workbench import Workbench

BUILDERS: dict[str, Callable[..., Any]] = {
    "/": items_page,
    "/items": items_page,
    "/prompts": prompts_page,
    "/runs": runs_page,
    "/knowledge": knowledge_page,
    "/review": review_page,
    "/impact": impact_page,
}


def build_pages(bench: Workbench) -> None:
    """Make the pages of one workbench."""

    def studio() -> None:
        shell = Shell(bench)
        with shell.main:
            ui.sub_pages(dict(BUILDERS), data={"bench": bench, "shell": shell})

    for path in ("/", *(f"/{page}" for page in PAGES)):
        ui.page(path)(studio)
