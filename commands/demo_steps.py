"""What the demo does with its knowledge: it ranks for made-up shoppers, imagines what they want, and writes a page."""

from collections.abc import Mapping

from commands.demo_page import PAGE, write_demo_page
from commands.imagined_demo import demo_imagining, print_imagined
from commands.ranker_demo import demo_ranking, print_ranking
from commands.settings import Settings
from memory.shown_url import shown_url


def demo_steps(
    settings: Settings, enriched: Mapping[str, object], scores: Mapping[str, Mapping[str, float]], *, quiet: bool
) -> dict[str, object]:
    """Return what each step found, None where it was not possible; print it as it comes unless `quiet`."""
    ranking = demo_ranking(settings)
    if ranking is not None and not quiet:
        print_ranking(ranking)
    imagined = None if ranking is None else demo_imagining(settings)
    if imagined is not None and not quiet:
        print_imagined(imagined)
    write_demo_page(PAGE, enriched, scores, ranking, imagined)
    return {"kb": shown_url(settings.kb), "scores": scores, "ranking": ranking, "imagined": imagined, "page": str(PAGE)}
