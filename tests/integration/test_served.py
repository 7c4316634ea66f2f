"""What readers of a feature table get while hours are refused or late, told by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import DataFrame, SparkSession

from assets.definitions import build as build_definitions
from pipeline.batch.model import Rejected, Source
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.control.alerts import AlertKind, read_alerts
from pipeline.control.publications import Publication
from pipeline.disk import FileDamagedError
from pipeline.errors import ExitCode
from pipeline.features.serving import NotServedError, read_served
from pipeline.hours.states import fence_hours
from pipeline.latency.measure import measure_latency
from pipeline.lineage.facets.assertions import Finding
from pipeline.spark.session import own_session
from pipeline.tables.catalog import load_table
from resources.cell import CellResource
from tests.support.commands import command_for
from tests.support.damage import damaged, data_file
from tests.support.hour_builds import build, hour_context
from tests.support.orders import Orders, hour

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: urn:headwater:orders
name: Orders
version: 1.0.0
status: active
domain: shop
description: {purpose: Orders.}
team: {name: shop}
customProperties:
  - property: headwater
    value:
      cells: [us]
      key: region
      eventTime: at
      schemas: {envelope: none, payload: [payload.avsc]}
schema:
  - name: orders
    physicalName: orders_v1
    physicalType: topic
    properties:
      - {name: region, logicalType: string}
      - {name: amount, logicalType: integer}
      - {name: at, logicalType: timestamp}
  - name: habits
    physicalType: table
    properties:
      - {name: region, logicalType: string}
      - {name: day, logicalType: date}
      - {name: orders, logicalType: integer}
    customProperties:
      - property: headwater
        value: {sql: habits.sql, feature: {entity: [region], ttl: 7d, partitions: [day]}}
slaProperties:
  - {property: latency, value: 2, unit: h, element: habits}
"""
SQL = "SELECT region, DATE '2026-01-01' AS day, count(*) AS orders FROM events {where} GROUP BY region"
PAYLOAD = """
{"type": "record", "name": "Order", "fields": [
  {"name": "region", "type": "string"}, {"name": "amount", "type": "long"},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}}]}
"""
SEGMENTS = "More than 99.5 % of the segments that ordered have features."


@dataclass(frozen=True)
class EnoughSegments:
    """The verdict on an hour by the share of its segments that it has rows of."""

    share: float

    @property
    def passed(self) -> bool:
        return self.share > 0.995

    @property
    def met(self) -> int:
        return int(self.passed)

    @property
    def reasons(self) -> tuple[str, ...]:
        return () if self.passed else (SEGMENTS,)

    @property
    def results(self) -> tuple[Finding, ...]:
        return ()


@dataclass(frozen=True)
class Shop:
    spark: SparkSession
    cell: Cell
    product: Product
    orders: Orders

    def build(self, of: datetime, lost: str = "") -> Publication | Rejected:
        """Build an hour whose logic loses the segments that end in `lost`."""
        where = f"WHERE region NOT LIKE '%{lost}'" if lost else ""
        derived_table = self.product.derived_tables[0]
        logic = derived_table.logic.model_copy(update={"text": SQL.format(where=where)})
        expected = len(self.orders.expected(of))

        def audit(frame: DataFrame) -> EnoughSegments:
            return EnoughSegments(frame.count() / expected)

        snapshot = load_table(self.cell, "orders.events").metadata.current_snapshot_id
        assert snapshot is not None
        source = Source(snapshot, self.orders.count(of))
        table = derived_table.model_copy(update={"logic": logic})
        return build(hour_context(self.spark, self.cell, self.product, table, of, source), audit)

    def main(self) -> int | None:
        return load_table(self.cell, "orders.habits").metadata.current_snapshot_id


@pytest.fixture
def shop(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Shop:
    folder = tmp_path / "contracts" / "orders"
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(CONTRACT)
    (folder / "payload.avsc").write_text(PAYLOAD)
    (folder / "habits.sql").write_text(SQL.format(where=""))
    orders = Orders(quiet_cell)
    segments = [f"segment {number:03}" for number in range(100)]
    orders.append([(hour(of), segment, of) for of in (1, 2) for segment in segments])
    return Shop(spark, quiet_cell, load_product(folder), orders)


def test_a_refused_hour_leaves_the_last_good_one_served_with_its_reason_until_it_is_published(
    shop: Shop,
) -> None:
    command = command_for(shop.cell, shop.product)
    asked = ("features", "served", "orders", "habits", "--cell", "us")
    fence_hours(shop.cell, shop.product, utc_now(), {0: 0, 1: 0})

    with pytest.raises(NotServedError):
        read_served(shop.cell, shop.product, "habits")

    assert isinstance(shop.build(hour(1)), Publication)
    fresh = command.run(*asked, "--json")
    assert fresh.code == ExitCode.OK, fresh.err
    assert fresh.json["as_of"] == hour(2).isoformat()
    assert (fresh.json["fallback"], fresh.json["objective_s"]) == (False, 7_200)
    before = shop.main()
    assert fresh.json["snapshot_id"] == before

    assert isinstance(shop.build(hour(2), lost="077"), Rejected)
    assert shop.main() == before
    fallback = command.run(*asked, "--json")
    assert fallback.code == ExitCode.CHECK_FAILED, fallback.err
    assert (fallback.json["as_of"], fallback.json["snapshot_id"]) == (hour(2).isoformat(), before)
    assert fallback.json["reasons"] == [
        f"hour 2026-01-01T02 was not published: its audit failed ({SEGMENTS})"
    ]
    assert fallback.json["indicators"]["success_rate"] == 0.5
    (alert,) = read_alerts(shop.cell, "orders")
    assert (alert.kind, alert.hour, alert.detail) == (AlertKind.AUDIT_FAILED, hour(2), SEGMENTS)
    listed = command.run("features", "list", "--cell", "us")
    assert listed.code == ExitCode.OK
    assert "fallback" in listed.out

    rows, served = read_served(shop.cell, shop.product, "habits")
    assert served.is_fallback
    assert set(rows["hour"]) == {hour(1)}
    by_tag = own_session(shop.spark, shop.cell).sql(
        "SELECT * FROM us.orders.habits VERSION AS OF 'served'"
    )
    assert by_tag.count() == len(rows) == 100

    assert isinstance(shop.build(hour(2)), Publication)
    again = command.run(*asked)
    assert again.code == ExitCode.OK, again.err
    assert "us.orders.habits: fresh, as of 2026-01-01T03:00 UTC" in again.out
    rows, served = read_served(shop.cell, shop.product, "habits")
    assert set(rows["hour"]) == {hour(2)}
    assert not served.is_fallback

    file = data_file(load_table(shop.cell, "orders.habits"))
    with damaged(file), pytest.raises(FileDamagedError, match=file.name):
        read_served(shop.cell, shop.product, "habits")


@pytest.fixture
def watermark(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[dg.SensorDefinition, dg.SensorEvaluationContext]]:
    """The sensor of the product's code location; no broker answers in its cell."""
    monkeypatch.setenv("HEADWATER_HOME", str(shop.cell.root.parent.parent))
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(shop.product.folder.parent))
    with dg.DagsterInstance.ephemeral() as instance:
        # Inside: definitions ask the present instance, and an earlier test's may be gone.
        repository = build_definitions("us").get_repository_def()
        yield (
            repository.get_sensor_def("us__orders__watermark"),
            dg.build_sensor_context(
                instance, repository_def=repository, resources={"cell": CellResource(name="us")}
            ),
        )


def test_an_overdue_hour_is_one_alert_and_ends_the_watermark_until_it_is_published(
    shop: Shop, watermark: tuple[dg.SensorDefinition, dg.SensorEvaluationContext]
) -> None:
    sensor, context = watermark

    def marks() -> int:
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        assert "Not measured" in str(result.skip_reason), "lag needs a broker; hours need none"
        key = dg.AssetKey(["us", "orders", "habits_watermark"])
        return sum(
            isinstance(e, dg.AssetMaterialization) and e.asset_key == key
            for e in result.asset_events
        )

    def overdue() -> tuple[datetime, ...]:
        (seen,) = measure_latency(shop.cell, shop.product)
        return seen.schedule.overdue

    fence_hours(shop.cell, shop.product, utc_now() - timedelta(hours=3), {0: 0, 1: 0})
    late = overdue()
    assert late[:2] == (hour(1), hour(2)), "closed three hours ago, promised within two"
    assert marks() == marks() == 0
    alerts = read_alerts(shop.cell, "orders")
    assert [(alert.kind, alert.hour) for alert in alerts] == [
        (AlertKind.OVERDUE, each) for each in late
    ]
    assert alerts[0].detail == "not published within 2 h of being closed"
    # Again if a full hour has struck meanwhile, for one more is due by then.
    while due := overdue():
        for each in due:
            shop.build(each)
    assert marks() == 1
    alerted = [(alert.kind, alert.hour) for alert in read_alerts(shop.cell, "orders")]
    assert alerted[: len(alerts)] == [(alert.kind, alert.hour) for alert in alerts]
    assert len(set(alerted)) == len(alerted)
