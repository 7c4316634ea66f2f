"""Bytes that have changed below maintenance: the file is named, and nothing is made of what it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.disk import FileDamagedError
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain, plan_maintenance
from pipeline.tables.catalog import load_table
from tests.support.damage import damaged, data_file, manifest
from tests.support.orders import Orders, hour, orders_product

EAGER = MaintenancePolicy(
    retain=timedelta(0), retain_commits=timedelta(0), retain_last=1, min_files=2, min_manifests=2
)


@pytest.mark.parametrize("victim", [data_file, manifest])
def test_maintenance_names_a_file_that_is_damaged_and_goes_on_once_it_is_back(
    quiet_cell: Cell, tmp_path: Path, victim: Callable[[Table], Path]
) -> None:
    orders, product = Orders(quiet_cell), orders_product(tmp_path)
    for number in range(6):
        orders.append([(hour(number % 2), "eu", number)])
    file = victim(load_table(quiet_cell, "orders.events"))
    with damaged(file):
        # A plan opens manifests alone.
        for ask in (maintain, plan_maintenance) if victim is manifest else (maintain,):
            with pytest.raises(FileDamagedError, match=file.name):
                ask(quiet_cell, product, EAGER)
    maintain(quiet_cell, product, EAGER)
    table = load_table(quiet_cell, "orders.events")
    assert sorted(table.scan().to_arrow().column("_offset").to_pylist()) == list(range(6))
    assert len(list(table.scan().plan_files())) == 2
