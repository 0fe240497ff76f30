"""The size limits of the house: files of at most 300 lines, functions of at most 30; run by `make check`."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOORS = (
    "reaseq",
    "studio",
    "commands",
    "graphs",
    "agents",
    "evaluators",
    "prompts",
    "diffusion",
    "ranker",
    "learning",
    "memory",
    "benchmarks",
)
FILE_LINES = 300
FUNCTION_LINES = 30


def oversized(root: Path) -> Iterator[str]:
    """Yield one line for each file or function that is too long."""
    files = [root / "app.py", *(path for floor in FLOORS for path in sorted((root / floor).rglob("*.py")))]
    for path in (path for path in files if path.exists()):
        source = path.read_text(encoding="utf-8")
        lines = source.count("\n")
        if lines > FILE_LINES:
            yield f"{path.relative_to(root)}: {lines} lines (at most {FILE_LINES})"
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    place = f"{path.relative_to(root)}:{node.lineno}"
                    yield f"{place}: {node.name} has {length} lines (at most {FUNCTION_LINES})"


if __name__ == "__main__":
    problems = list(oversized(ROOT))
    print("\n".join(problems) or "sizes: every file and function is within its limit")
    sys.exit(1 if problems else 0)
