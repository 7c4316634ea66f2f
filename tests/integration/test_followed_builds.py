"""A host that is followed while it builds hours publishes none, and every hour is there once."""

from __future__ import annotations

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
from tests.support.builds_apart import fails_in
from tests.support.derivations import Chain
from tests.support.hosts import another_host
from tests.support.postgresql import PostgresqlServer


def test_a_build_that_is_followed_behind_its_audit_publishes_nothing(
    spark: SparkSession,
    quiet_cell: Cell,
    postgresql: PostgresqlServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uri = postgresql.database(f"db_{uuid4().hex}")
    shared = replace(quiet_cell, catalog_uri=uri, state_uri=uri)
    first, second = (another_host(name, shared, tmp_path).cell for name in ("first", "second"))
    stage = RangeStage(spark, second, ranges_product(tmp_path))
    stage.more()
    plan = stage.chain.plan(NUMBERS)
    followed: list[str] = []

    def follow(place: str) -> None:
        if place == "hour.after_audit" and not followed:
            followed.append(place)
            with hold_lock(batch_lock(second, stage.product.name), "second", wait_s=60):
                stage.build([BAD])

    monkeypatch.setattr("pipeline.batch.execute_stages.failpoint", follow)
    # Nothing renews the leases but who commits: as if the first were paused.
    monkeypatch.setattr("pipeline.supervision.lease.TTL_S", 0.5)
    monkeypatch.setattr("pipeline.supervision.lease.RENEW_S", 600.0)
    with hold_lock(batch_lock(first, stage.product.name), "first"):
        chain = Chain(spark, first, stage.product)
        with pytest.raises(LeaseLostError):
            chain.execute(plan, partial(fails_in, [BAD]), run_id="first")
    assert followed
    assert_converged(stage, [BAD])
