"""What deploy/ has processes run: the command lines in the compose file, in systemd's units, in the chart."""

from __future__ import annotations

import configparser
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from headwater.cli.main import cli
from pipeline.settings import PROJECT

DEPLOY = PROJECT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
OURS = {
    name: one for name, one in COMPOSE["services"].items() if one["image"].startswith("headwater:")
}
"""Services of Headwater's own image."""
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
INSTALLED = "/opt/headwater/bin/headwater"


def unit(path: Path) -> configparser.ConfigParser:
    """Return a unit's sections, the instance of a template being `us`; of a key that repeats, the last."""
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(path.read_text().replace("%i", "us"))
    return found


def words_of(path: Path) -> list[str]:
    """Return what a unit's main process is told, without the path of the command."""
    command, *words = shlex.split(unit(path)["Service"]["ExecStart"])
    assert command == INSTALLED
    return words


def containers(documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each container of what a chart renders."""
    for one in documents:
        if one["kind"] in ("Deployment", "StatefulSet"):
            yield from one["spec"]["template"]["spec"]["containers"]


def explained(words: list[str]) -> None:
    """Return if `headwater serve` takes these words.

    Raises:
        click.ClickException, HeadwaterError: it does not.
    """
    assert words[0] == "serve"
    assert cli([*words, "--explain"], standalone_mode=False) == 0
