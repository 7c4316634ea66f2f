"""How the fenced blocks of a page are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.code_blocks import Command, blocks, commands, shows

PAGE = """\
# Page

<!-- unrun: it needs a cluster -->
```console
$ one
```

<!-- exit: 3 -->
```console
$ two \\
    --more
said
$ three
```

<!-- not of a block -->

```json title="contracts/x.json"
{}
```
"""


def test_marks_titles_and_commands_are_read(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    unrun, run, file = blocks(tmp_path, "page.md")
    assert (unrun.unrun, unrun.place) == ("it needs a cluster", "page.md:4")
    assert (run.unrun, run.code) == ("", 3)
    assert commands(run) == [Command("two \\\n    --more", ("said",)), Command("three", ())]
    assert (file.title, file.text, file.unrun) == ("contracts/x.json", "{}\n", "")


@pytest.mark.parametrize(
    ("shown", "out", "yes"),
    [
        ("12 rows: 3 matched", "x\n1,200 rows:  40 matched\n", True),
        ("as of 2026-01-01T05:00 UTC", "as of 2025-12-31T23:00 UTC", True),
        ("because hour 1 ... failed", "because hour 2 of three failed", True),
        ("12 rows", "12 lines", False),
        ("12 rows", "12 rows more", False),
    ],
)
def test_a_shown_line_is_found_whatever_its_figures(shown: str, out: str, yes: bool) -> None:
    assert shows(shown, out) is yes
