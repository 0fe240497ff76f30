"""What a system's item scores add up to."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from evaluators.calibration import Calibration, Threshold, calibration, threshold_for
from evaluators.extractgpt import AnswerKinds, ProtocolScores
from evaluators.hierarchy import PathOverlap
from evaluators.item_scores import ItemScore
from evaluators.rates import Rates, ratio
from memory.record import Record


class GroupScore(Record):
    """The answers for one attribute, or for the items of one category."""

    name: str
    kinds: AnswerKinds
    rates: Rates


class Summary(Record):
    """The figures of one system over all items; a failed item counts as one of which nothing was found."""

    items: int
    failed: int
    categorized: int  # items whose category gold states
    category_accuracy: float
    category_overlap: Rates  # hierarchical
    kinds: AnswerKinds
    micro: Rates  # the ExtractGPT protocol
    macro_f1: float  # mean over (category, attribute)
    strict: Rates  # values for attributes that nobody looked for are wrong as well
    by_attribute: tuple[GroupScore, ...]
    by_category: tuple[GroupScore, ...]
    demands_wanted: int = 0  # by gold
    demand_recall: float = 0.0  # share of them that an accepted demand says; what else is said may be right as well
    text_claims: int
    grounded: float  # share of the text claims whose evidence stands in the text
    ungrounded: int  # proposals that no span of the text supports; none of them became a claim
    calibration: Calibration
    threshold: Threshold | None
    calls_an_item: float
    tokens_an_item: float


def summarize(scores: Sequence[ItemScore], target_precision: float) -> Summary:
    """Return the figures of these items."""
    kinds = sum((score.kinds for score in scores), AnswerKinds())
    categorized = [score for score in scores if score.wanted_path]
    judged = [claim for score in scores for claim in score.judged]
    demands_wanted = sum(score.demands_wanted for score in scores)
    text_claims = sum(score.text_claims for score in scores)
    return Summary(
        items=len(scores),
        failed=sum(bool(score.failure) for score in scores),
        categorized=len(categorized),
        category_accuracy=ratio(sum(score.category_right for score in categorized), len(categorized)),
        category_overlap=sum((score.overlap for score in scores), PathOverlap()).rates,
        kinds=kinds,
        micro=rates_of(kinds),
        macro_f1=ProtocolScores(kinds, _by_category_and_attribute(scores)).macro_f1,
        strict=rates_of(kinds.model_copy(update={"nv": kinds.nv + kinds.beside})),
        by_attribute=_grouped(scores, lambda _, attribute: attribute),
        by_category=_grouped(scores, lambda score, _: score.category or "(none)"),
        demands_wanted=demands_wanted,
        demand_recall=ratio(sum(score.demands_found for score in scores), demands_wanted),
        text_claims=text_claims,
        grounded=ratio(sum(score.evidenced for score in scores), text_claims),
        ungrounded=sum(score.ungrounded for score in scores),
        calibration=calibration(judged),
        threshold=threshold_for(judged, target_precision),
        calls_an_item=ratio(sum(score.calls for score in scores), len(scores)),
        tokens_an_item=ratio(sum(score.tokens for score in scores), len(scores)),
    )


def rates_of(kinds: AnswerKinds) -> Rates:
    """Return precision, recall and F1 of the ExtractGPT protocol."""
    return Rates(precision=kinds.precision, recall=kinds.recall, f1=kinds.f1)


def _by_category_and_attribute(scores: Iterable[ItemScore]) -> dict[tuple[str, str], AnswerKinds]:
    found: defaultdict[tuple[str, str], AnswerKinds] = defaultdict(AnswerKinds)
    for score in scores:
        for attribute, kinds in score.attributes.items():
            found[score.category, attribute] += kinds
    return found


def _grouped(scores: Iterable[ItemScore], name: Callable[[ItemScore, str], str]) -> tuple[GroupScore, ...]:
    """Return the answers by group, those with most gold values first."""
    found: defaultdict[str, AnswerKinds] = defaultdict(AnswerKinds)
    for score in scores:
        for attribute, kinds in score.attributes.items():
            found[name(score, attribute)] += kinds
    groups = [GroupScore(name=name, kinds=kinds, rates=rates_of(kinds)) for name, kinds in found.items()]
    return tuple(sorted(groups, key=lambda group: (-(group.kinds.vn + group.kinds.vc + group.kinds.vw), group.name)))
