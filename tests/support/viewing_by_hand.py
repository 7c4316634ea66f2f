"""What viewing sessions and preferences are, told again in plain Python over a whole stream at once."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DEVICES = {"tv", "mobile", "tablet", "desktop", "console"}
COUNTS = (
    "events",
    "watch_seconds",
    "viewed_micros",
    "completion_events",
    "completion_micros",
    "finished",
)
Key = tuple[str, ...]


@dataclass(frozen=True)
class View:
    """One viewing event."""

    user: str | None
    at: datetime
    content: str = "c1"
    seconds: int | None = 600
    device: str | None = "tv"
    region: str | None = "us-east"
    completion: float | None = 0.5


@dataclass(frozen=True)
class Title:
    """One row of the catalogue."""

    content: str
    genre: str | None
    runtime: int | None
    since: datetime | None = None


@dataclass(frozen=True)
class World:
    """The reference data."""

    titles: tuple[Title, ...]
    zones: dict[str, str]

    def held(self, view: View) -> Title | None:
        """Return the row of the catalogue that held when `view` ended."""
        known = [t for t in self.titles if t.content == view.content]
        past = [t for t in known if t.since is None or t.since <= view.at]
        return max(past, key=lambda t: t.since or datetime.min.replace(tzinfo=UTC), default=None)


def pattern(world: World, view: View) -> Key:
    """Return genre, device and part of the local day."""
    title = world.held(view)
    zone = world.zones.get(view.region or "unknown")
    daypart = "unknown"
    if zone is not None:
        local = view.at.astimezone(ZoneInfo(zone)).hour
        daypart = ("night", "morning", "afternoon", "evening")[local // 6]
    device = view.device if view.device in DEVICES else "unknown"
    return (title.genre if title and title.genre else "unknown", device, daypart)


def counts(world: World, view: View) -> Counter[str]:
    """Return what one event adds to each count."""
    title = world.held(view)
    seconds = view.seconds if view.seconds is not None and 0 <= view.seconds <= 86_400 else None
    share = view.completion if view.completion is not None and 0 <= view.completion <= 1 else None
    found = Counter(dict.fromkeys(COUNTS, 0))
    found["events"] = 1
    if seconds is not None:
        found["watch_seconds"] = seconds
        if title is not None and title.runtime is not None and title.runtime > 0:
            found["viewed_micros"] = min(seconds, title.runtime) * 1_000_000 // title.runtime
    if share is not None:
        micros = math.floor(share * 1_000_000 + 0.5)
        found["completion_events"] = 1
        found["completion_micros"] = micros
        found["finished"] = int(micros >= 900_000)
    return found


def sessions_of(views: Iterable[View]) -> list[list[View]]:
    """Cut the accounts' events into sessions: a gap of more than 30 minutes ends one."""
    by_user: dict[str, list[View]] = defaultdict(list)
    for view in views:
        if view.user:
            by_user[view.user].append(view)
    found: list[list[View]] = []
    for mine in by_user.values():
        previous: datetime | None = None
        for view in sorted(mine, key=lambda each: each.at):
            if previous is None or view.at - previous > 30 * MINUTE:
                found.append([])
            found[-1].append(view)
            previous = view.at
    return found


def session_rows(world: World, views: Iterable[View], hour: datetime) -> list[dict[str, Any]]:
    """Return the rows that an hour of sessions has, in any order."""
    found: list[dict[str, Any]] = []
    for session in sessions_of(views):
        so_far = [view for view in session if view.at < hour + HOUR]
        here = [view for view in so_far if view.at >= hour]
        start = session[0].at
        micros = (start - EPOCH) // timedelta(microseconds=1)
        for region in {view.region or "unknown" for view in here}:
            mine = [view for view in here if (view.region or "unknown") == region]
            found.append(
                {
                    "user_id": session[0].user,
                    "region": region,
                    "session_id": hashlib.sha256(
                        f"{session[0].user}/{micros}".encode()
                    ).hexdigest()[:32],
                    "session_start": start,
                    "session_end": so_far[-1].at,
                    "continued": start < hour,
                    "session_events": len(so_far),
                    "session_watch_seconds": _sum(world, so_far)["watch_seconds"],
                    "events": len(mine),
                    "watch_seconds": _sum(world, mine)["watch_seconds"],
                    "patterns": _patterns(world, mine),
                }
            )
    return found


def feature_rows(world: World, views: Sequence[View], hour: datetime) -> list[dict[str, Any]]:
    """Return the features as of the end of `hour`, in any order."""
    trailing = [view for view in views if hour - 167 * HOUR <= view.at < hour + HOUR and view.user]
    entities = {(view.user, view.region or "unknown") for view in trailing if view.at >= hour}
    found: list[dict[str, Any]] = []
    for user, region in entities:
        mine = [v for v in trailing if (v.user, v.region or "unknown") == (user, region)]
        weighted: dict[Key, Counter[str]] = defaultdict(Counter)
        for view in mine:
            age = int((hour + HOUR - view.at - timedelta(microseconds=1)) / HOUR)
            weight = round(10_000 * 0.5 ** (age / 48))
            adds = counts(world, view)
            cell = weighted[pattern(world, view)]
            cell["confidence"] += weight * (1_000_000 + 4 * adds["viewed_micros"])
            cell["rated"] += weight * adds["completion_events"]
            cell["completion"] += weight * adds["completion_micros"]
            cell["finished"] += weight * adds["finished"]
        total: Counter[str] = Counter()
        for cell in weighted.values():
            total.update(cell)
        names = ("genre", "device_type", "daypart")
        found.append(
            {
                "user_id": user,
                "region": region,
                "snapshot_date": hour.date(),
                "watch_pattern_affinity": _affinities(weighted, total, names, names),
                "genre_affinity": _affinities(weighted, total, names, ("genre",)),
                "device_affinity": _affinities(weighted, total, names, ("device_type",)),
                "daypart_affinity": _affinities(weighted, total, names, ("daypart",)),
                "confidence": total["confidence"] / 10**10,
                "completion_rate": _ratio(total["finished"], total["rated"]),
                "mean_completion": _ratio(total["completion"], total["rated"] * 1_000_000),
                "sessions": sum(any(v in mine for v in s) for s in sessions_of(views)),
                "events": len(mine),
                "watch_seconds": _sum(world, mine)["watch_seconds"],
            }
        )
    return found


def events_table(views: Sequence[View]) -> pa.Table:
    """Return `views` with the columns of the events table that sessions are made from."""
    return pa.table(
        {
            "user_id": pa.array([v.user for v in views], pa.string()),
            "_event_time": pa.array([v.at for v in views], pa.timestamp("us", "UTC")),
            "content_id": pa.array([v.content for v in views], pa.string()),
            "watch_duration": pa.array([v.seconds for v in views], pa.int32()),
            "device_type": pa.array([v.device for v in views], pa.string()),
            "region": pa.array([v.region for v in views], pa.string()),
            "completion": pa.array([v.completion for v in views], pa.float64(), from_pandas=False),
        }
    )


def reference_tables(world: World) -> dict[str, pa.Table]:
    """Return the reference data as tables, by name."""
    titles = world.titles
    return {
        "content": pa.table(
            {
                "content_id": pa.array([t.content for t in titles], pa.string()),
                "title": pa.array([None for _ in titles], pa.string()),
                "genre": pa.array([t.genre for t in titles], pa.string()),
                "runtime_s": pa.array([t.runtime for t in titles], pa.int64()),
                "valid_from": pa.array([t.since for t in titles], pa.timestamp("us", "UTC")),
            }
        ),
        "time_zones": pa.table(
            {"region": list(world.zones), "time_zone": list(world.zones.values())}
        ),
    }


def _sum(world: World, views: Iterable[View]) -> Counter[str]:
    total = Counter(dict.fromkeys(COUNTS, 0))
    for view in views:
        total.update(counts(world, view))
    return total


def _patterns(world: World, views: Sequence[View]) -> list[dict[str, Any]]:
    keys = sorted({pattern(world, view) for view in views})
    return [
        dict(zip(("genre", "device_type", "daypart"), key, strict=True))
        | dict(_sum(world, [view for view in views if pattern(world, view) == key]))
        for key in keys
    ]


def _affinities(
    weighted: dict[Key, Counter[str]], total: Counter[str], names: Key, kept: Key
) -> list[dict[str, Any]]:
    folded: dict[Key, Counter[str]] = defaultdict(Counter)
    for key, cell in weighted.items():
        by_name = dict(zip(names, key, strict=True))
        folded[tuple(by_name[name] for name in kept)].update(cell)
    ordered = sorted(folded.items(), key=lambda item: (-item[1]["confidence"], item[0]))
    return [
        dict(zip(kept, key, strict=True))
        | {
            "affinity": cell["confidence"] / total["confidence"],
            "completion_rate": _ratio(cell["finished"], cell["rated"]),
        }
        for key, cell in ordered
    ]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
