"""Two traces side by side in a terminal."""

from rich.text import Text

from commands.comparison_rows import ComparedRow, cost_rows, outcome_rows
from commands.output import console, print_table
from evaluators.trace_comparison import TraceComparison
from memory.text import printable

STYLES = {"gained": "green", "lost": "red", "changed": "yellow", "another verdict": "yellow"}


def print_comparison(compared: TraceComparison, before: str, after: str) -> None:
    """Print what differs, and what each cost; the names head the columns."""
    rows = outcome_rows(compared)
    kept = f"{compared.claims.kept} claims and {compared.demands.kept} demands are as they were"
    if not compared.same_text:
        console.print(Text("The two are not of the same text.", style="yellow"))
    if rows:
        print_table("What came of it", ["", before, after, ""], [_cells(row) for row in rows])
        console.print(Text(kept, style="dim"))
    else:
        console.print(Text(f"The outcome is the same: {kept}."))
    print_table(
        "What it cost, all steps together", ["", before, after, ""], [_cells(row) for row in cost_rows(compared)]
    )


def _cells(row: ComparedRow) -> list[str | Text]:
    before, after = printable(row.before, 160), printable(row.after, 160)
    return [printable(row.of, 60), before, after, Text(row.change, style=STYLES.get(row.change, ""))]
