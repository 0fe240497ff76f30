"""`reaseq studio`: the workbench in a browser on this machine."""

import secrets
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.output import KnowledgeBase, say
from commands.setting_options import AIDS, REASONING, with_options
from commands.settings import settings_of
from memory.errors import ReaseqError
from studio.address import LOOPBACK, token_for

PORT = 8377

Port = Annotated[int, typer.Option("--port", help="0: any that is free.", min=0, max=65_535)]
Host = Annotated[str, typer.Option("--host", help="Elsewhere than on this machine only with --token-file.")]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="Has the token to open it with; else a new one.", metavar="FILE")
]
Gold = Annotated[
    Path | None, typer.Option("--gold", help="Golden items to try prompts on; else the sample's.", metavar="FILE")
]
GoldCatalog = Annotated[
    Path | None,
    typer.Option("--gold-catalog", help="Has the texts of those that are an id alone.", metavar="FILE"),
]


class StudioMissing(ReaseqError):
    """What the studio needs is not installed."""


@with_options(REASONING | AIDS)
def studio(
    context: typer.Context,
    catalogs: Annotated[list[Path] | None, typer.Argument(help="Catalogs that runs may read.")] = None,
    kb: KnowledgeBase = None,
    port: Port = PORT,
    host: Host = LOOPBACK,
    token_file: TokenFile = None,
    gold: Gold = None,
    gold_catalog: GoldCatalog = None,
    **settings: Any,
) -> None:
    """Open the workbench: items, prompts, runs, knowledge and review in a browser, on this machine alone."""
    chosen = settings_of(context, kb=kb, **settings)
    token = token_for(host, token_file, secrets.token_urlsafe(24))
    try:
        from studio.serving import serve  # noqa: PLC0415 - nicegui takes a second to import, and is an extra
        from studio.workbench import Workbench  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise StudioMissing(f"the studio needs {error.name}: pip install 'reaseq[studio]'") from None
    bench = Workbench.open(chosen, tuple(catalogs or ()))
    if gold is not None:
        bench.gold, bench.gold_catalog = gold, gold_catalog
    serve(bench, host, port, token, _tell)


def _tell(url: str) -> None:
    say(f"reaseq studio: {url}\nCtrl-C ends it; a run under way stores what is in flight first")
