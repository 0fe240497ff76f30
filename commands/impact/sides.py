"""The two sides of a change: the version that is there, and the configuration that the settings ask for."""

from dataclasses import dataclass

from commands.enrichment_costs import agents_asked
from commands.forecasts import wanted_by
from commands.settings import Settings
from commands.version_words import phrase_configuration
from evaluators.impact.report import Side
from memory.database import Database, Session
from memory.errors import ReaseqError
from memory.staleness import Wanted, wanted_version
from memory.versions import Version, current_version, fingerprint_of, versions


class NothingToCompare(ReaseqError):
    """A knowledge base holds no results yet that a change could be compared with."""


@dataclass(frozen=True)
class Sides:
    """The version before, and what is wanted after."""

    before: Version
    wanted: Wanted
    settings: Settings  # with the change

    @property
    def differ(self) -> bool:
        """Whether the change changes anything that results depend on."""
        return self.before.fingerprint != fingerprint_of(self.wanted.provenance)

    @property
    def what(self) -> tuple[str, ...]:
        """What differs, in words."""
        if self.before.provenance is None:
            return ("several configurations -> one",)
        return tuple(phrase_configuration(self.wanted.provenance, self.before.provenance))

    def unasked(self) -> tuple[str, ...]:
        """Return the agents whose prompt differs though they ask this model nothing."""
        if self.before.provenance is None:
            return ()
        before, after = dict(self.before.provenance.prompts), dict(self.wanted.provenance.prompts)
        asked = agents_asked(self.settings)
        return tuple(
            needs.agent
            for needs in self.wanted.agents
            if needs.agent not in asked and any(before.get(name) != after.get(name) for name in needs.prompts)
        )

    def after_version(self, session: Session) -> int:
        """Return the version of what is wanted; the version before where nothing of it is there yet."""
        return wanted_version(session, self.wanted) or self.before.id

    def as_records(self, after: int) -> tuple[Side, Side]:
        """Return both sides, as a report names them."""
        folder = "" if self.settings.prompts is None else str(self.settings.prompts)
        return (
            Side(version=self.before.id, provenance=self.before.provenance),
            Side(version=after, provenance=self.wanted.provenance, prompts=folder),
        )


def sides_of(database: Database, settings: Settings, against: int | None) -> Sides:
    """Return both sides; raises `NothingToCompare` and `memory.versions.UnknownVersion`."""
    with database.session() as session:
        chosen = current_version(session) if against is None else against
        found = {version.id: version for version in versions(session)}
    if chosen is None:
        raise NothingToCompare(f"{database.url} knows nothing yet: reaseq enrich makes the side to compare with")
    if chosen not in found:
        raise NothingToCompare(f"there is no version {chosen}; there are: {', '.join(map(str, found)) or 'none'}")
    return Sides(found[chosen], wanted_by(settings), settings)
