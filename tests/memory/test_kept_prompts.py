"""Prompts and scores are kept by fingerprint, and told with what became of them."""

from decimal import Decimal

import pytest

from memory.database import open_database
from memory.kept_prompts import KeptPrompt, UnknownPrompt, keep_prompts, kept_prompt, kept_prompts
from memory.prompt_uses import joined, prompt_uses
from memory.runs import start_run
from memory.scores import Score, keep_score, scores_of
from memory.store import save_enrichment
from memory.versions import version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched

KEPT = KeptPrompt(
    name="critic",
    fingerprint="f00d01",
    agent="critic",
    purpose="Rule.",
    inputs=("item",),
    system="a",
    user="{{ item }}",
)
SCORE = Score(
    label="mine",
    model="openai:small",
    prompts=(("critic", "f00d01"), ("summarizer", "beef")),
    gold_file="gold.jsonl",
    gold_fingerprint="9ad1",
    items=12,
    protocol={"number": 1, "match": "normal", "complete": True},
    precision=0.5,
    recall=1.0,
    f1=2 / 3,
    category_accuracy=1.0,
    cost=Decimal("0.25"),
)


def test_a_prompt_is_kept_once_and_found_by_the_first_letters_of_its_fingerprint() -> None:
    with open_database(fresh_url()) as database, database.writing() as session:
        keep_prompts(session, [KEPT, KEPT.model_copy(update={"fingerprint": "f00d02", "system": "b"})])
        keep_prompts(session, [KEPT.model_copy(update={"purpose": "Another word for it."})])

        found = kept_prompt(session, "critic", "f00d01")
        all_of_it = kept_prompts(session, "critic")
        for fingerprint in ("f00d", "beef"):
            with pytest.raises(UnknownPrompt, match=fingerprint):
                kept_prompt(session, "critic", fingerprint)

    assert found.model_copy(update={"first_used": None}) == KEPT
    assert found.first_used is not None
    assert [prompt.system for prompt in all_of_it] == ["a", "b"]


def test_a_score_belongs_to_each_prompt_that_was_there() -> None:
    with open_database(fresh_url()) as database, database.writing() as session:
        keep_score(session, SCORE)

        [(fingerprint, score)] = scores_of(session, "summarizer")
        nobody = scores_of(session, "nobody")

    assert (fingerprint, nobody) == ("beef", [])
    assert score.model_copy(update={"at": None}) == SCORE


def test_a_use_counts_runs_items_and_calls_of_its_fingerprint() -> None:
    name, fingerprint = PROVENANCE.prompts[0]
    with open_database(fresh_url()) as database, database.writing() as session:
        keep_prompts(session, [KEPT.model_copy(update={"name": name, "fingerprint": "f00d99"})])
        version_id = version_for(session, PROVENANCE)
        for _ in range(2):
            start_run(session, version_id, "catalog.csv", {})
        save_enrichment(session, version_id, drill(), enriched(drill()))

        uses = {use.fingerprint: use for use in prompt_uses(session, name)}
        twice = {use.fingerprint: use for use in joined([*uses.values(), *uses.values()])}

    assert (uses[fingerprint].runs, uses[fingerprint].items) == (2, 1)
    assert (uses["f00d99"].runs, uses["f00d99"].items, uses["f00d99"].calls) == (0, 0, 0)
    assert (twice[fingerprint].runs, twice[fingerprint].items) == (4, 2)
    assert twice[fingerprint].first == uses[fingerprint].first
