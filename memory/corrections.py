"""What goes back to the attribute extractor after a critic's round."""

from memory.record import Record
from memory.schema import Claim, UngroundedProposal, Verdict


class Corrections(Record):
    """What was refused in earlier rounds, and why; the next round does not offer it again."""

    failed: tuple[tuple[Claim, Verdict], ...] = ()
    ungrounded: tuple[UngroundedProposal, ...] = ()
    settled: frozenset[tuple[str, str]] = frozenset()  # refused in rounds before the last

    @property
    def attributes(self) -> set[str]:
        """The attributes that go back to the extractor."""
        return {claim.name for claim, _ in self.failed} | {proposal.name for proposal in self.ungrounded}

    @property
    def refused(self) -> frozenset[tuple[str, str]]:
        """The (attribute, normalized value) pairs that were refused in any round."""
        return self.settled | frozenset((claim.name, claim.normalized) for claim, _ in self.failed)
