"""Leases: who may work, for how long, by the clock of the state's database."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.state.port import State

_TABLES = """
CREATE TABLE IF NOT EXISTS {at}leases (
    name {text} NOT NULL PRIMARY KEY,
    owner {text} NOT NULL,
    place {text} NOT NULL,
    epoch {integer} NOT NULL,
    taken_at {integer} NOT NULL,
    expires_at {integer} NOT NULL
) {strict};
"""
_TAKE = """
INSERT INTO {at}leases AS held (name, owner, place, epoch, taken_at, expires_at)
VALUES (?, ?, ?, 1, {now}, {now} + ?)
ON CONFLICT (name) DO UPDATE SET
    owner = excluded.owner, place = excluded.place, epoch = held.epoch + 1,
    taken_at = {now}, expires_at = {now} + ?
WHERE held.expires_at <= {now} OR held.place = excluded.place
RETURNING epoch
"""
# Also one that has ended: as long as nobody has taken it since, there was no other owner.
_RENEW = """
UPDATE {at}leases SET expires_at = {now} + ? WHERE name = ? AND epoch = ? RETURNING epoch
"""
_RELEASE = "UPDATE {at}leases SET expires_at = {now} WHERE name = ? AND epoch = ?"
_HOLDER = "SELECT owner, place FROM {at}leases WHERE name = ? AND expires_at > {now}"


@dataclass(frozen=True)
class Lease:
    """A lease that was taken.

    Attributes:
        name: of what.
        epoch: the fencing token: larger than that of whoever had it before.
    """

    name: str
    epoch: int


@dataclass(frozen=True)
class LeaseHolder:
    """Whose a lease is now.

    Attributes:
        owner: a name for people.
        place: where its lock file is: of two owners at one place, the earlier one is dead.
    """

    owner: str
    place: str


class LeaseStore:
    """Leases by name, in a cell's state. Every method is atomic, and raises what `State` does."""

    def __init__(self, state: State) -> None:
        """Use `state`, with a table of its own that is created where absent."""
        state.have(_TABLES)
        self._state = state

    def take(self, name: str, holder: LeaseHolder, ttl_s: float) -> Lease | None:
        """Take a lease for `ttl_s` seconds; None where it is another's.

        It may be taken if it is free or has ended, or is of the same `place`.
        """
        ttl = _milliseconds(ttl_s)
        with self._state.writing() as connection:
            found = connection.execute(_TAKE, (name, holder.owner, holder.place, ttl, ttl))
        return Lease(name, found[0][0]) if found else None

    def renew(self, lease: Lease, ttl_s: float) -> bool:
        """Let a lease end in `ttl_s` seconds from now; False where it was taken by another since."""
        with self._state.writing() as connection:
            return bool(connection.execute(_RENEW, (_milliseconds(ttl_s), lease.name, lease.epoch)))

    def release(self, lease: Lease) -> None:
        """End a lease now, if it is still its owner's."""
        with self._state.writing() as connection:
            connection.execute(_RELEASE, (lease.name, lease.epoch))

    def holder(self, name: str) -> LeaseHolder | None:
        """Return whose a lease is; None where it is free or has ended."""
        with self._state.reading() as connection:
            found = connection.execute(_HOLDER, (name,))
        return LeaseHolder(*found[0]) if found else None


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
