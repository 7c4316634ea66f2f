"""The benchmarks, small: that they measure what they say, never how fast it is."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from benchmarks import results
from benchmarks.freshness.document import document as freshness_document
from benchmarks.freshness.page import page, plot
from benchmarks.freshness.run import Order, measure
from pipeline.cells import Cell
from pipeline.settings import load_settings
from tests.support.products import own_product

RATE, SECONDS, WARM_UP_S = 300, 8, 4


def test_freshness_sees_every_record_once(cell: Cell, tmp_path: Path) -> None:
    product = own_product("viewing_events", tmp_path / "contracts", load_settings().contracts)
    order = Order(rate=RATE, seconds=SECONDS, warm_up_s=WARM_UP_S)
    measured = measure(cell, product, order, lambda _: None)
    assert measured.warm_up.records == RATE * WARM_UP_S
    assert measured.steady.records == RATE * SECONDS
    assert measured.held.exact
    assert sum(sighting.rows for sighting in measured.sightings) == measured.held.sent
    assert len({sighting.snapshot_id for sighting in measured.sightings}) == len(measured.sightings)

    result = freshness_document(order, measured)
    results.write(result, "freshness", tmp_path / "freshness.json")
    assert result["freshness"]["rows"] == measured.steady.records
    assert result["warm_up"]["rows"] == measured.warm_up.records
    ElementTree.fromstring(plot(result))  # noqa: S314 - our own
    assert f"{result['freshness']['p95_s']:.2f} s" in page(result)
