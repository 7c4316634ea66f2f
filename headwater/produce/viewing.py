"""Viewing as it looks: few titles are most watched, people watch in sessions, evenings are busy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headwater.produce.model import Event
from headwater.produce.uuids import random_uuids
from pipeline.contract.model import Product
from pipeline.contract.references.data import load_reference
from pipeline.errors import TerminalError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SECOND = 1_000_000
HOUR = 3_600 * SECOND

USERS = 20_000
ZIPF = 1.05
REGIONS = {
    "us-east": (0.38, -5),
    "us-central": (0.22, -6),
    "us-west": (0.26, -8),
    "ca-central": (0.09, -5),
    "mx-central": (0.05, -6),
}
"""Region -> its share of users, and its offset from UTC in hours."""
DEVICES = {"tv": 0.46, "mobile": 0.27, "desktop": 0.12, "tablet": 0.09, "console": 0.06}
BY_HOUR = (9, 5, 3, 2, 2, 2, 4, 7, 9, 10, 11, 13, 15, 15, 14, 15, 18, 24, 33, 44, 52, 50, 38, 21)
"""How much is watched in each local hour of the day."""
LEAD = 3 * HOUR
"""Sessions begin this long before the window, so that its beginning is as busy as its end."""
EVENT_TIME = "timestamp"


@dataclass(frozen=True)
class Catalogue:
    """What can be watched, and how long each lasts in seconds."""

    content_ids: tuple[str, ...]
    runtimes: tuple[int, ...]


@dataclass(frozen=True)
class _Views:
    """Stretches of watching as columns; `ended` is in microseconds since the epoch."""

    ended: Ints
    session: Ints
    user: Ints
    title: Ints
    watched: Ints
    device: Ints
    profile: Ints
    completion: Floats


class CatalogueMissingError(TerminalError):
    """The contract names no reference data to choose titles from."""


def catalogue_of(product: Product) -> Catalogue:
    """Return the titles in the product's reference data on `content_id`.

    Raises:
        CatalogueMissingError: it has none with `content_id` and `runtime_s`.
        ReferenceDataError: it cannot be read.
    """
    for reference in product.references:
        if reference.on == ("content_id",) and "runtime_s" in reference.columns:
            frame = load_reference(product, reference).frame
            titles = frame.select("content_id", "runtime_s").drop_nulls()
            rows = titles.unique("content_id", keep="first", maintain_order=True).rows()
            return Catalogue(tuple(str(r[0]) for r in rows), tuple(int(r[1]) for r in rows))
    raise CatalogueMissingError(
        "no reference data with content_id and runtime_s.",
        subject=f"product {product.name}",
        remedy="Add the reference to the contract, or produce from a file.",
    )


class Viewing:
    """Generates viewing events. The same seed, catalogue and calls give the same events."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        rng = self._rng
        titles = len(catalogue.content_ids)
        self._titles = np.array(catalogue.content_ids)
        self._runtimes = np.array(catalogue.runtimes, dtype=np.int64)
        popularity = 1.0 / np.arange(1, titles + 1) ** ZIPF
        self._popularity = np.cumsum(rng.permutation(popularity / popularity.sum()))
        regions = tuple(REGIONS)
        self._user_region = rng.choice(len(regions), USERS, p=[s for s, _ in REGIONS.values()])
        activity = rng.lognormal(0.0, 1.0, USERS)
        self._activity = np.cumsum(activity / activity.sum())
        self._user_device = rng.choice(len(DEVICES), USERS, p=list(DEVICES.values()))
        self._user_profiles = rng.integers(1, 5, USERS)

    def events(self, start: int, end: int, count: int) -> list[Event]:
        """Return exactly `count` events of [start, end), by event time.

        Times are in microseconds since the epoch. In a window too short for sessions, an hour's viewing
        is told faster.
        """
        if end - start < HOUR:
            slow = self.events(end - HOUR, end, count)
            return [
                _at(e, start + (e.event_time - end + HOUR) * (end - start) // HOUR) for e in slow
            ]
        sessions = int(count * (end - start + LEAD) / (end - start)) + 100
        while True:
            views = self._views(start - LEAD, end, sessions)
            inside = np.flatnonzero((views.ended >= start) & (views.ended < end))
            if len(inside) >= count:
                chosen = np.sort(self._rng.choice(inside, count, replace=False))
                return self._rows(views, chosen[np.argsort(views.ended[chosen], kind="stable")])
            sessions *= 2

    def busyness(self, start: int, end: int) -> float:
        """Return how busy [start, end) is; only ratios mean anything."""
        instants = np.linspace(start, end, 60)
        return float(
            sum(share * _cycle(instants, offset).mean() for share, offset in REGIONS.values())
        )

    def _views(self, start: int, end: int, sessions: int) -> _Views:
        rng = self._rng
        user = np.searchsorted(self._activity, rng.random(sessions)).clip(max=USERS - 1)
        begun = self._begins(user, start, end)
        length = rng.geometric(0.45, sessions).clip(max=8)
        session = np.repeat(np.arange(sessions), length)
        count = len(session)
        title = np.searchsorted(self._popularity, rng.random(count)).clip(max=len(self._titles) - 1)
        usual = rng.random(sessions) < 0.8
        other = rng.choice(len(DEVICES), sessions, p=list(DEVICES.values()))
        device = np.where(usual, self._user_device[user], other)[session]
        completion = self._completion(device)
        watched = completion * self._runtimes[title] * rng.uniform(0.97, 1.03, count)
        watched = watched.clip(1, 86_400).astype(np.int64)
        elapsed = np.cumsum(watched + rng.exponential(30, count).astype(np.int64))
        before = np.concatenate(([0], elapsed))[np.repeat(np.cumsum(length) - length, length)]
        ended = begun[session] + (elapsed - before) * SECOND + rng.integers(0, SECOND, count)
        profile = rng.integers(0, 1 << 30, sessions) % self._user_profiles[user] + 1
        return _Views(
            ended, session, user[session], title, watched, device, profile[session], completion
        )

    def _begins(self, user: Ints, start: int, end: int) -> Ints:
        """Return when each user's session begins: more often in the user's own evening."""
        minutes = max(2, (end - start) // (60 * SECOND))
        grid = np.linspace(start, end, minutes + 1)
        begun = np.empty(len(user), dtype=np.int64)
        for number, (_, offset) in enumerate(REGIONS.values()):
            mine = np.flatnonzero(self._user_region[user] == number)
            cumulative = np.concatenate(([0.0], np.cumsum(_cycle(grid[:-1], offset))))
            drawn = self._rng.random(len(mine)) * cumulative[-1]
            begun[mine] = np.interp(drawn, cumulative, grid).astype(np.int64)
        return begun

    def _completion(self, device: Ints) -> Floats:
        """Return the share of the title watched: some give up early, many see it to its end."""
        rng = self._rng
        count = len(device)
        small = np.isin(
            device, [i for i, name in enumerate(DEVICES) if name in ("mobile", "tablet")]
        )
        mood = rng.random(count) + np.where(small, -0.12, 0.03)
        share = np.where(
            mood < 0.35,
            rng.beta(1.2, 6.0, count),
            np.where(mood < 0.60, rng.beta(3.0, 3.0, count), rng.beta(18.0, 1.2, count)),
        )
        return np.round(share.clip(0.001, 1.0), 4)

    def _rows(self, views: _Views, chosen: Ints) -> list[Event]:
        regions, devices = tuple(REGIONS), tuple(DEVICES)
        user, session = views.user[chosen], views.session[chosen]
        distinct, place = np.unique(session, return_inverse=True)
        names = random_uuids(self._rng, len(distinct))
        columns = zip(
            random_uuids(self._rng, len(chosen)),
            views.ended[chosen].tolist(),
            user.tolist(),
            self._titles[views.title[chosen]].tolist(),
            views.watched[chosen].tolist(),
            views.device[chosen].tolist(),
            self._user_region[user].tolist(),
            views.profile[chosen].tolist(),
            views.completion[chosen].tolist(),
            place.tolist(),
            strict=True,
        )
        events = []
        for uuid, at, u, content, seconds, device, region, profile, share, name in columns:
            user_id = f"u{u:06d}"
            payload = {
                "user_id": user_id,
                "content_id": content,
                EVENT_TIME: at,
                "watch_duration": seconds,
                "device_type": devices[device],
                "region": regions[region],
                "profile": f"{user_id}-{profile}",
                "completion": share,
                "session_id": names[name],
            }
            events.append(Event(user_id, uuid, at, payload))
        return events


def _at(event: Event, instant: int) -> Event:
    return Event(event.key, event.uuid, instant, event.payload | {EVENT_TIME: instant})


def _cycle(instants: Floats, offset_hours: int) -> Floats:
    """Return how busy each instant is where the local time is UTC + `offset_hours`."""
    local = (instants / HOUR + offset_hours) % 24
    hours = np.arange(25)
    busy = np.array((*BY_HOUR, BY_HOUR[0]), dtype=np.float64)
    return np.interp(local, hours, busy)
