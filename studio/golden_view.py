"""What golden items say of an edit: before and after, the interval of the difference, the items that won or lost."""

from evaluators.comparison import ItemChange
from evaluators.evaluation import Evaluation
from evaluators.significance import Difference
from studio.parts import Cell, figures, heading, table, text

LISTED = 12


def show_evaluation(found: Evaluation) -> None:
    """Show a comparison of the saved prompt with the edited one."""
    compared = found.comparison
    if compared is None or found.compared is None:
        return
    heading("On golden items", f"{found.gold.items} items of {found.gold.file.rsplit('/', 1)[-1]}, saved → edited")
    figures([(_shares(compared.f1), "F1 of values"), (_shares(compared.category_accuracy), "category accuracy")])
    text(_ruling(compared.f1), f"told {_style(compared.f1)}")
    rows = [["F1", *_cells(compared.f1)], ["category accuracy", *_cells(compared.category_accuracy)]]
    table(["", "saved", "edited", "difference", "95 % interval", "p"], rows, numbers=[1, 2, 3, 4, 5])
    changes = [*compared.losses[:LISTED], *compared.wins[:LISTED]]
    if changes:
        table(["item", "F1 saved", "edited", "gained", "lost"], [_change(one) for one in changes], numbers=[1, 2])
    for note in found.gold.notes:
        text(note, "soft small")


def _ruling(f1: Difference) -> str:
    if f1.better:
        return "The edit is better for sure: the whole interval lies above 0."
    if f1.worse:
        return "The edit is worse for sure: the whole interval lies below 0."
    return "No difference is sure: the interval holds 0. More golden items narrow it."


def _style(f1: Difference) -> str:
    return "good" if f1.better else "bad" if f1.worse else "doubt"


def _shares(one: Difference) -> str:
    return f"{one.before:.1%} → {one.after:.1%}"


def _cells(one: Difference) -> list[str]:
    interval = f"{100 * one.low:+.1f} to {100 * one.high:+.1f}"
    return [f"{one.before:.1%}", f"{one.after:.1%}", f"{100 * one.difference:+.1f}", interval, f"{one.p_value:.3f}"]


def _change(one: ItemChange) -> list[str | Cell]:
    gained, lost = Cell(", ".join(one.gained), "good"), Cell(", ".join(one.lost), "bad")
    return [f"{one.item_id}  {one.title}", f"{one.before:.0%}", f"{one.after:.0%}", gained, lost]
