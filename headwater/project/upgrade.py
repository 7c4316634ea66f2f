"""What a newer version's template changes in a project: planned, and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from pathlib import Path

from headwater.project.manifest import Manifest, digest, pinned, read_manifest, write_manifest
from headwater.project.scaffold import template_files, write_files
from pipeline.config.names import CONFIG_FILE
from pipeline.errors import TerminalError


class NoProjectError(TerminalError):
    """There is no project to upgrade."""


class Change(StrEnum):
    """What is done about a file of the project."""

    ADD = "add"
    """The template has it, and never had it before."""
    REPLACE = "replace"
    """It is as it was written: the newer one takes its place."""
    PIN = "pin"
    """Somebody has changed it: of what it says, the version alone is raised."""
    BESIDE = "beside"
    """Both have changed it: the newer one is written beside it, for somebody to merge."""


@dataclass(frozen=True)
class FileChange:
    """A file that is written: `path` in the project's folder, and its text before and after.

    For `BESIDE` it is the path of the file that is there, whose text stays `before`.
    """

    kind: Change
    path: Path
    before: str
    after: str

    @property
    def written(self) -> Path:
        """The file that is written."""
        return (
            self.path.with_name(f"{self.path.name}.new")
            if self.kind is Change.BESIDE
            else self.path
        )

    @property
    def diff(self) -> str:
        """What is changed, as `diff -u` shows it."""
        lines = (self.before.splitlines(keepends=True), self.after.splitlines(keepends=True))
        return "".join(unified_diff(*lines, str(self.path), str(self.written)))


@dataclass(frozen=True)
class UpgradePlan:
    """What an upgrade writes; nothing where `changes` is empty and the manifest is as it was.

    Attributes:
        folder: the project's.
        was: what it was made of.
        manifest: what it is made of afterwards.
        changes: files that are written, by path.
        removed: files that the project no longer has, and does not get again.
    """

    folder: Path
    was: Manifest
    manifest: Manifest
    changes: tuple[FileChange, ...]
    removed: tuple[Path, ...]


def plan_upgrade(folder: Path, wanted: Mapping[Path, str], version: str) -> UpgradePlan:
    """Return what brings the project in `folder` to a template of `version`, whose texts are `wanted`.

    What is the project's own from the first day, contracts and samples, is not the template's.

    Raises:
        NoProjectError: `folder` has no headwater.toml.
        ManifestUnreadableError: what it was made of cannot be read.
    """
    if not (folder / CONFIG_FILE).is_file():
        raise NoProjectError(
            f"it has no {CONFIG_FILE}.",
            subject=str(folder),
            remedy="Go into a project's folder, or make one: headwater init.",
        )
    was = read_manifest(folder)
    changes, removed = [], []
    for path, text in sorted(wanted.items()):
        recorded = was.digests.get(str(path))
        if (folder / path).is_file():
            before = (folder / path).read_text(encoding="utf-8")
            changes += _of_file(path, before, text, recorded, version)
        elif recorded is None:
            changes.append(FileChange(Change.ADD, path, "", text))
        else:
            removed.append(path)
    digests = {**was.digests, **{str(path): digest(text) for path, text in wanted.items()}}
    return UpgradePlan(folder, was, Manifest(version, digests), tuple(changes), tuple(removed))


def upgrade_project(plan: UpgradePlan) -> None:
    """Write what is planned: each file whole or not at all, and last what the project is made of now.

    Done again after a failure, it goes on; done again after success, it changes nothing.

    Raises:
        ProjectUnwritableError: a file cannot be written.
    """
    texts = {one.written: one.after for one in plan.changes}
    write_files(plan.folder, texts, "and upgrade again")
    if plan.manifest != plan.was:
        write_manifest(plan.folder, plan.manifest)


def current_template(folder: Path) -> dict[Path, str]:
    """Return the texts that the installed version's template has for a project of that folder's name."""
    return {one.path: one.text for one in template_files(folder.absolute().name, example=False)}


def _of_file(
    path: Path, before: str, wanted: str, recorded: str | None, version: str
) -> list[FileChange]:
    """Return what is done about a file that is there; `recorded` is the digest of what was written."""
    if before == wanted:
        return []
    own, newer = digest(before), digest(wanted)
    if own in (recorded, newer):
        return [FileChange(Change.REPLACE, path, before, wanted)]
    raised = pinned(before, version)
    found = [FileChange(Change.PIN, path, before, raised)] if raised != before else []
    if newer != recorded:
        found.append(FileChange(Change.BESIDE, path, raised, wanted))
    return found
