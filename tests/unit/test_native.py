"""Compiled functions: kept from run to run, and made again when one of them changes."""

from __future__ import annotations

from pathlib import Path

from numba import config

import pipeline.native
from pipeline.native import digest


def test_machine_code_is_of_the_sources_as_they_are_now() -> None:
    package = Path(pipeline.native.__file__).parent
    assert Path(vars(config)["CACHE_DIR"]).name == f"native-{digest(package)}"


def test_a_change_of_any_compiled_function_makes_all_anew_and_no_other_change_does(
    tmp_path: Path,
) -> None:
    caller, called, plain = (tmp_path / name for name in ("caller.py", "called.py", "plain.py"))
    for source in (caller, called):
        source.write_text("from pipeline.native import compiled\n")
    plain.write_text("")
    before = digest(tmp_path)
    plain.write_text("NUMBER = 1\n")
    assert digest(tmp_path) == before
    called.write_text("from pipeline.native import compiled\n\nNUMBER = 1\n")
    assert digest(tmp_path) != before
