"""What a system says of one golden item, as plain values that scores are made of."""

from pydantic import Field

from memory.record import Record


class PredictedValue(Record):
    """One accepted claim."""

    attribute: str
    written: str  # as the text or the model has it
    normal: str  # in the attribute's normal form, with its unit
    confidence: float = Field(ge=0, le=1)


class Prediction(Record):
    """The category path, the accepted claims, and what they took; of a failed item the reason alone."""

    item_id: str
    failure: str = ""
    path: tuple[str, ...] = ()
    values: tuple[PredictedValue, ...] = ()
    demands: tuple[str, ...] = ()  # the accepted ones that the item serves
    text_claims: int = 0  # accepted or not
    evidenced: int = 0  # those of them whose evidence stands in the item's text, letter by letter
    ungrounded: int = 0  # proposals of a model that no span of the text supports; they became no claims
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
