"""The demo's last page: what was enriched, how it ranks, what was imagined; every text in it is data."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from commands.imagined_drawing import drawing, pages
from memory.atomic_file import written_whole

if TYPE_CHECKING:
    from commands.imagined_demo import DemoImagined
    from evaluators.ranking.report import RankingReport

PAGE = Path("demo-report.html")
METRICS = 3  # of a ranking


def write_demo_page(
    path: Path,
    enriched: Mapping[str, object],
    scores: Mapping[str, Mapping[str, float]],
    ranking: "RankingReport | None",
    imagined: "DemoImagined | None",
) -> None:
    """Write the page; what was not possible is left out."""
    shown = (
        []
        if imagined is None
        else list(zip(imagined.views, map(drawing, imagined.views), imagined.checked, strict=True))
    )
    page = (
        pages()
        .get_template("demo.html")
        .render(
            enriched=enriched,
            scores=scores,
            ranking=ranking,
            metrics=() if ranking is None else ranking.metrics[:METRICS],
            imagined=imagined,
            shown=shown,
        )
    )
    with written_whole(path) as unfinished:
        unfinished.write_text(page.lstrip(), encoding="utf-8")
