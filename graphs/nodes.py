"""One node an agent: the state in, the agent called, the update out."""

from collections.abc import Sequence

from langgraph.runtime import Runtime

from agents.attribute_extractor import extract_claims
from agents.category_expert import choose_category, complete_template
from agents.critic import review_claims
from agents.demand_analyst import propose_demands
from agents.demand_critic import review_demands
from agents.human_rulings import human_claims, human_verdicts, peoples_word
from agents.summarizer import summarize
from graphs.context import EnrichmentContext
from graphs.state import EnrichmentState, EnrichmentUpdate, accepted_claims, claims_to_review
from memory.category import CategoryTemplate
from memory.corrections import Corrections
from memory.rulings import Said
from memory.schema import Decision, Verdict


async def category_expert(state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
    """Choose the item's category, and have its template stated if it is not yet."""
    context, item = runtime.context, state["item"]
    candidates = context.categories.search(item.title, context.candidates, description=item.description)
    chosen = await choose_category(item, candidates, model=context.model, prompt=context.prompts.get("category_expert"))

    async def complete(template: CategoryTemplate) -> CategoryTemplate:
        return await complete_template(
            template, model=context.model, prompt=context.prompts.get("category_expert_template")
        )

    template = await context.templates.template(chosen.category_id, complete)
    return {"category": chosen, "template": template}


async def attribute_extractor(state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
    """Claim values for the template's attributes; on the way back only for those that failed."""
    context, corrections = runtime.context, state.get("corrections")
    number = state["round"] + 1 if corrections else 0
    extraction = await extract_claims(
        state["item"],
        state["template"],
        model=context.model,
        prompt=context.prompts.get("attribute_extractor"),
        shop_words=context.shop_words,
        aids=context.aids,
        given=() if corrections else human_claims(_peoples_word(state, context)),
        corrections=corrections,
        round=number,
    )
    return {
        "claims": extraction.claims,
        "ungrounded": extraction.ungrounded,
        "round": number,
    }


async def critic(state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
    """Rule on the new claims, and say which go back."""
    context, round_number = runtime.context, state["round"]
    claims, accepted, said = claims_to_review(state), accepted_claims(state), _peoples_word(state, context)
    settled = human_verdicts(claims, said, state["template"], accepted=accepted, round=round_number)
    accepted += [c for c in claims if c.id in settled and settled[c.id].decision is Decision.ACCEPT]
    verdicts = await review_claims(
        state["item"],
        [claim for claim in claims if claim.id not in settled],
        state["template"],
        accepted=accepted,
        model=context.model,
        prompt=context.prompts.get("critic"),
        aids=context.aids,
        round=round_number,
    )
    again = _corrections(state, verdicts) if round_number < context.max_revisions else None
    return {"verdicts": (*settled.values(), *verdicts), "corrections": again}


async def demand_analyst(state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
    """Say what somebody may want of the item: the category's demands, and what a capable model adds."""
    context = runtime.context
    demands = await propose_demands(
        state["item"],
        state["template"],
        accepted_claims(state),
        model=context.model,
        prompt=context.prompts.get("demand_analyst"),
    )
    return {"demands": tuple(demands)}


async def demand_critic(state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
    """Rule on the demands, each once."""
    context = runtime.context
    verdicts = await review_demands(
        state["item"],
        state["demands"],
        state["template"],
        accepted_claims(state),
        space=context.demand_space,
        model=context.model,
        prompt=context.prompts.get("demand_critic"),
    )
    return {"demand_verdicts": tuple(verdicts)}


async def summarizer(state: EnrichmentState, runtime: Runtime[EnrichmentContext]) -> EnrichmentUpdate:
    """Say in one sentence what the accepted claims say."""
    context = runtime.context
    summary = await summarize(
        state["item"].id,
        state["template"],
        accepted_claims(state),
        model=context.model,
        prompt=context.prompts.get("summarizer"),
    )
    return {"summary": summary}


def _peoples_word(state: EnrichmentState, context: EnrichmentContext) -> tuple[Said, ...]:
    return peoples_word(state["item"], state["template"], context.rulings(state["item"].id))


def _corrections(state: EnrichmentState, verdicts: Sequence[Verdict]) -> Corrections | None:
    """Return what goes back after this round, with all that was refused before; None when nothing failed now."""
    claims = {claim.id: claim for claim in state["claims"]}
    failed = tuple((claims[v.claim_id], v) for v in verdicts if v.decision is Decision.REVISE)
    ungrounded = tuple(proposal for proposal in state.get("ungrounded", ()) if proposal.round == state["round"])
    if not failed and not ungrounded:
        return None
    earlier = state.get("corrections") or Corrections()
    return Corrections(failed=failed, ungrounded=ungrounded, settled=earlier.refused)
