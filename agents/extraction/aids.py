"""What aids the attribute extractor besides its model: approved items, a student, a calibration, a stronger model."""

from dataclasses import dataclass

from agents.answering import Interviewer
from agents.extraction.look_up import LookUp
from agents.extraction.student_claims import StudentReader
from agents.extraction.turn import Demonstrate
from agents.trust.confidence import CalibrationModel
from memory.category import CategoryTemplate
from memory.encoder import TextEncoder
from memory.schema import CatalogItem
from prompts.library import Prompt


def nothing_to_show(item: CatalogItem, template: CategoryTemplate) -> str:
    """Return no demonstrations."""
    return ""


@dataclass(frozen=True)
class Escalation:
    """A stronger model, and the prompt that it is asked with."""

    model: Interviewer
    prompt: Prompt


@dataclass(frozen=True)
class Aids:
    """All of them are optional; without any the extractor has rules and its model."""

    encoder: TextEncoder | None = None  # tells which allowed value a strange word comes nearest to
    look_up: LookUp | None = None
    student: StudentReader | None = None
    demonstrate: Demonstrate = nothing_to_show
    calibration: CalibrationModel | None = None
    escalation: Escalation | None = None  # asked where the others disagree
    cascade: bool = False  # a capable model is asked only for what they are unsure of


NO_AIDS = Aids()
