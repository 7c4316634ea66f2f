"""What a cell.json says, and what it may leave out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cells import CellInvalidError, embedded_cell, load_cell, save_cell


def test_a_cell_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    cell = replace(
        embedded_cell(tmp_path, "us", "b:9092"),
        kafka={"security.protocol": "SSL"},
        schema_registry={"url": "https://registry:8081", "timeout": 5},
        spark={"spark.master": "spark://m:7077", "spark.x": 2},
    )
    save_cell(tmp_path, cell)
    assert load_cell(tmp_path, "us") == cell


@pytest.mark.parametrize("key", ["spark", "schema_registry"])
def test_a_cell_json_from_before_a_setting_is_loaded_without_any(tmp_path: Path, key: str) -> None:
    cell = embedded_cell(tmp_path, "us", "b:9092")
    save_cell(tmp_path, cell)
    path = cell.root / "cell.json"
    document = json.loads(path.read_text())
    del document[key]
    path.write_text(json.dumps(document))
    assert load_cell(tmp_path, "us") == cell


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "us"}', '{"name": "us", "sparks": {}}'])
def test_a_broken_cell_json_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cells" / "us" / "cell.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(CellInvalidError, match=r"cell\.json"):
        load_cell(tmp_path, "us")
