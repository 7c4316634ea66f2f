"""Playing the crash suite's scenarios: real processes, killed, stopped and woken by signals."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from pyiceberg.exceptions import CommitStateUnknownException
from sqlalchemy.exc import OperationalError

from pipeline.cells import Cell
from pipeline.contract.model import Product
from tests.crash.scenario import Beside, Kill, Place, Sleep
from tests.crash.tally import AT_RANDOM, Tally
from tests.support.apart import Attempt
from tests.support.attempts import play
from tests.support.load import TopicWriter
from tests.support.mortal_broker import MortalBroker
from tests.support.part import LostAnswer, Part

BACKLOG = 1_000
"""Records written before a batch of kills, in transactions committed and aborted."""
EACH = 150
"""Records written during each kill, so that there is always work."""
TRIES = 4
PATIENCE_S = 45.0
"""How long an attempt whose broker dies goes on."""
STRICT_BYTES = 30
"""A payload gate that about half of the test product's events pass."""

LOST_ANSWERS = (
    OperationalError("COMMIT", {}, Exception("database is locked")),
    CommitStateUnknownException("no answer"),
    ConnectionResetError("reset by peer"),
    TimeoutError("timed out"),
)


class PlaceNotReachedError(AssertionError):
    """No attempt came to the place where it was to die, though there was work."""


@dataclass
class Stage:
    """One topic, its tables, and those who work on them.

    Attributes:
        is_maintained: files that somebody still reads may be deleted, so that an ingest may give up.
    """

    cell: Cell
    product: Product
    writer: TopicWriter
    broker: MortalBroker
    tally: Tally
    is_maintained: bool = False

    def kill(self, kill: Kill) -> None:
        """Play `kill`: again, and alone, if an attempt catches up before it comes to its place or time.

        Raises:
            PlaceNotReachedError: it caught up each time.
            AttemptFailedError: a process failed or hung.
        """
        self.tally.beside[kill.beside.value] += 1
        for _ in range(TRIES):
            with self._more_being_written():
                if (kill.after is None or self._dies(kill.after)) and self._dies_in_company(kill):
                    return
            self.tally.missed += 1
            self.writer.fill(BACKLOG, transactions=2)
            # A fast machine may be done by then: half the time, next time.
            at = kill.at if isinstance(kill.at, Place) else kill.at / 2
            kill = replace(
                kill, at=at, beside=Beside.NOTHING, sleeps=(), answer_lost=None, restart_s=None
            )
        raise PlaceNotReachedError(f"{kill.at} was not reached in {TRIES} attempts")

    @contextmanager
    def _more_being_written(self) -> Iterator[None]:
        with ThreadPoolExecutor(1) as writing:
            written = writing.submit(self.writer.fill, EACH)
            yield
            written.result()

    def _dies(self, place: Place) -> bool:
        return self._end(self._play(Part(failpoint=str(place))), place)

    def _dies_in_company(self, kill: Kill) -> bool:
        with ExitStack() as stage:
            zombies = [self._put_to_sleep(sleep) for sleep in kill.sleeps]
            for zombie in zombies:
                stage.callback(zombie.end)
            for zombie in zombies:
                self.tally.company["zombies that slept"] += zombie.falls_asleep()
            if kill.beside is Beside.RIVAL:
                rival = self._play(Part())
                stage.callback(rival.end)
            attempt = self._attempt(kill)
            stage.callback(attempt.end)
            if kill.restart_s is not None:
                attempt.process.join(kill.restart_s)
                self.broker.kill()
                self.broker.revive()
                self.tally.company["broker restarts"] += 1
            died = self._end(attempt, kill.at)
            if kill.beside is Beside.RIVAL:
                self.tally.company["races lost between rivals"] += attempt.races_lost
            self.tally.company["answers lost"] += attempt.answers_lost
            if kill.beside is Beside.RIVAL:
                self.tally.company["rivals that were killed too"] += rival.kill_after(0.2)
                self.tally.company["races lost between rivals"] += rival.races_lost
            for zombie in zombies:
                zombie.wake()
            for zombie, sleep in zip(zombies, kill.sleeps, strict=True):
                self.tally.company["zombies killed awake"] += zombie.kill_after(sleep.awake_s)
                self.tally.company["commits of zombies refused"] += zombie.races_lost
        return died

    def _put_to_sleep(self, sleep: Sleep) -> Attempt:
        product = self.product
        if sleep.strict:
            gates = product.gates.model_copy(update={"payload_bytes": STRICT_BYTES})
            product = product.model_copy(update={"gates": gates})
        return self._play(Part(failpoint=str(sleep.place), sleeps=True), product)

    def _attempt(self, kill: Kill) -> Attempt:
        lost = None
        if kill.answer_lost is not None:
            error = LOST_ANSWERS[self.tally.kills.total() % len(LOST_ANSWERS)]
            lost = LostAnswer(kill.answer_lost, error)
        return self._play(
            Part(
                failpoint=str(kill.at) if isinstance(kill.at, Place) else None,
                lost_answer=lost,
                for_s=None if kill.restart_s is None else PATIENCE_S,
            )
        )

    def _play(self, part: Part, product: Product | None = None) -> Attempt:
        part = replace(part, may_give_up=self.is_maintained)
        return play(self.cell, product or self.product, part)

    def _end(self, attempt: Attempt, at: Place | float) -> bool:
        if isinstance(at, Place):
            died, place = attempt.wait() == -signal.SIGKILL, at.failpoint
        else:
            died, place = attempt.kill_after(at), AT_RANDOM
        self.tally.kills[place] += died
        self.tally.company["attempts that gave up beside maintenance"] += attempt.gave_up
        return died
