"""Measure how long answers about lineage take: parts by name, all of them by default.

A part writes its own section of the result and its own plot, and leaves those of the others as they are.
Exits with 1 where a part does not meet its promise.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.lineage.page import page
from benchmarks.options import options_of

PARTS = ("sql", "trace")
"""Modules of this folder, each with `add_options`, `measure` and `plot`."""
NAME = "lineage"
EXAMPLES = """\
examples:
  make bench-lineage
  python -m benchmarks.lineage trace --rows 1 --out /tmp/l    a short one that leaves the docs alone
"""


def main() -> int:
    """Measure, write the result, the plots and the page, and return the exit code."""
    options = options_of(NAME, __doc__, EXAMPLES)
    options.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    options.add_argument("--out", type=Path, help="folder for result, plots and page")
    modules = {name: importlib.import_module(f"benchmarks.lineage.{name}") for name in PARTS}
    for module in modules.values():
        module.add_options(options)
    chosen = options.parse_args()
    out: Path | None = chosen.out
    unknown = set(chosen.parts) - set(PARTS)
    if unknown:
        options.error(f"there is no part {', '.join(sorted(unknown))}")
    result = stored(out or results.RESULTS)
    for name in chosen.parts or PARTS:
        measured = {**results.circumstances(), **modules[name].measure(chosen, _say)}
        result[name] = measured
        _write(out, result, name, modules[name].plot(measured))
    return 0 if all(result[name]["met"] for name in chosen.parts or PARTS) else 1


def stored(folder: Path) -> dict[str, Any]:
    """Return the result that lies in a folder; one without any part where there is none."""
    path = folder / f"{NAME}.json"
    if not path.exists():
        return {"benchmark": NAME, "format": 1}
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _write(out: Path | None, result: dict[str, Any], part: str, plot: str) -> None:
    results.publish(result, NAME, out, page(result))
    (out or results.IMAGES).joinpath(f"bench-{NAME}-{part}.svg").write_text(plot)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
