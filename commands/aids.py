"""What aids the extractor besides its model, as the settings name it: opened, and known by fingerprints."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from agents.extraction.aids import Aids, Escalation, nothing_to_show
from agents.extraction.demonstrations import Demonstrations
from agents.extraction.look_up import learn_look_up
from agents.extraction.student_claims import StudentReader
from agents.extraction.turn import AGENT, Demonstrate
from agents.student.model_file import load_student
from agents.trust.confidence import CalibrationModel, CalibrationUnreadable, read_calibration
from commands.output import say_once
from commands.settings import Settings
from memory.approved import ApprovedItem
from memory.database import Database
from memory.encoder import MiniLmEncoder
from memory.errors import ReaseqError
from memory.reviews import approved_items
from memory.taxonomy import Taxonomy
from prompts.library import PromptLibrary, default_folder

BUNDLED_CALIBRATION = Path(__file__).parent.parent / "agents" / "trust" / "embedded.json"
TEST = "test"  # the split that nothing is learnt from


class AidUnreadable(ReaseqError):
    """A file that a setting names cannot be read."""


def aids_of(
    settings: Settings,
    taxonomy: Taxonomy,
    encoder: MiniLmEncoder,
    *,
    reviewed: Iterable[ApprovedItem] = (),
    escalation: Escalation | None = None,
) -> Aids:
    """Return the aids that the settings name; `reviewed` are items that people decided about."""
    approved = [*_approved(settings, taxonomy), *reviewed]
    off = set(settings.without)
    return Aids(
        encoder=encoder,
        look_up=learn_look_up(approved) if approved and "look_up" not in off else None,
        student=_student(settings.extractor, encoder) if settings.extractor and "student" not in off else None,
        demonstrate=_demonstrations(settings, approved, encoder) if approved else nothing_to_show,
        calibration=calibration_of(settings),
        escalation=escalation,
        cascade=settings.cascade and "cascade" not in off,
    )


def approved_by_people(database: Database) -> list[ApprovedItem]:
    """Return the items about which people have decided, with the values that they approved as these are written."""
    with database.session() as session:
        return [
            ApprovedItem(
                item=one.item,
                category_id=one.category_id,
                values={name: tuple(value.value for value in values) for name, values in one.values.items()},
            )
            for one in approved_items(session)
        ]


def aids_in(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return (name, fingerprint) of each aid that the settings name, sorted."""
    calibration = calibration_of(settings)
    approved = _print_of(settings.approved) + (_print_of(settings.approved_catalog) if settings.approved else "")
    named = {
        "look_up": approved,
        "demonstrations": f"{settings.demonstrations} {approved}" if _shows(settings) else "",
        "student": _print_of(settings.extractor),
        "calibration": calibration.fingerprint[:16] if calibration else "",
        "abstention": "on" if calibration and calibration.thresholds else "",
        "escalation": f"{settings.stronger} {_escalation_prompt(settings)}" if settings.stronger else "",
        "cascade": "on" if settings.cascade else "",
    }
    return tuple(sorted((name, print_) for name, print_ in named.items() if print_ and name not in settings.without))


def calibration_of(settings: Settings) -> CalibrationModel | None:
    """Return the calibration that the settings name, else the bundled one where it was fitted on this model."""
    if "calibration" in settings.without:
        return None
    found = read_calibration(settings.calibration) if settings.calibration else _bundled_for(settings.model)
    asked = settings.calibration is not None if settings.abstain is None else settings.abstain
    keeps = asked and "abstention" not in settings.without
    return found if found is None or keeps else found.model_copy(update={"thresholds": {}})


def doubts_about(settings: Settings) -> list[str]:
    """Return what the settings ask for and will not get, or get from elsewhere than they may think, as sentences."""
    found = calibration_of(settings)
    told: list[str] = []
    if found and settings.calibration and found.model != settings.model:
        told.append(f"{settings.calibration} was fitted on claims of {found.model}, not of {settings.model}")
    if found is None and settings.abstain and "calibration" not in settings.without:
        told.append(f"nothing is abstained from: there is no calibration for {settings.model} (--calibration FILE)")
    if settings.approved_catalog and not settings.approved:
        told.append("--approved-catalog does nothing without --approved")
    return told


def _bundled_for(model: str) -> CalibrationModel | None:
    bundled = _bundled()
    return bundled if bundled and bundled.model == model else None


@lru_cache(maxsize=1)
def _bundled() -> CalibrationModel | None:
    try:
        return read_calibration(BUNDLED_CALIBRATION)
    except CalibrationUnreadable:
        return None


def _shows(settings: Settings) -> bool:
    return bool(settings.approved and settings.demonstrations) and "demonstrations" not in settings.without


def _escalation_prompt(settings: Settings) -> str:
    """Return the fingerprint of what the stronger model is asked with; the other one may get a shorter prompt."""
    return PromptLibrary.load(settings.prompts or default_folder()).get(AGENT).fingerprint[:16]


def _print_of(path: Path | None) -> str:
    """Return the first letters of a file's SHA-256; empty where there is none."""
    if path is None:
        return ""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise AidUnreadable(f"{path}: {error.strerror or error}") from error


def _approved(settings: Settings, taxonomy: Taxonomy) -> list[ApprovedItem]:
    """Return the golden items that may be learnt from: never those of a test split."""
    if settings.approved is None:
        return []
    from commands.evaluation_gold import GoldChoice, gold_set, tell_left_out  # noqa: PLC0415 - golden sets are for few commands

    found = gold_set(GoldChoice(file=settings.approved, catalog=settings.approved_catalog), taxonomy)
    tell_left_out(found, say_once)
    pairs = zip(found.gold, found.items, strict=True)
    return [
        ApprovedItem(item=item, category_id=golden.category, values=golden.attributes)
        for golden, item in pairs
        if not ("split" in golden.model_fields_set and golden.split.strip().lower() == TEST)
    ]


def _demonstrations(settings: Settings, approved: list[ApprovedItem], encoder: MiniLmEncoder) -> Demonstrate:
    if "demonstrations" in settings.without or not settings.demonstrations:
        return nothing_to_show
    shown = Demonstrations(encoder, settings.demonstrations)
    shown.learn(approved)
    return shown


def _student(path: Path, encoder: MiniLmEncoder) -> StudentReader:
    student = load_student(path)
    if student.encoder != encoder.name:
        raise AidUnreadable(f"{path} was trained with the encoder {student.encoder}, not {encoder.name}")
    return StudentReader(student, encoder)
