"""What people decided, as claims and verdicts: their word goes before every rule and every model."""

from collections.abc import Iterable, Sequence

from agents.summarizer import plain_summary, unsupported_words
from agents.values.normalization import ValueProblem, normalize, same_value
from memory.category import AttributeSpec, CategoryTemplate
from memory.rulings import HumanRuling, Said, StatedValue, standing_in
from memory.schema import CatalogItem, Claim, ClaimSource, Decision, Enrichment, Reason, Verdict


def peoples_word(item: CatalogItem, template: CategoryTemplate, rulings: Iterable[HumanRuling]) -> tuple[Said, ...]:
    """Return what people say of the item's values, in the template's units and words where these can say it.

    What a template does not ask for, or has no word for, holds as it was said.
    """
    said = [_in_terms_of(template.spec(one.attribute), one) for one in standing_in(item, rulings).holds]
    last = {one.attribute: one for one in said if one.right and not one.many}
    return tuple(one for one in said if not one.right or one.many or one is last[one.attribute])


def human_claims(said: Iterable[Said]) -> list[Claim]:
    """Return one claim for each value that people say is right, without a doubt."""
    return [_claim(one, f"human.{n}.{one.attribute}") for n, one in enumerate(said) if one.right]


def human_verdicts(
    claims: Sequence[Claim],
    said: Sequence[Said],
    template: CategoryTemplate,
    *,
    accepted: Sequence[Claim] = (),
    round: int = 0,  # noqa: A002 - the field's own name
) -> dict[str, Verdict]:
    """Return the verdicts, by claim id, on those of the claims that people's word settles.

    What people say is right is accepted, what they say is wrong rejected; so is a rival of what they settled on, and a
    second claim of a value. `accepted` are claims of earlier rounds that stand.
    """
    taken = {id(one) for claim in accepted if (one := _word_on(claim, said, template)) is not None and one.right}
    verdicts: dict[str, Verdict] = {}
    for claim in sorted(claims, key=lambda claim: claim.producer != "human") if said else ():
        one = _word_on(claim, said, template)
        if one is None:
            ruling = _on_a_rival(claim, said)
        elif one.right and id(one) in taken:
            ruling = (Decision.REJECT, Reason.DUPLICATE, f"{claim.name} has this value already")
        else:
            ruling = (Decision.ACCEPT if one.right else Decision.REJECT, Reason.REVIEWED, "")
            taken |= {id(one)} if one.right else set()
        if ruling:
            decision, reason, note = ruling
            verdicts[claim.id] = Verdict(
                claim_id=claim.id, decision=decision, reason=reason, checked_by="human", note=note, round=round
            )
    return verdicts


def with_rulings(
    item: CatalogItem, enrichment: Enrichment, template: CategoryTemplate, rulings: Sequence[HumanRuling]
) -> Enrichment:
    """Return an enrichment of the item's present text as people's decisions have it; doing it twice changes nothing.

    People's claims come first, as in a run; claims keep their ids. A summary that says what is accepted no more becomes
    the plain one.
    """
    said = peoples_word(item, template, rulings)
    if not said:
        return enrichment
    claims = _with_human_claims(enrichment.claims, said, template)
    ruled = human_verdicts(claims, said, template)
    known = {verdict.claim_id: verdict for verdict in enrichment.verdicts}
    verdicts = tuple(_verdict(known.get(claim.id), ruled.get(claim.id)) for claim in claims)
    changed = enrichment.model_copy(update={"claims": claims, "verdicts": verdicts})
    return changed.model_copy(update={"summary": summary_after(enrichment, changed, template)})


def undone(present: Enrichment, before: Enrichment, attribute: str, template: CategoryTemplate) -> Enrichment:
    """Return an enrichment with the claims of one attribute as they were before a decision about it."""
    kept = [(claim, present.verdict_on(claim)) for claim in present.claims if claim.name != attribute]
    kept += [(claim, before.verdict_on(claim)) for claim in before.claims if claim.name == attribute]
    if sorted(kept, key=_id) == sorted(((claim, before.verdict_on(claim)) for claim in before.claims), key=_id):
        return before
    claims, verdicts = (tuple(part) for part in zip(*kept, strict=True))
    changed = present.model_copy(update={"claims": claims, "verdicts": verdicts})
    return changed.model_copy(update={"summary": summary_after(present, changed, template)})


def summary_after(before: Enrichment, after: Enrichment, template: CategoryTemplate) -> str:
    """Return the summary where it still says nothing but what is accepted, else the plain one."""
    was, now = before.accepted, after.accepted
    if [*map(_value, was)] == [*map(_value, now)]:
        return before.summary
    fits = before.summary != plain_summary(template, was) and not unsupported_words(before.summary, template, now)
    return before.summary if fits and now else plain_summary(template, now)


def is_same(claim: Claim, value: StatedValue, spec: AttributeSpec | None) -> bool:
    """Return whether a claim of the attribute says this value."""
    if (claim.normalized, claim.unit) == (value.normalized, value.unit):
        return True
    return spec is not None and claim.unit == value.unit and same_value(claim.normalized, value.normalized, spec)


def _in_terms_of(spec: AttributeSpec | None, said: Said) -> Said:
    if spec is None:
        return said
    value = said.value
    try:
        normal = normalize(f"{value.normalized} {value.unit}" if value.unit else value.normalized, spec)
    except ValueProblem:
        return said._replace(many=spec.many)
    renamed = value.model_copy(update={"normalized": normal.text, "unit": normal.unit})
    return said._replace(many=spec.many, value=renamed)


def _word_on(claim: Claim, said: Sequence[Said], template: CategoryTemplate) -> Said | None:
    """Return what people say of a claim's very value, else of one that means the same."""
    mine = [one for one in said if one.attribute == claim.name]
    exact = [one for one in mine if (one.value.normalized, one.value.unit) == (claim.normalized, claim.unit)]
    spec = template.spec(claim.name) if mine else None
    alike = exact or [one for one in mine if is_same(claim, one.value, spec)]
    return alike[-1] if alike else None


def _on_a_rival(claim: Claim, said: Sequence[Said]) -> tuple[Decision, Reason, str] | None:
    settled = next((one for one in said if one.attribute == claim.name and one.right and not one.many), None)
    if settled is None:
        return None
    return Decision.REJECT, Reason.CONTRADICTION, f"a person says that {claim.name} is {settled.value.normalized}"


def _with_human_claims(claims: Sequence[Claim], said: Sequence[Said], template: CategoryTemplate) -> tuple[Claim, ...]:
    """Return people's claims, each in place of the first that says the same, and then the others."""
    first: list[Claim] = []
    rest = list(claims)
    for one in (one for one in said if one.right):
        place = next((n for n, claim in enumerate(rest) if _word_on(claim, said, template) is one), None)
        if place is None:
            first.append(_claim(one, _free_id([*first, *rest], one.attribute)))
        else:
            old = rest.pop(place)
            seconds = () if old.producer == "human" else (old.producer,)
            made = _claim(one, old.id)
            first.append(made.model_copy(update={"seconded_by": tuple(dict.fromkeys((*seconds, *old.seconded_by)))}))
    return (*first, *rest)


def _free_id(claims: Sequence[Claim], attribute: str) -> str:
    taken = {claim.id for claim in claims}
    return next(name for n in range(len(taken) + 1) if (name := f"human.{n}.{attribute}") not in taken)


def _claim(said: Said, claim_id: str) -> Claim:
    return Claim(
        id=claim_id,
        name=said.attribute,
        **said.value.model_dump(),
        source=ClaimSource.TEXT if said.evidence else ClaimSource.WORLD_KNOWLEDGE,
        evidence=said.evidence,
        confidence=1.0,
        producer="human",
    )


def _verdict(known: Verdict | None, ruled: Verdict | None) -> Verdict:
    """Return people's ruling, else the one there was; a rival that was rejected before keeps the reason of then."""
    if ruled is None and known is not None:
        # What a person's word spoke against, and does not any more, is a machine's question again.
        lifted = known.checked_by == "human" and known.reason is not Reason.REVIEWED
        return known.model_copy(update={"checked_by": "code"}) if lifted else known
    if ruled is None:
        raise ValueError("a claim that nobody ruled on")
    is_rival = ruled.reason is Reason.CONTRADICTION
    if known and is_rival and known.decision is Decision.REJECT and known.reason is not Reason.CONTRADICTION:
        return known.model_copy(update={"checked_by": "human"})
    return ruled


def _id(ruled: tuple[Claim, Verdict]) -> str:
    return ruled[0].id


def _value(claim: Claim) -> tuple[str, str, str | None]:
    return claim.name, claim.normalized, claim.unit
