"""The picture of the graph in README.md, as LangGraph itself draws it; `python -m tests.readme_graph` renews it."""

from pathlib import Path

from graphs.enrichment import build_enrichment_graph

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "```mermaid\n", "```\n<!-- end of graph -->"


def drawn() -> str:
    """Return the graph as mermaid."""
    return build_enrichment_graph().get_graph().draw_mermaid()


def pictured(readme: str) -> str:
    """Return the picture that stands in the README."""
    return readme.split(BEGIN, 1)[1].split(END, 1)[0]


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(text.replace(BEGIN + pictured(text) + END, BEGIN + drawn() + END), encoding="utf-8")
