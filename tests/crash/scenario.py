"""What happens in the crash suite: a pure function of a seed and of the failpoints that there are.

An act is fifty kills on one topic and one pair of tables. Each act kills at every failpoint, with
each kind of company at least once; the rest is chance.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

KILLS_AN_ACT = 50
KILLS_A_BATCH = 10

LED_TO_BY = {"ingest.claimed": "ingest.after_dead_letter_commit"}
"""Failpoints that only an attempt comes to that follows a death at another."""


class Beside(StrEnum):
    """What goes on beside the attempt that is killed."""

    NOTHING = "nothing"
    RIVAL = "a second ingest of the same range"
    ZOMBIE = "a zombie: asleep between two steps, it wakes after the kill and goes on"
    TWO_ZOMBIES = "two zombies"
    LOST_ANSWER = "a commit that lands and whose answer is lost"
    RESTART = "a broker that is killed and comes back"


SHARES = {
    Beside.NOTHING: 14,
    Beside.RIVAL: 8,
    Beside.ZOMBIE: 8,
    Beside.TWO_ZOMBIES: 5,
    Beside.LOST_ANSWER: 10,
    # It costs seconds: once an act.
    Beside.RESTART: 0,
}


@dataclass(frozen=True)
class Place:
    """The `visit`-th time that a process comes to a failpoint."""

    failpoint: str
    visit: int = 1

    def __str__(self) -> str:
        return f"{self.failpoint}:{self.visit}"


@dataclass(frozen=True)
class Sleep:
    """How a zombie sleeps: at `place`; woken, it lives for `awake_s` more.

    Attributes:
        strict: it judges by another contract, whose gates are narrower.
    """

    place: Place
    awake_s: float
    strict: bool


@dataclass(frozen=True)
class Kill:
    """One attempt and its death.

    Attributes:
        at: where, or after how many seconds, it is killed.
        after: where another attempt is killed just before, because only that leads to `at`.
        sleeps: one for each zombie.
        answer_lost: the number of its commit whose answer is lost.
        restart_s: after how many seconds the broker is killed.
    """

    at: Place | float
    after: Place | None
    beside: Beside
    sleeps: tuple[Sleep, ...] = ()
    answer_lost: int | None = None
    restart_s: float | None = None

    @property
    def deaths(self) -> int:
        """How many attempts die in it; zombies are not counted."""
        return 1 if self.after is None else 2


@dataclass(frozen=True)
class Batch:
    """Kills between two verifications; with `upkeep`, maintenance runs beside them all."""

    kills: tuple[Kill, ...]
    upkeep: bool


@dataclass(frozen=True)
class Act:
    """A number of kills on one topic."""

    seed: int
    number: int
    batches: tuple[Batch, ...]

    @property
    def kills(self) -> int:
        """How many attempts die in it."""
        return sum(kill.deaths for batch in self.batches for kill in batch.kills)


def draw(seed: int, kills: int, failpoints: Sequence[str]) -> tuple[Act, ...]:
    """Return acts of `kills` deaths in all; of more, if it takes more to visit every failpoint."""
    count = max(1, round(kills / KILLS_AN_ACT))
    shares = [kills // count + (i < kills % count) for i in range(count)]
    return tuple(_act(seed, i, share, sorted(failpoints)) for i, share in enumerate(shares, 1))


def _act(seed: int, number: int, kills: int, failpoints: list[str]) -> Act:
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - repeatable, not secret
    places: list[Place | float] = [_visit(chance, name) for name in failpoints]
    easy = [name for name in failpoints if name not in LED_TO_BY]
    left = kills - len(failpoints) - sum(name in LED_TO_BY for name in failpoints)
    for _ in range(left):
        at_random = chance.random() < 0.4
        places.append(
            chance.uniform(0.05, 1.0) if at_random else _visit(chance, chance.choice(easy))
        )
    chance.shuffle(places)
    company = _company(chance, len(places))
    dealt = [_kill(chance, at, company, easy) for at in places]
    parts = list(_chunks(dealt, KILLS_A_BATCH))
    return Act(seed, number, tuple(Batch(part, i % 2 == 1) for i, part in enumerate(parts)))


def _visit(chance: random.Random, failpoint: str) -> Place:
    # What another's death leads to is met once.
    return Place(failpoint, 1 if failpoint in LED_TO_BY else chance.choice((1, 1, 2, 3)))


def _company(chance: random.Random, count: int) -> Iterator[Beside]:
    certain = [beside for beside in Beside if beside is not Beside.NOTHING]
    drawn = chance.choices(list(SHARES), list(SHARES.values()), k=max(0, count - len(certain)))
    dealt = [*certain, *drawn]
    chance.shuffle(dealt)
    return iter(dealt)


def _kill(
    chance: random.Random, at: Place | float, company: Iterator[Beside], failpoints: list[str]
) -> Kill:
    if isinstance(at, Place) and at.failpoint in LED_TO_BY:
        # Alone: company could do what the death before has left to do.
        return Kill(at, Place(LED_TO_BY[at.failpoint]), Beside.NOTHING)
    beside = next(company)
    if beside is Beside.LOST_ANSWER:
        # It lives on after the loss.
        at = replace(at, visit=max(2, at.visit)) if isinstance(at, Place) else at + 0.5
    zombies = {Beside.ZOMBIE: 1, Beside.TWO_ZOMBIES: 2}.get(beside, 0)
    sleeps = tuple(
        Sleep(
            Place(chance.choice(failpoints), chance.choice((1, 1, 2))),
            awake_s=chance.uniform(0.1, 0.6),
            strict=chance.random() < 0.3,
        )
        for _ in range(zombies)
    )
    return Kill(
        at,
        None,
        beside,
        sleeps,
        answer_lost=chance.randint(1, 2) if beside is Beside.LOST_ANSWER else None,
        restart_s=chance.uniform(0.1, 1.0) if beside is Beside.RESTART else None,
    )


def _chunks(dealt: list[Kill], size: int) -> Iterator[tuple[Kill, ...]]:
    for start in range(0, len(dealt), size):
        yield tuple(dealt[start : start + size])
