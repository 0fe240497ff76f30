"""The page."""

from studio.shell import Shell
from studio.workbench import Workbench


async def prompts_page(bench: Workbench, shell: Shell) -> None:
    """Show the page."""
    shell.show("prompts")
