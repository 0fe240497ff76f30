"""A shop for the studio: a catalog, a copy of the prompts, golden items, a model on loopback that can be held up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Self

from memory.database import Database, open_database
from tests.commands.willing_model import willing
from tests.loopback_provider import Asked, LoopbackProvider

ROOT = Path(__file__).parents[2]
ROWS = """sku,name,description,brand
K1,Acme steel kettle 1.7 l red,Boils fast. Power 2200 W.,Acme
K2,Nordlicht Wasserkocher 1 l blau,Edelstahl,Nordlicht
K3,Acme glass kettle 1 l,,Acme
"""
GOLD = """{"item_id": "K1", "attributes": {"brand": ["Acme"], "color": ["red"]}}
{"item_id": "K3", "attributes": {"brand": ["Acme"]}}
"""
SETTING_PREFIXES = ("REASEQ_", "OPENAI_", "OLLAMA_")
KB = "shop.db"
DEPARTMENTS = ("attributes", "clothing", "kitchen")  # a smaller taxonomy is read faster


class Shop:
    """Runs from `with` to its end; `held` keeps the model's answers back until `gate` is set."""

    def __init__(self, folder: Path, cache: Path, departments: tuple[str, ...] = DEPARTMENTS) -> None:
        self.folder = folder
        self._departments = departments  # of the taxonomy; none: all
        self.gate = Event()
        self.gate.set()
        self.provider = LoopbackProvider(self._answer)
        self._cache = cache
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        (self.folder / "kettles.csv").write_text(ROWS, encoding="utf-8")
        (self.folder / "gold.jsonl").write_text(GOLD, encoding="utf-8")
        shutil.copytree(ROOT / "prompts", self.prompts, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        departments = self.folder / "departments"
        departments.mkdir()
        for name in self._departments:
            shutil.copy(ROOT / "memory" / "departments" / f"{name}.yaml", departments)
        self.provider.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self.close()
        self.provider.__exit__()

    @property
    def prompts(self) -> Path:
        """The folder of its prompts."""
        return self.folder / "prompts"

    def database(self) -> Database:
        """Open its knowledge base."""
        return open_database(f"sqlite:///{self.folder}/{KB}")

    def open(self) -> str:
        """Start its studio and return the address with the token."""
        command = [sys.executable, str(ROOT / "app.py"), "studio", "kettles.csv", "--port", "0"]
        gold = ["--gold", "gold.jsonl", "--gold-catalog", "kettles.csv"]
        self._process = subprocess.Popen(
            [*command, *gold], cwd=self.folder, env=self._environment(), stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if "http://" in line:
                return line.split()[-1]
        raise AssertionError("".join(said))

    def close(self) -> str:
        """End its studio as Ctrl-C does, and return what it said since it was opened."""
        if self._process is None:
            return ""
        self._process.terminate()
        said = self._process.communicate(timeout=60)[1]
        self._process = None
        return str(said)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTING_PREFIXES)}
        return kept | {
            "REASEQ_KB": f"sqlite:///{KB}",
            "REASEQ_MODEL": "openai:small",
            "REASEQ_PROMPTS": str(self.prompts),
            "REASEQ_CACHE": str(self._cache),
            "OPENAI_BASE_URL": self.provider.base_url,
            "OPENAI_API_KEY": "sk-planted-key",
            **({"REASEQ_TAXONOMY": str(self.folder / "departments")} if self._departments else {}),
        }

    def _answer(self, asked: Asked) -> object:
        self.gate.wait(60)
        return willing(asked)
