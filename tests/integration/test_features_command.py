"""`headwater features get-historical`, over a history with corrections in a real catalog."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyiceberg.transforms import HourTransform

from headwater.cli.features import features
from pipeline.avro.arrow import UTC_MICROS
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.control.publications import Publication, record
from pipeline.disk import FileDamagedError
from pipeline.errors import ExitCode
from pipeline.features.historical_features import get_historical_features
from pipeline.features.history import FeatureNotBuiltError
from pipeline.features.plan import EntityMissingError, NotAFeatureTableError, UnknownFeatureError
from pipeline.features.point_in_time import ColumnCollisionError, EntityTypeError
from pipeline.features.times import KnownAt, TimeInvalidError
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.create import ensure_table
from pipeline.tables.layout import history_table
from tests.support.commands import Command
from tests.support.damage import damaged, data_file
from tests.support.products import CONTRACTS

PRODUCT, FEATURE = "strict_events", "tastes"
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: urn:headwater:tastes
name: Tastes
version: 1.0.0
status: active
domain: testing
description:
  purpose: A feature table of two features.
team:
  name: testing
customProperties:
  - property: headwater
    value: {of: strict_events}
schema:
  - name: tastes
    physicalType: table
    description: What users like.
    customProperties:
      - property: headwater
        value:
          sql: build.sql
          feature: {entity: [user_id, region], ttl: 7d, partitions: [region]}
    properties:
      - {name: user_id, logicalType: string, description: The user.}
      - {name: region, logicalType: string, description: Where.}
      - {name: confidence, logicalType: number, description: How sure.}
      - {name: completion_rate, logicalType: number, description: How much of it.}
      - {name: not_built_yet, logicalType: number, description: Not in the history.}
"""
HISTORY = history_table(PRODUCT, FEATURE)
COLUMNS = pa.schema(
    [
        pa.field("user_id", pa.string()),
        pa.field("region", pa.string()),
        pa.field("confidence", pa.float64()),
        pa.field("completion_rate", pa.float64()),
        pa.field("hour", UTC_MICROS, nullable=False),
        pa.field("build", pa.string(), nullable=False),
    ]
)
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def time(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def publish(
    cell: Cell, hour: int, build: str, at: float | None, rows: Sequence[tuple[str, float]]
) -> None:
    """Add a build of an hour to the history, known from hour `at` of the day; None: never published."""
    table = ensure_table(
        open_catalog(cell), HISTORY, COLUMNS, ("hour", HourTransform(), "hour_hour")
    )
    lines = [
        {
            "user_id": user,
            "region": "us",
            "confidence": confidence,
            "completion_rate": 0.5,
            "hour": time(hour),
            "build": build,
        }
        for user, confidence in rows
    ]
    table.append(pa.Table.from_pylist(lines, schema=COLUMNS))
    if at is None:
        return
    publication = Publication(
        table=HISTORY,
        hour=time(hour),
        published_at=time(at),
        source_snapshot_id=1,
        staged_snapshot_id=2,
        published_snapshot_id=3,
        wap_id=build,
        rows=len(rows),
        contract_version="1.0.0",
        run_id="run",
        expectations=0,
    )
    record(cell, PRODUCT, [publication])


@pytest.fixture
def command(quiet_cell: Cell, home: Path, tmp_path: Path) -> Command:
    """The command line over a product with a feature table, and no history yet."""
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS / PRODUCT, contracts / PRODUCT)
    (contracts / FEATURE).mkdir()
    (contracts / FEATURE / "contract.yaml").write_text(CONTRACT)
    (contracts / FEATURE / "build.sql").write_text("SELECT * FROM events")
    return Command(home, contracts)


@pytest.fixture
def history(quiet_cell: Cell) -> None:
    """Hours 4 and 5, hour 4 corrected at 9:00, and a build that was never published."""
    publish(quiet_cell, 4, "first", 5.25, [("ann", 1.0), ("bob", 2.0)])
    publish(quiet_cell, 5, "second", 6.5, [("bob", 3.0)])
    publish(quiet_cell, 4, "correction", 9.0, [("ann", 1.5), ("bob", 2.5)])
    publish(quiet_cell, 5, "unpublished", None, [("ann", 99.0)])


ARGUMENTS = ("get-historical", PRODUCT, FEATURE, "--cell", "us", "--timestamp-column", "t")


def ask(command: Command, spine: Path, *more: str) -> str:
    """Run the command in this process, and return what it prints."""
    settings = {
        "HEADWATER_HOME": str(command.home),
        "HEADWATER_CONTRACTS": str(command.contracts),
    }
    arguments = [*ARGUMENTS, "--spine", str(spine), *more]
    done = CliRunner().invoke(
        features, arguments, env=settings, standalone_mode=False, catch_exceptions=False
    )
    assert done.return_value == ExitCode.OK
    return done.stdout


@pytest.mark.usefixtures("history")
def test_rows_get_what_was_known_at_their_time(command: Command, tmp_path: Path) -> None:
    spine = tmp_path / "rows.csv"
    lines = [
        "user_id,region,t,label",
        "bob,us,2026-03-01T08:00:00Z,1",
        "ann,us,2026-03-01 08:00:00,0",
        "ann,us,2026-03-01T12:00:00+02:00,1",
        "bob,us,2026-03-01T05:10:00Z,0",
        "eve,us,2026-03-01T08:00:00Z,1",
        "ann,us,2026-03-08T05:00:00Z,1",
    ]
    spine.write_text("\n".join(lines) + "\n")

    out = tmp_path / "out.csv"
    told = ask(command, spine, "--output", str(out), "--features", "confidence", "--json")
    assert json.loads(told) == {
        "rows": 6,
        "matched": 3,
        "unmatched": 3,
        "oldest_feature_time": "2026-03-01T05:00:00+00:00",
        "output": str(out),
    }
    five, six = "2026-03-01T05:00:00.000000Z", "2026-03-01T06:00:00.000000Z"
    assert out.read_text().splitlines() == [
        f"{lines[0]},confidence,feature_time,known_from",
        f"{lines[1]},3.0,{six},2026-03-01T06:30:00.000000Z",
        f"{lines[2]},1.0,{five},2026-03-01T05:15:00.000000Z",
        f"{lines[3]},1.5,{five},2026-03-01T09:00:00.000000Z",
        f"{lines[4]},,,",
        f"{lines[5]},,,",
        f"{lines[6]},,,",
    ]

    corrected = tmp_path / "out.jsonl"
    told = ask(command, spine, "--output", str(corrected), "--known-at", "now", "--prefix", "f_")
    assert "6 rows: 4 matched, 2 unmatched" in told
    assert "2026-03-01 05:00 UTC" in told
    found = [json.loads(line)["f_confidence"] for line in corrected.read_text().splitlines()]
    assert found == [3.0, 1.5, 1.5, 2.5, None, None]

    explained = json.loads(ask(command, spine, "--explain", "--json"))
    assert explained["table"] == HISTORY
    assert explained["entity"] == ["user_id", "region"]
    assert explained["features"] == ["confidence", "completion_rate"]
    assert explained["ttl"] == 7 * 86_400
    assert explained["first_hour"] == "2026-02-22T05:00:00+00:00"
    assert explained["last_hour"] == "2026-03-08T04:00:00+00:00"


@pytest.mark.usefixtures("history")
def test_a_row_may_have_a_time_of_its_own_as_of_which_it_knows(
    quiet_cell: Cell, command: Command
) -> None:
    spine = pl.DataFrame(
        {"user_id": ["ann", "ann", "bob"], "region": "us", "t": [time(6)] * 3},
        schema_overrides={"t": pl.Datetime("ns", "Europe/Vienna")},
    ).with_columns(scored_at=pl.Series([time(8), time(9), time(5)]))
    product = load_product(command.contracts / PRODUCT)

    def confidence(known_at: KnownAt) -> list[Any]:
        found = get_historical_features(
            quiet_cell, product, FEATURE, spine, timestamp="t", known_at=known_at
        )
        assert found.select(spine.columns).equals(spine)
        return found.get_column("confidence").to_list()

    assert confidence(KnownAt(column="scored_at")) == [1.0, 1.5, None]
    assert confidence(KnownAt(instant=time(7))) == [1.0, 1.0, 3.0]
    assert confidence(KnownAt()) == [1.0, 1.0, 2.0]


@pytest.mark.usefixtures("history")
def test_a_history_that_is_damaged_is_named_with_the_file(
    quiet_cell: Cell, command: Command
) -> None:
    product = load_product(command.contracts / PRODUCT)
    spine = pl.DataFrame({"user_id": ["ann"], "region": ["us"], "t": [time(8)]})
    file = data_file(load_table(quiet_cell, HISTORY))
    with damaged(file), pytest.raises(FileDamagedError, match=file.name):
        get_historical_features(quiet_cell, product, FEATURE, spine, timestamp="t")


def test_an_output_stays_as_it_was_when_the_spine_does_not_fit(
    quiet_cell: Cell, command: Command, tmp_path: Path
) -> None:
    publish(quiet_cell, 4, "first", 5.25, [("ann", 1.0)])
    spine, out = tmp_path / "rows.jsonl", tmp_path / "out.parquet"
    spine.write_text('{"user_id": "ann", "region": "us", "t": "noon"}\n')
    out.write_text("as it was")
    done = command.run("features", *ARGUMENTS, "--spine", str(spine), "--output", str(out))
    assert done.code == ExitCode.TERMINAL
    assert "'noon' in row 1 is no time" in done.err
    assert out.read_text() == "as it was"


def test_what_does_not_fit_is_refused_by_name(quiet_cell: Cell, command: Command) -> None:
    product = load_product(command.contracts / PRODUCT)
    good: dict[str, list[Any]] = {"user_id": ["ann"], "region": ["us"], "t": [time(8)]}

    def asked(
        spine: dict[str, list[Any]], chosen: list[str] | None = None, table: str = FEATURE
    ) -> pl.DataFrame:
        frame = pl.DataFrame(spine)
        return get_historical_features(
            quiet_cell, product, table, frame, timestamp="t", features=chosen
        )

    with pytest.raises(FeatureNotBuiltError, match="none of its hours was built yet"):
        asked(good)
    publish(quiet_cell, 4, "first", 5.25, [("ann", 1.0)])
    assert asked(good).get_column("confidence").to_list() == [1.0]
    with pytest.raises(NotAFeatureTableError, match=f"Feature tables of {PRODUCT}: {FEATURE}"):
        asked(good, table="events")
    with pytest.raises(EntityMissingError, match="it has no column region"):
        asked({"user_id": ["ann"], "t": [time(8)]})
    with pytest.raises(EntityTypeError, match="user_id"):
        asked(good | {"user_id": [7]})
    with pytest.raises(TimeInvalidError, match="of type Int64"):
        asked(good | {"t": [8]})
    with pytest.raises(UnknownFeatureError, match="it has no feature not_built_yet"):
        asked(good, chosen=["not_built_yet"])
    with pytest.raises(ColumnCollisionError, match="would be added: confidence"):
        asked(good | {"confidence": [0.0]})
