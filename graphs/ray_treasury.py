"""The one actor that a run on Ray has beside its workers: who may spend and send how much, who asks and is at what."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal
from uuid import uuid4

from agents.resilience.admission import RateState
from agents.resilience.shared_limits import Asked, Portion, RateOffice
from agents.shared_questions import QuestionOffice, TurnsGiven, TurnsWanted
from agents.spending.treasury import Amount, Grant, Share, Treasury, Wish
from graphs.piece_ends import Ended
from memory.ledger import Spend
from memory.record import Record

AHEAD = 4  # pieces planned ahead, times what the workers take at once


class Limits(Record):
    """What all workers together may spend and send."""

    money: Decimal | None = None
    tokens: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    pieces: int  # that all workers take at once


class Report(Record):
    """What a worker says of itself now and then; `actor` stays the same when Ray starts it anew."""

    actor: str
    process: str  # `memory.turns.process_of` its owners
    node: str
    spend: Spend = Spend()
    rate: RateState | None = None
    elsewhere: int = 0
    cpu_seconds: float = 0.0
    under_way: dict[int, Ended]


class Place(Record):
    """Where the results are to stand."""

    kb: str
    durability: Literal["normal", "full"]
    version_id: int


class Known(Record):
    """What the driver keeps of the treasury, so that one that died goes on."""

    shares: dict[str, Share]
    reports: dict[str, Report]  # by process
    lost: tuple[str, ...] = ()  # processes that have ended for certain
    begun: tuple[int, ...] = ()  # pieces that are under way
    ended: int = 0  # how many are not any more
    planned: int | None = None  # pieces in all; None before the whole catalog was gone through


@dataclass
class Desk:
    """What the actor is about, once the driver has told it; the assignment, pickled, is what workers need to begin."""

    assignment: bytes
    place: Place
    limits: Limits
    treasury: Treasury
    questions: QuestionOffice
    now: Callable[[], float]
    full: bool
    offices: dict[str, RateOffice] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    begun: set[int] = field(default_factory=set)
    ended: int = 0
    planned: int | None = None
    stopped: bool = False

    def office(self, name: str) -> RateOffice:
        """Return the office of a model's limits by the minute."""
        if name not in self.offices:
            limits = self.limits
            self.offices[name] = RateOffice(
                limits.requests_per_minute, limits.tokens_per_minute, full=self.full, now=self.now()
            )
        return self.offices[name]

    def lose(self, process: str) -> None:
        """Take note that a process has ended."""
        self.lost.add(process)
        self.reports.pop(process, None)
        self.treasury.lose(process)
        self.questions.lose(process)


class TreasuryActor:
    """Answers workers, the planner and the driver; before the driver has told it, it knows nothing."""

    def __init__(self) -> None:
        self._desk: Desk | None = None

    def entrust(self, assignment: bytes, place: Place, limits: Limits, known: Known | None, in_ledger: Amount) -> None:
        """Begin, or go on from what the driver knew last."""
        if self._desk is not None:
            return
        if known is None:
            treasury, alive = Treasury(limits.money, limits.tokens), None
        else:
            treasury = Treasury.again(limits.money, limits.tokens, known.shares, in_ledger)
            alive = known.reports.keys() - set(known.lost)
        questions = QuestionOffice(uuid4().hex, now=time.monotonic(), awaited=alive)
        self._desk = Desk(assignment, place, limits, treasury, questions, time.monotonic, full=known is not None)
        if known is not None:
            self._desk.reports.update(known.reports)
            self._desk.lost.update(known.lost)
            self._desk.begun.update(known.begun)
            self._desk.ended = known.ended
            self._desk.planned = known.planned

    def place(self) -> Place | None:
        """Return where the results are to stand."""
        return None if self._desk is None else self._desk.place

    def assignment(self) -> bytes | None:
        """Return what a worker needs to begin; None before the driver has told it."""
        return None if self._desk is None else self._desk.assignment

    def register(self, report: Report) -> tuple[str, ...] | None:
        """Note a worker that begins; return which processes have ended for certain, what it was before among them."""
        desk = self._desk
        if desk is None:
            return None
        for process, known in list(desk.reports.items()):
            if known.actor == report.actor and process != report.process:
                desk.lose(process)
        desk.reports[report.process] = report
        desk.treasury.hear(Wish(worker=report.process, holds=Amount(), spent=Amount()))
        return tuple(desk.lost)

    def report(self, report: Report) -> bool | None:
        """Note how far a worker is; return whether it is to stop."""
        desk = self._desk
        if desk is None:
            return None
        if report.process not in desk.lost:
            desk.reports[report.process] = report
        return desk.stopped

    def spend(self, wish: Wish) -> Grant | None:
        """Answer what a worker wants to spend."""
        return None if self._desk is None else self._desk.treasury.hear(wish)

    def send(self, office: str, asked: Asked) -> Portion | None:
        """Answer what a worker wants to send."""
        return None if self._desk is None else self._desk.office(office).grant(asked, self._desk.now())

    def take(self, wanted: TurnsWanted) -> TurnsGiven | None:
        """Answer which questions a worker may ask now."""
        return None if self._desk is None else self._desk.questions.take(wanted, self._desk.now())

    def begin(self, piece: int) -> bool | None:
        """Note that a piece begins; return whether it had begun before, with a worker that was lost."""
        if self._desk is None:
            return None
        again = piece in self._desk.begun
        self._desk.begun.add(piece)
        return again

    def end(self, piece: int) -> None:
        """Note that a piece has ended."""
        if self._desk is not None and piece in self._desk.begun:
            self._desk.begun.discard(piece)
            self._desk.ended += 1

    def go_ahead(self, planned: int) -> bool | None:
        """Return whether one more piece may be planned; None where the run is to stop."""
        desk = self._desk
        if desk is None:
            return False
        return None if desk.stopped else planned - desk.ended < AHEAD * desk.limits.pieces

    def all_planned(self, pieces: int) -> None:
        """Note how many pieces there are in all."""
        if self._desk is not None:
            self._desk.planned = pieces

    def lose(self, process: str) -> None:
        """Take note that a process has ended for certain."""
        if self._desk is not None:
            self._desk.lose(process)

    def stop(self) -> None:
        """Let nothing new begin."""
        if self._desk is not None:
            self._desk.stopped = True

    def look(self) -> Known | None:
        """Return where all stand; None where the driver has to tell everything anew."""
        desk = self._desk
        if desk is None:
            return None
        return Known(
            shares=desk.treasury.shares,
            reports=dict(desk.reports),
            lost=tuple(desk.lost),
            begun=tuple(desk.begun),
            ended=desk.ended,
            planned=desk.planned,
        )
