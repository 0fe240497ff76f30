"""The records that travel: items, claims with evidence, verdicts, enrichments."""

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Literal, Self

import orjson
from pydantic import Field, ModelWrapValidatorHandler, ValidationInfo, model_validator

from memory.category import CategoryChoice
from memory.model_call import Usage
from memory.record import Record
from memory.relation import Relation as Relation  # noqa: PLC0414 - those who read a demand find it here


class SourceField(Record):
    """One extra catalog column of an item, as text in the normal form of `memory.text`."""

    name: str = Field(min_length=1, max_length=200)
    text: str


class UnknownField(KeyError):
    """Evidence names a field that the item does not have."""


class CatalogItem(Record):
    """One product as its shop describes it; every text is in the one normal form of `memory.text`."""

    id: str = Field(min_length=1, max_length=200)
    title: str = Field(min_length=1)
    description: str = ""
    fields: tuple[SourceField, ...] = ()

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield (field name, text) for the title, the description and each extra field that has text."""
        yield "title", self.title
        if self.description:
            yield "description", self.description
        for field in self.fields:
            if field.text:
                yield field.name, field.text

    def source(self, field: str) -> str:
        """Return the text of one field; `UnknownField` names what is missing."""
        for name, text in self.texts():
            if name == field:
                return text
        raise UnknownField(f"item {self.id!r} has no text field {field!r}")

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of everything the shop says about the item, its id left out."""
        return hashlib.sha256(orjson.dumps([*self.texts()])).hexdigest()


class Evidence(Record):
    """A verbatim span of the item's own text; it cannot be built where the text does not say so.

    `start` and `end` count code points of `item.source(field)`, end exclusive. Build it with
    `Evidence.at`, or validate it with `context={"item": item}`.
    """

    field: str
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    quote: str = Field(min_length=1)

    @classmethod
    def at(cls, item: CatalogItem, field: str, start: int, end: int) -> Self:
        """Return the span [start, end) of the item's field as evidence."""
        data = {"field": field, "start": start, "end": end, "quote": item.source(field)[start:end]}
        return cls.model_validate(data, context={"item": item})

    @model_validator(mode="wrap")
    @classmethod
    def _is_a_span_of_the_item(cls, data: Any, build: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if isinstance(data, cls):
            return data  # it was checked when it was built
        evidence = build(data)
        item = (info.context or {}).get("item")
        if not isinstance(item, CatalogItem):
            raise ValueError("evidence is built against an item: Evidence.at(item, field, start, end)")
        try:
            text = item.source(evidence.field)
        except UnknownField as error:
            raise ValueError(str(error)) from error
        if text[evidence.start : evidence.end] != evidence.quote:
            place = f"{evidence.field}[{evidence.start}:{evidence.end}]"
            raise ValueError(f"{place} of item {item.id!r} is not {evidence.quote!r}")
        return evidence


class ClaimSource(StrEnum):
    """Where a claim comes from."""

    TEXT = "text"
    WORLD_KNOWLEDGE = "world_knowledge"


# Who said it: patterns in the text; a word that an allowed value goes by; a catalog column; what was approved of other
# items; the trained student; a language model; a person.
Producer = Literal["rule", "vocabulary", "field", "lookup", "student", "model", "human"]


class Claim(Record):
    """One attribute value of one item; a text claim always carries its evidence."""

    id: str = Field(min_length=1)  # unique within the item
    name: str = Field(min_length=1)  # the attribute's key
    value: str = Field(min_length=1)  # as the text or the model has it
    normalized: str = Field(min_length=1)  # the canonical form: an allowed value, or a decimal in the attribute's unit
    unit: str | None = None
    source: ClaimSource
    evidence: Evidence | None = None
    confidence: float = Field(ge=0, le=1)
    producer: Producer
    raw_confidence: float | None = Field(default=None, ge=0, le=1)  # as it came, where `confidence` is calibrated
    seconded_by: tuple[Producer, ...] = ()  # others who found the same value
    disputed: bool = False  # another producer found another value for an attribute that has one
    # How near `value` came to the allowed value that it was taken for; None where it is one of its words, or none.
    snapped: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _text_needs_evidence(self) -> Self:
        if (self.source is ClaimSource.TEXT) != (self.evidence is not None):
            raise ValueError(f"claim {self.id!r}: a text claim has evidence, world knowledge has none")
        return self


class UngroundedProposal(Record):
    """What a model proposed as text although no span of the item's text says so: never a claim, but not forgotten."""

    name: str
    value: str
    quote: str
    round: int = Field(default=0, ge=0)


class Decision(StrEnum):
    """What the critic says of a claim."""

    ACCEPT = "accept"
    REVISE = "revise"
    REJECT = "reject"
    ABSTAIN = "abstain"  # nothing speaks against it but that it is not sure enough: a person may decide


class Reason(StrEnum):
    """Why the critic said so."""

    SUPPORTED = "supported"
    EVIDENCE_LACKS_VALUE = "evidence_lacks_value"
    WRONG_TYPE = "wrong_type"
    WRONG_UNIT = "wrong_unit"
    NOT_IN_VOCABULARY = "not_in_vocabulary"
    OUT_OF_RANGE = "out_of_range"
    CONTRADICTION = "contradiction"
    DUPLICATE = "duplicate"
    NOT_IN_TEMPLATE = "not_in_template"
    UNSUPPORTED = "unsupported"  # the model's judgement
    UNRULED = "unruled"  # the model passed over the claim
    LOW_CONFIDENCE = "low_confidence"  # below what the target precision asks for
    REVIEWED = "reviewed"  # a person decided
    GENERIC = "generic"  # of a demand: it is true of most other items as well
    IMPLAUSIBLE = "implausible"  # of a demand: nobody would want the item for it


class Verdict(Record):
    """The critic's ruling on one claim or one demand."""

    claim_id: str  # or the demand's id
    decision: Decision
    reason: Reason
    checked_by: Literal["code", "model", "human"]
    note: str = ""
    round: int = Field(default=0, ge=0)


class Demand(Record):
    """What somebody may want of an item: knowledge of the world, never a statement of the item's text."""

    id: str = Field(min_length=1)  # unique within the item
    relation: Relation
    text: str = Field(min_length=1, max_length=200)  # such as "drilling into concrete"
    positive: bool = True  # False: it is what the item does not serve
    plausibility: float = Field(ge=0, le=1)  # could somebody want it for this?
    typicality: float = Field(ge=0, le=1)  # do most who want it want it for this?
    rests_on: tuple[str, ...] = ()  # ids of the accepted claims that it follows from; none: from the category alone
    producer: Literal["template", "model", "human"]


class Provenance(Record):
    """All that shaped an enrichment."""

    prompts: tuple[tuple[str, str], ...]  # (prompt name, fingerprint), sorted
    model: str
    parameters: str  # canonical JSON
    taxonomy_version: str
    encoder: str
    code_version: str
    max_revisions: int
    # Whatever else shaped it: (name, fingerprint) of a student, demonstrations, a calibration …, sorted.
    aids: tuple[tuple[str, str], ...] = ()


class Enrichment(Record):
    """What reaseq knows of one item, with every verdict and its provenance."""

    item_id: str
    content_hash: str
    category: CategoryChoice
    claims: tuple[Claim, ...]  # accepted and rejected ones
    verdicts: tuple[Verdict, ...]  # the last one of each claim
    ungrounded: tuple[UngroundedProposal, ...] = ()
    demands: tuple[Demand, ...] = ()  # let through and refused ones
    demand_verdicts: tuple[Verdict, ...] = ()  # one a demand
    summary: str
    rounds: int = Field(ge=0)  # how often claims went back to the extractor
    provenance: Provenance
    usage: Usage
    model_calls: int = Field(ge=0)
    shortened: bool = False  # some agent was shown less of the text than usual: the model's context was too short
    seconds: float = Field(ge=0)

    def verdict_on(self, claim: Claim) -> Verdict:
        """Return the ruling on a claim; every claim of an enrichment has one."""
        return next(verdict for verdict in self.verdicts if verdict.claim_id == claim.id)

    @property
    def accepted(self) -> tuple[Claim, ...]:
        """The claims that the critic let through."""
        return tuple(c for c in self.claims if self.verdict_on(c).decision is Decision.ACCEPT)

    @property
    def accepted_demands(self) -> tuple[Demand, ...]:
        """The demands that the critic let through."""
        accepted = {v.claim_id for v in self.demand_verdicts if v.decision is Decision.ACCEPT}
        return tuple(demand for demand in self.demands if demand.id in accepted)

    @model_validator(mode="after")
    def _each_claim_is_ruled_once(self) -> Self:
        if sorted(claim.id for claim in self.claims) != sorted(verdict.claim_id for verdict in self.verdicts):
            raise ValueError(f"item {self.item_id!r}: each claim needs exactly one verdict")
        if sorted(demand.id for demand in self.demands) != sorted(v.claim_id for v in self.demand_verdicts):
            raise ValueError(f"item {self.item_id!r}: each demand needs exactly one verdict")
        return self
