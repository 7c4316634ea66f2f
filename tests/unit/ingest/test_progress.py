"""Digests of a long ingest, and how long one run of it lasts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.progress import summarize
from pipeline.ingest.report import CommittedBatch
from pipeline.ledger.model import Entry
from pipeline.supervision.lifetime import lifetime


def committed(
    snapshot_id: int, ranges: dict[int, tuple[int, int]], lag: int = 0, **counts: Any
) -> CommittedBatch:
    return CommittedBatch(
        snapshot_id=snapshot_id,
        committed_at=datetime(2026, 1, 1, tzinfo=UTC),
        entries=tuple(Entry(p, start, end, rows=end - start) for p, (start, end) in ranges.items()),
        reasons={"null_key": counts["dead_letters"]} if "dead_letters" in counts else {},
        rules={},
        lag=lag,
        **counts,
    )


def test_a_digest_sums_its_commits_and_keeps_the_lasts_snapshot_and_lag() -> None:
    told = summarize(
        [
            committed(1, {0: (0, 10), 1: (5, 6)}, rows=10, dead_letters=1, invalid=2, lag=7),
            committed(2, {0: (10, 12)}, rows=1, duplicates=1, dead_letters=2, lag=3),
        ]
    )
    assert told.commits == 2
    assert told.entries == (Entry(0, 0, 12, rows=12), Entry(1, 5, 6, rows=1))
    assert (told.rows, told.duplicates, told.dead_letters, told.invalid) == (11, 1, 3, 2)
    assert told.reasons == {"null_key": 3}
    assert (told.snapshot_id, told.lag) == (2, 3)


def test_no_commits_have_no_digest() -> None:
    with pytest.raises(ValueError, match="no commits"):
        summarize([])


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_run_ends_after_its_longest_time(tmp_path: Path) -> None:
    seconds = Seconds()
    ended = lifetime(tmp_path, max_s=100, seconds=seconds)
    seconds.now = 99
    assert not ended()
    seconds.now = 100
    assert ended()


def test_a_run_ends_when_its_contract_changes(tmp_path: Path) -> None:
    contract = tmp_path / "contract.yaml"
    contract.write_text("version: 1")
    seconds = Seconds()
    ended = lifetime(tmp_path, check_s=30, seconds=seconds)
    contract.write_text("version: 2")
    assert not ended(), "it looks now and then only"
    seconds.now = 30
    assert ended()
