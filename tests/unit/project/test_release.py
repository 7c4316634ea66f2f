"""What a release needs: a version that the changelog tells of."""

from __future__ import annotations

import re
import tomllib

from pipeline.settings import PROJECT

KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
CHANGELOG = (PROJECT / "CHANGELOG.md").read_text().splitlines()


def test_the_version_is_the_newest_of_the_changelog() -> None:
    versions = [line[3:] for line in CHANGELOG if line.startswith("## ")]
    assert versions[0] == "Unreleased"
    newest = re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d", versions[1])
    assert newest is not None, versions[1]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["version"] == newest[1]


def test_changes_are_sorted_by_kind() -> None:
    assert {line[4:] for line in CHANGELOG if line.startswith("### ")} <= KINDS
    kind = None
    for line in CHANGELOG:
        if line.startswith("#"):
            kind = line[4:] if line.startswith("### ") else None
        assert not line.startswith("- ") or kind in KINDS, f"of no kind: {line}"
