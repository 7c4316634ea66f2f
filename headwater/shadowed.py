"""Packages of the wheel that have names others may have, too."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("assets", "pipeline", "quality", "resources")
_OWN = Path(__file__).resolve().parents[1]
_TERMINAL = 3


def exit_where_shadowed() -> None:
    """End the process, with a message and exit code 3, where another's package would be imported for ours."""
    for name in PACKAGES:
        spec = find_spec(name)
        found_in = (spec.submodule_search_locations if spec else None) or ()
        places = [Path(one).resolve() for one in found_in]
        if _OWN / name not in places[:1]:
            found = str(places[0]) if places else "nowhere"
            sys.stderr.write(
                f"error: package {name}: Python finds {found} before Headwater's own. "
                "Install Headwater into an environment of its own, and take projects off PYTHONPATH.\n"
            )
            sys.exit(_TERMINAL)
