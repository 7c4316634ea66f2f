"""Products, cells and tables that there are not: what was probably meant is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.cli.contract.folders import folder_of
from headwater.cli.options import ProductNotFoundError, resolve
from pipeline.batch.planning.plan import DerivedTableUnknownError, plan_hours
from pipeline.batch.planning.read_inputs import nothing_to_look_at
from pipeline.cells import CellNotFoundError, embedded_cell, load_cell, save_cell
from pipeline.contract.checks.cells import unknown_cells
from pipeline.contract.load import load_product
from pipeline.features.plan import NotAFeatureTableError, feature_table
from pipeline.settings import PROJECT

CONTRACTS = PROJECT / "contracts"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(CONTRACTS))
    for name in ("us", "studio"):
        save_cell(tmp_path, embedded_cell(tmp_path, name, "127.0.0.1:9"))
    return tmp_path


@pytest.mark.usefixtures("home")
def test_a_product() -> None:
    with pytest.raises(ProductNotFoundError) as error:
        resolve("viewing_event", "us")
    assert "Did you mean viewing_events? Known are: departures, viewing_events (in " in str(
        error.value
    )
    with pytest.raises(ProductNotFoundError, match="Did you mean departure_delays_hourly"):
        folder_of("departures_delays_hourly")


def test_a_cell(home: Path) -> None:
    with pytest.raises(ProductNotFoundError, match="Did you mean studio"):
        resolve("departures", "studios")
    with pytest.raises(CellNotFoundError, match="Did you mean studio"):
        load_cell(home, "studioo")


def test_a_table(home: Path) -> None:
    product = load_product(CONTRACTS / "viewing_events")
    inputs = nothing_to_look_at(load_cell(home, "us"), product).inputs
    with pytest.raises(DerivedTableUnknownError, match="Did you mean viewing_features_raw"):
        plan_hours(product, inputs, derived_tables=["viewing_feature_raw"])
    with pytest.raises(NotAFeatureTableError, match="Did you mean user_preference_features"):
        feature_table(product, "user_preference_feature")


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ((), []),
        (("us",), []),
        (("us", "eu"), []),
        (("us", "euw"), ["eu"]),
        (("studio",), ["us", "eu"]),
    ],
)
def test_cells_that_a_contract_names(known: tuple[str, ...], told: list[str]) -> None:
    found = [*unknown_cells(load_product(CONTRACTS / "viewing_events"), known)]
    assert [one.expected.split("not '")[1].split("'")[0] for one in found] == told
    text = (CONTRACTS / "viewing_events" / "contract.yaml").read_text().splitlines()
    assert all("cells: [us, eu]" in text[one.line - 1] and one.column for one in found)
