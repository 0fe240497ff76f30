"""The scores of an evaluation on their way into the knowledge base, for `reaseq prompts history`."""

from commands.output import say
from commands.settings import Settings
from evaluators.evaluation import Evaluation, SystemResult
from memory.database import DatabaseBusy, DatabaseFull, DatabaseUnreadable, open_existing_database
from memory.scores import Score, keep_score


def keep_scores(settings: Settings, found: Evaluation) -> None:
    """Store what each system of an evaluation reached; where that cannot be written it is said, and no more."""
    systems = [system for system in (found.compared, found.system) if system is not None]
    scores = [score for system in systems if (score := _score(found, system))]
    try:
        with open_existing_database(settings.kb) as database, database.writing() as session:
            for score in scores:
                keep_score(session, score)
    except (DatabaseUnreadable, DatabaseBusy, DatabaseFull) as error:
        say(f"the score is not kept for `reaseq prompts history`: {error}")


def _score(found: Evaluation, system: SystemResult) -> Score | None:
    """Return a system's score; None where nobody knows which prompts it had."""
    if system.provenance is None:
        return None
    rates = system.summary.micro
    return Score(
        label=system.label,
        model=system.provenance.model,
        prompts=system.provenance.prompts,
        gold_file=found.gold.file,
        gold_fingerprint=found.gold.fingerprint,
        items=system.summary.items,
        protocol=found.protocol.model_dump(mode="json"),
        precision=rates.precision,
        recall=rates.recall,
        f1=rates.f1,
        category_accuracy=system.summary.category_accuracy,
        cost=system.cost,
    )
