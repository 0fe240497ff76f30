"""What the taxonomy could learn from what the catalog states: for `reaseq taxonomy propose` and whoever asks else."""

from agents.open_vocabularies import OpenValue, open_vocabularies
from agents.vocabulary_proposals import Proposal, vocabulary_proposals
from commands.choices import taxonomy_of
from commands.settings import Settings
from commands.unmapped import unmapped_in
from memory.approved_values import approved_values
from memory.database import open_existing_database
from memory.encoder import MiniLmEncoder
from memory.value_coverage import value_coverage


def proposed(
    settings: Settings, category: str | None, attribute: str | None, min_items: int
) -> tuple[list[Proposal], list[OpenValue]]:
    """Return changes to the taxonomy that a person may make, and free-text values that could be listed."""
    taxonomy, unmapped = taxonomy_of(settings), unmapped_in(settings, category, attribute)
    with open_existing_database(settings.kb) as database, database.session() as session:
        coverage, approved = value_coverage(session), approved_values(session)
    wanted = {
        (of, key): values
        for (of, key), values in approved.items()
        if category in (None, of) and attribute in (None, key)
    }
    return (
        vocabulary_proposals(unmapped, taxonomy, coverage.of(category), MiniLmEncoder(), least_items=min_items),
        open_vocabularies(wanted, taxonomy, least_items=max(min_items, 3)),
    )
