"""The launcher of the installed command: finds the floors and hands over to `app`."""

import sys
from pathlib import Path


def main() -> None:
    """Run the command line, from a clone (floors beside this folder) or a wheel (floors inside it)."""
    here = Path(__file__).resolve().parent
    home = here if (here / "app.py").exists() else here.parent
    # First, because agents, memory and graphs are taken names in many environments.
    sys.path.insert(0, str(home))
    import app  # noqa: PLC0415

    app.main()
