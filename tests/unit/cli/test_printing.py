"""What producers and people wrote is printed as it is, and steers no terminal."""

from __future__ import annotations

import pytest

from headwater.cli.render.tables import print_table
from headwater.cli.render.values import printable


def test_cells_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", ("a", "b"), [("[/x] [bold]", ":smile:")])
    said = capsys.readouterr().out
    assert "[/x] [bold]" in said
    assert ":smile:" in said


def test_what_would_steer_a_terminal_is_escaped() -> None:
    assert printable("grün \x1b[2J\n\x9b") == r"grün \x1b[2J\n\x9b"
