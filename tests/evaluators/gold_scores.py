"""Golden items and scores that tests of the evaluators are made of."""

from evaluators.evaluation import Evaluation, GoldUsed, Protocol, SystemResult, fingerprint_of
from evaluators.extractgpt import AnswerKinds
from evaluators.golden import GoldItem
from evaluators.item_scores import Grading, ItemScore, Judged
from evaluators.predictions import PredictedValue, Prediction
from evaluators.summary import summarize

LETTERS = Grading(same=lambda value, wanted: value.written == wanted, many={"colour"})


def value(attribute: str, written: str, confidence: float = 0.8) -> PredictedValue:
    """Return an accepted claim."""
    return PredictedValue(attribute=attribute, written=written, normal=written, confidence=confidence)


def said(*values: PredictedValue, path: tuple[str, ...] = ("Kitchen", "Mugs")) -> Prediction:
    """Return what a system says of a mug."""
    return Prediction(item_id="1", path=path, values=values, text_claims=len(values), evidenced=len(values))


def score(item_id: str, kinds: AnswerKinds, *, category_right: bool = True, tokens: int = 0) -> ItemScore:
    """Return an item's score of one attribute."""
    return ItemScore(
        item_id=item_id,
        title=f"item {item_id}",
        category="mugs",
        wanted_path=("Kitchen", "Mugs"),
        found_path=("Kitchen", "Mugs") if category_right else ("Kitchen", "Bowls"),
        attributes={"brand": kinds},
        judged=(Judged(confidence=0.8, right=kinds.vc > 0),),
        prompt_tokens=tokens,
    )


def evaluation(scores: list[ItemScore], label: str = "a model", **gold: object) -> Evaluation:
    """Return the evaluation of one system."""
    golden = [GoldItem(item_id=s.item_id, title=s.title, attributes={"brand": ("Acme",)}) for s in scores]
    used = {"file": "gold.jsonl", "fingerprint": fingerprint_of(golden), "items": len(scores)} | gold
    return Evaluation(
        gold=GoldUsed.model_validate(used),
        protocol=Protocol(match="normal", complete=False),
        system=SystemResult(
            label=label, provenance=None, summary=summarize(scores, 0.95), cost=None, items=tuple(scores)
        ),
    )
