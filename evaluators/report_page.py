"""An evaluation as one HTML file: no script, nothing from elsewhere; every text in it is data and is escaped."""

from evaluators.evaluation import Evaluation
from evaluators.pages import render_page

TEMPLATE = "report.html"


def report_page(found: Evaluation) -> str:
    """Return the page."""
    systems = [found.compared, found.system] if found.compared else [found.system]
    return render_page(TEMPLATE, found=found, systems=systems)
