"""Items and enrichments for the tests of the knowledge base."""

from collections.abc import Sequence

from memory.category import CategoryCandidate, CategoryChoice
from memory.model_call import Usage
from memory.schema import (
    CatalogItem,
    Claim,
    ClaimSource,
    Decision,
    Enrichment,
    Provenance,
    Reason,
    SourceField,
    UngroundedProposal,
    Verdict,
)

PROVENANCE = Provenance(
    prompts=(("critic", "f1"), ("summarizer", "f2")),
    model="scripted:test",
    parameters='{"temperature":0}',
    taxonomy_version="starter-1",
    encoder="minilm",
    code_version="0.1.0",
    max_revisions=2,
)
DRILLS = ("Tools", "Power Tools", "Drills")


def drill(item_id: str = "d1", title: str = "Acme cordless drill 18 V red") -> CatalogItem:
    return CatalogItem(
        id=item_id, title=title, description="With two batteries.", fields=(SourceField(name="colour", text="red"),)
    )


def quoted(item: CatalogItem, claim_id: str, name: str, value: str, unit: str | None = None) -> Claim:
    """Return a text claim whose evidence is the first place where the title says `value`."""
    start = item.title.index(value)
    evidence = {"field": "title", "start": start, "end": start + len(value), "quote": value}
    content = {
        "id": claim_id,
        "name": name,
        "value": value,
        "normalized": value.lower(),
        "unit": unit,
        "source": "text",
        "evidence": evidence,
        "confidence": 0.9,
        "producer": "rule",
    }
    return Claim.model_validate(content, context={"item": item})


def known(name: str, value: str, claim_id: str = "w1") -> Claim:
    """Return a claim from world knowledge."""
    return Claim(
        id=claim_id,
        name=name,
        value=value,
        normalized=value,
        source=ClaimSource.WORLD_KNOWLEDGE,
        confidence=0.5,
        producer="model",
    )


def enriched(
    item: CatalogItem,
    claims: Sequence[Claim] | None = None,
    *,
    rejected: Sequence[Claim] = (),
    summary: str = "A cordless drill.",
    path: tuple[str, ...] = DRILLS,
    provenance: Provenance = PROVENANCE,
) -> Enrichment:
    """Return an enrichment that accepts `claims` (the title's first word as brand, unless given) and rejects others."""
    accepted = [quoted(item, "c1", "brand", item.title.split()[0])] if claims is None else claims
    verdicts = [
        Verdict(claim_id=claim.id, decision=Decision.ACCEPT, reason=Reason.SUPPORTED, checked_by="code")
        for claim in accepted
    ]
    verdicts += [
        Verdict(claim_id=c.id, decision=Decision.REJECT, reason=Reason.UNSUPPORTED, checked_by="model", note="no")
        for c in rejected
    ]
    candidate = CategoryCandidate(category_id="drills", path=path, score=0.8)
    return Enrichment(
        item_id=item.id,
        content_hash=item.content_hash,
        category=CategoryChoice(
            category_id="drills", path=path, score=0.8, chosen_by="embedding", candidates=(candidate,)
        ),
        claims=(*accepted, *rejected),
        verdicts=tuple(verdicts),
        ungrounded=(UngroundedProposal(name="weight", value="1.2 kg", quote="weighs 1.2 kg", round=1),),
        summary=summary,
        rounds=1,
        provenance=provenance,
        usage=Usage(prompt_tokens=100, completion_tokens=20, estimated=True),
        model_calls=4,
        seconds=0.25,
    )
