"""A host that is followed while it builds publishes no hour twice, and every hour is there once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from pyspark.sql import SparkSession

from pipeline.cells import Cell
from pipeline.supervision.lease import LeaseLostError
from pipeline.supervision.locks import batch_lock, hold_lock
from tests.crash.range_model import BAD, NUMBERS, ranges_product
from tests.crash.range_stage import RangeStage
from tests.crash.range_verdict import assert_converged
from tests.support.apart import AttemptFailedError
from tests.support.builds_apart import fails_in
from tests.support.derivations import Chain
from tests.support.hosts import FOLLOWS_S, Host, another_host, count_follow
from tests.support.postgresql import PostgresqlServer


@pytest.fixture
def shared(quiet_cell: Cell, postgresql: PostgresqlServer) -> Cell:
    uri = postgresql.database(f"db_{uuid4().hex}")
    return replace(quiet_cell, catalog_uri=uri, state_uri=uri)


@pytest.fixture
def first(shared: Cell, tmp_path: Path, lease_s: float) -> Host:
    return another_host("first", shared, tmp_path, lease_s)


@pytest.fixture
def stage(spark: SparkSession, shared: Cell, tmp_path: Path) -> Iterator[RangeStage]:
    """What the second host builds, in this process; orders came to all hours."""
    second = another_host("second", shared, tmp_path).cell
    stage = RangeStage(spark, second, ranges_product(tmp_path))
    stage.more()
    yield stage
    assert_converged(stage, [BAD])


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "paused"])
def test_a_build_of_a_host_that_is_gone_is_done_by_another(
    first: Host, stage: RangeStage, killed: bool
) -> None:
    plan = stage.chain.plan(NUMBERS)
    place = "hour.after_stage:1" if killed else "hour.after_audit:1"
    gone = first.builds(stage.product, plan, [BAD], at=place)
    assert gone.falls_asleep()
    if killed:
        gone.end()
    began = time.monotonic()
    with hold_lock(batch_lock(stage.cell, stage.product.name), "second", wait_s=FOLLOWS_S):
        stage.build([BAD])
    count_follow(
        began, f"a build that was {'killed' if killed else 'paused'}, and all was published"
    )
    if not killed:
        assert_converged(stage, [BAD])
        gone.wake()
        with pytest.raises(AttemptFailedError, match="LeaseLostError"):
            gone.wait()


def test_a_build_that_is_followed_behind_its_audit_publishes_nothing(
    first: Host, stage: RangeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = stage.chain.plan(NUMBERS)
    followed: list[str] = []

    def follow(place: str) -> None:
        if place == "hour.after_audit" and not followed:
            followed.append(place)
            with hold_lock(batch_lock(stage.cell, stage.product.name), "second", wait_s=60):
                stage.build([BAD])

    monkeypatch.setattr("pipeline.batch.execute_stages.failpoint", follow)
    # Nothing renews the leases but who commits: as if the first were paused.
    monkeypatch.setattr("pipeline.supervision.lease.TTL_S", 0.5)
    monkeypatch.setattr("pipeline.supervision.lease.RENEW_S", 600.0)
    with hold_lock(batch_lock(first.cell, stage.product.name), "first"):
        chain = Chain(stage.spark, first.cell, stage.product)
        with pytest.raises(LeaseLostError):
            chain.execute(plan, partial(fails_in, [BAD]), run_id="first")
    assert followed
