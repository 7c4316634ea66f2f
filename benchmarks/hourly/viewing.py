"""Hours of viewing as columns: accounts as unequal as accounts are, who watch in sessions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.committed import RUN_ID, TOPIC_ID, as_events
from headwater.produce.viewing import DEVICES, HOUR, SECOND, ZIPF, catalogue_of
from pipeline.contract.model import Product
from pipeline.ingest.transform.enrich import Enricher

Ints = npt.NDArray[np.int64]

REGIONS = {"us-east": 0.40, "us-central": 0.23, "us-west": 0.27, "ca-central": 0.10}
"""Region -> its share of accounts."""
EVENTS_PER_ACCOUNT = 5
ACCOUNT_ZIPF = 0.4
"""Exponent of how much accounts watch, by rank."""
LONGEST_BREAK_S = 2_700
"""Between two events of a session; one in three breaks is longer than a session's 30 minutes."""
BROKEN_ONE_IN = 200
"""One value of so many breaks a business rule."""


class Viewing:
    """Makes hours of events. The same seed, numbers and order of calls give the same rows."""

    def __init__(self, product: Product, events: int, seed: int = 1) -> None:
        """Make accounts for hours of `events` events."""
        self._rng = np.random.default_rng(seed)
        self._product = product
        self._enricher = Enricher(product)
        accounts = max(events // EVENTS_PER_ACCOUNT, 10)
        self._names = pl.Series([f"u{number:08d}" for number in range(accounts)])
        weights = 1.0 / np.arange(1, accounts + 1) ** ACCOUNT_ZIPF
        self._activity = np.cumsum(self._rng.permutation(weights / weights.sum()))
        self._region = self._chosen(len(REGIONS), accounts, list(REGIONS.values()))
        catalogue = catalogue_of(product)
        self._titles = pl.Series(catalogue.content_ids)
        self._runtimes = np.array(catalogue.runtimes, dtype=np.int64)
        popularity = 1.0 / np.arange(1, len(self._titles) + 1) ** ZIPF
        self._popularity = np.cumsum(self._rng.permutation(popularity / popularity.sum()))

    def hour(self, start: int, count: int, offsets: Sequence[int]) -> pl.DataFrame:
        """Return `count` rows of events of the hour that starts at `start` (microseconds).

        Their columns are those of the product's events table. Rows go to the partitions of its topic
        in turn, with offsets from `offsets` on.
        """
        rng, made = self._rng, 0
        parts: list[tuple[Ints, Ints]] = []
        while made < count:
            account, at = self._sessions(start, count)
            inside = np.flatnonzero((at >= start) & (at < start + HOUR))
            parts.append((account[inside], at[inside]))
            made += len(inside)
        account = np.concatenate([one for one, _ in parts])[:count]
        at = np.concatenate([one for _, one in parts])[:count]
        order = np.argsort(at, kind="stable")
        account, at = account[order], at[order]
        title = np.searchsorted(self._popularity, rng.random(count)).clip(max=len(self._titles) - 1)
        completion = np.round(rng.beta(1.6, 0.9, count), 4)
        watched = (completion * self._runtimes[title]).astype(np.int64).clip(1, 86_400)
        broken = rng.integers(0, BROKEN_ONE_IN, count) == 0
        times = pl.Series(at).cast(pl.Datetime("us", "UTC"))
        user = self._names.gather(account)
        partition = np.arange(count) % len(offsets)
        words = rng.integers(0, 1 << 63, (2, count), dtype=np.int64)
        frame = pl.DataFrame(
            {
                "_topic": pl.repeat(self._product.topic.name, count, eager=True),
                "_topic_id": pl.repeat(TOPIC_ID, count, eager=True),
                "_topic_partition": pl.Series(partition, dtype=pl.Int32),
                "_offset": np.array(offsets, dtype=np.int64)[partition]
                + np.arange(count) // len(offsets),
                "_record_time": times,
                "_ingested_at": times,
                "_run_id": pl.repeat(RUN_ID, count, eager=True),
                "_uuid": _uuids(words),
                "_key": user,
                "_event_time": times,
                "_schema_version": pl.repeat(1, count, dtype=pl.Int32, eager=True),
                "_late": pl.repeat(False, count, eager=True),
                "_producer": pl.repeat(RUN_ID, count, eager=True),
                "user_id": user,
                "content_id": self._titles.gather(title),
                "timestamp": times,
                "watch_duration": np.where(broken, -1, watched).astype(np.int32),
                "device_type": pl.Series(list(DEVICES)).gather(
                    self._chosen(len(DEVICES), count, list(DEVICES.values()))
                ),
                "region": pl.Series(list(REGIONS)).gather(self._region[account]),
                "completion": np.where(rng.permutation(broken), 1.5, completion),
            }
        )
        return as_events(frame, self._product, self._enricher)

    def _sessions(self, start: int, count: int) -> tuple[Ints, Ints]:
        """Return account and time of events of about as many sessions as the hour has."""
        rng = self._rng
        sessions = count // 2 + 10
        account = np.searchsorted(self._activity, rng.random(sessions))
        account = account.clip(max=len(self._activity) - 1)
        length = rng.geometric(0.4, sessions).clip(max=8)
        session = np.repeat(np.arange(sessions), length)
        pauses = rng.integers(60 * SECOND, LONGEST_BREAK_S * SECOND, len(session))
        elapsed = np.cumsum(pauses)
        first = np.repeat(np.cumsum(length) - length, length)
        begun = start - 2 * HOUR + rng.integers(0, 3 * HOUR, sessions)
        return account[session], begun[session] + elapsed - elapsed[first]

    def _chosen(self, options: int, count: int, shares: list[float]) -> Ints:
        edges = np.cumsum(np.array(shares) / sum(shares))
        return np.searchsorted(edges, self._rng.random(count)).clip(max=options - 1)


def _uuids(words: Ints) -> pl.Series:
    """Return distinct texts as long as UUIDs are; nothing reads them."""
    frame = pl.DataFrame({"high": words[0], "low": words[1], "row": np.arange(words.shape[1])})
    return frame.select(
        pl.format(
            "{}-{}-{}",
            pl.col("high").cast(pl.String).str.zfill(19).str.slice(0, 17),
            pl.col("low").cast(pl.String).str.zfill(19).str.slice(0, 6),
            pl.col("row").cast(pl.String).str.zfill(11),
        ).alias("uuid")
    ).to_series()
