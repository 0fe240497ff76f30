"""How imagined behaviours look in a terminal: a line of time, each with its reasons."""

from rich.text import Text

from commands.imagined_drawing import reason
from commands.imagined_view import ImaginedView, LoggedBehavior, utc
from commands.output import print_table
from memory.text import printable

BAR = 8  # cells of a bar of confidence


def print_timeline(view: ImaginedView) -> None:
    """Print what happened and what was imagined, the oldest first."""
    rows: list[list[str | Text]] = []
    for row in view.rows:
        if isinstance(row, LoggedBehavior):
            done = Text(printable(row.title or row.item, 60))
            rows.append([view.moment(row.time), Text(f"● {row.kind}", style="blue"), done, "", "", ""])
        else:
            style = "magenta" if row.slot == "gap" else "yellow"
            where = view.moment(row.time) if row.slot == "gap" else f"next, no. {row.position}"
            full = round(BAR * row.confidence)
            rows.append(
                [
                    where,
                    Text(f"◇ {row.slot}", style=style),
                    Text(printable(row.title or row.item, 60), style=style),
                    Text("█" * full + "·" * (BAR - full) + f" {row.confidence:.2f}", style=style),
                    "" if row.slot == "next" else f"{row.agreement:.0%}",
                    Text(printable(reason(row), 160)),
                ]
            )
    until = "" if view.expires is None else f", until {utc(view.expires)}"
    title = printable(
        f"{view.user}: {len(view.imagined)} imagined as of {view.moment(view.as_of)} by {view.model_version}{until}",
        200,
    )
    print_table(title, ["when", "", "item", "sure", "chains", "because"], rows)
