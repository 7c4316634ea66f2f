"""The soak, small: that it does what it says and looks leave alone what is settled, never how fast it is."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import results
from benchmarks.soak.commits import committed_batches
from benchmarks.soak.dagster_storage import EVERY_HOURS, soak_storage
from benchmarks.soak.document import document
from benchmarks.soak.model import Order
from benchmarks.soak.page import page, plot
from benchmarks.soak.run import soak
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Gates, Product
from pipeline.control.publications import read_publications
from pipeline.ledger.read import ledger_of
from pipeline.settings import load_settings
from pipeline.tables.catalog import load_table

ORDER = Order(commits=62, hours=31, rows=4, late_every=50, look_every=5, publish_every=1, seed=17)
WAITS = 26
"""An hour is settled after so many: the gate of ten seconds, a day, and the hour itself."""


@pytest.fixture
def product() -> Product:
    """Viewing events that are never late, with one table an hour of which is computed from that hour."""
    product = load_product(load_settings().contracts / "viewing_events")
    tables = [one for one in product.derived_tables if one.name == "content_engagement_hourly"]
    return product.model_copy(update={"derived_tables": tuple(tables), "gates": Gates()})


def test_a_soak_that_is_ended_goes_on_and_its_ledger_balances(
    quiet_cell: Cell, product: Product, tmp_path: Path
) -> None:
    order, folder, said = ORDER, tmp_path / "soak", list[str]()
    begun = tuple(islice(soak(folder, quiet_cell, product, order, said.append), 3))
    samples = tuple(soak(folder, quiet_cell, product, order, said.append))
    assert samples[:3] == begun
    assert [one.hour for one in samples] == list(range(order.hours))
    assert len(said) >= order.hours - 3

    assert committed_batches(quiet_cell, product, order.rows) == order.commits
    events = load_table(quiet_cell, f"{product.name}.events")
    assert events.scan().count() == order.commits * order.rows
    assert all(one.balanced for one in samples)
    assert ledger_of(events, quiet_cell, product.name).balanced
    published = {one.hour for one in read_publications(quiet_cell, product.name)}
    assert len(published) == order.hours

    # As long as nothing is settled all hours are looked at, and then no more of them for all that come.
    assert max(one.looked_at for one in samples[WAITS + 2 :]) <= WAITS + 3
    counted = [one.sizes.snapshots for one in samples if one.sizes is not None]
    assert max(counted) < 2 * order.commits

    storage = tuple(soak_storage(folder, 2 * EVERY_HOURS, said.append))
    assert [one.runs for one in storage] == [EVERY_HOURS, 2 * EVERY_HOURS]
    assert storage == tuple(soak_storage(folder, 2 * EVERY_HOURS, said.append))

    result = document(order, samples, storage)
    results.write(result, "soak", tmp_path / "soak.json")
    assert result["points"][-1]["commits"] == order.commits
    ElementTree.fromstring(plot(result))  # noqa: S314 - our own
    assert "62 commits over 31 hours" in page(result)
