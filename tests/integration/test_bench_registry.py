"""The benchmark of registrations, small: every call is timed, and the document is as its schema says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.registry.document import document, page
from benchmarks.registry.run import Order, measure
from benchmarks.results import check


def test_every_registration_is_timed_and_no_id_is_missing(tmp_path: Path) -> None:
    order = Order(clients=2, schemas=15)
    measured = measure(tmp_path, order)
    assert len(measured.took) == 30
    result = document(order, measured)
    check(result, "registry")
    assert result["no_hole_no_double"]
    assert result["median_ms"] <= result["p95_ms"] <= result["largest_ms"]
    assert "no hole, no double" in page(result)
