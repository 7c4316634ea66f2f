"""The Helm chart as Helm renders it, kept beside the tests: `make chart` renders it again.

Helm is not among what is installed for tests. What is kept names the chart that it was rendered from, so
that no change of the chart goes by unrendered.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from pipeline.settings import PROJECT

CHART = PROJECT / "deploy" / "helm" / "headwater"
KEPT = PROJECT / "tests" / "data" / "chart"
KUBERNETES = "1.31"
_DIGEST = "# chart and values: "


def values() -> list[Path]:
    """Return the files of values that are rendered."""
    return sorted(KEPT.glob("*.values.yaml"))


def kept(of: Path) -> Path:
    """Return where the rendering of a file of values is."""
    return of.with_name(of.name.replace(".values", ""))


def digest(of: Path) -> str:
    """Return a digest of the chart and of a file of values."""
    found = hashlib.sha256()
    for path in (*sorted(one for one in CHART.rglob("*") if one.is_file()), of):
        text = path.read_bytes()
        found.update(f"{path.relative_to(PROJECT)} {len(text)}\n".encode() + text)
    return found.hexdigest()


def stated_digest(of: Path) -> str:
    """Return the digest that a rendering names."""
    return kept(of).read_text().splitlines()[0].removeprefix(_DIGEST)


def documents(of: Path) -> list[dict[str, Any]]:
    """Return what is kept of a file of values."""
    return [one for one in yaml.safe_load_all(kept(of).read_text()) if one]


def render() -> None:
    """Lint the chart and render it with each file of values, by the `helm` of HELM or the PATH.

    Raises:
        subprocess.CalledProcessError: Helm refuses it.
    """
    helm = os.environ.get("HELM", "helm")
    for of in values():
        subprocess.run([helm, "lint", "--strict", str(CHART), "--values", str(of)], check=True)
        command = [helm, "template", "headwater", str(CHART), "--namespace", "data"]
        command += ["--kube-version", KUBERNETES, "--values", str(of)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        kept(of).write_text(f"{_DIGEST}{digest(of)}\n{done.stdout}")


if __name__ == "__main__":
    render()
