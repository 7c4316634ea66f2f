"""A new project's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from headwater.project.manifest import Manifest, digest, read_manifest, write_manifest
from pipeline.errors import TerminalError
from pipeline.files import write_atomically

TEMPLATE = Path(__file__).with_name("template")
EXAMPLE = ("contracts", "samples")
"""Folders of the template that hold the example alone."""
_NAME, _VERSION = "PROJECT_NAME", "HEADWATER_VERSION"
"""What stands in the template for the project's name and for the version that made it."""


class ProjectUnwritableError(TerminalError):
    """A project's file cannot be written."""


@dataclass(frozen=True)
class NewFile:
    """A file of a project: its path in the project's folder, and what is in it."""

    path: Path
    text: str


@dataclass(frozen=True)
class ProjectPlan:
    """What making a project writes.

    Attributes:
        folder: the project's.
        files: those to write; none of them exists.
        kept: files that are there already, and stay as they are.
        manifest: what the template has for them, by which an upgrade tells what somebody has changed.
    """

    folder: Path
    files: tuple[NewFile, ...]
    kept: tuple[Path, ...]
    manifest: Manifest


def plan_project(folder: Path, *, example: bool = True) -> ProjectPlan:
    """Return what makes `folder` a project, which it may be in part; it is named as the folder.

    Without `example` there are no contracts to begin with.
    """
    wanted = tuple(template_files(folder.absolute().name, example=example))
    kept = tuple(one.path for one in wanted if (folder / one.path).exists())
    before = read_manifest(folder)
    digests = {
        str(one.path): digest(one.text) for one in wanted if one.path.parts[0] not in EXAMPLE
    }
    manifest = Manifest(before.version or version("headwater"), {**digests, **before.digests})
    files = tuple(one for one in wanted if one.path not in kept)
    return ProjectPlan(folder, files, kept, manifest)


def make_project(plan: ProjectPlan) -> None:
    """Write what is planned, each file whole or not at all. May be done again after a failure.

    Raises:
        ProjectUnwritableError: a file cannot be written.
    """
    write_files(plan.folder, {one.path: one.text for one in plan.files}, "or name another")
    (plan.folder / "contracts").mkdir(exist_ok=True)
    write_manifest(plan.folder, plan.manifest)


def write_files(folder: Path, texts: Mapping[Path, str], then: str) -> None:
    """Write files by their paths in `folder`, each whole or not at all.

    Raises:
        ProjectUnwritableError: a file cannot be written; `then` is what else to do about it.
    """
    for path, text in texts.items():
        file = folder / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, text)
        except OSError as error:
            raise ProjectUnwritableError(
                f"it cannot be written ({error.strerror}).",
                subject=str(file),
                remedy=f"Make the folder writable, {then}; what was written stays.",
            ) from None


def template_files(name: str, *, example: bool) -> Iterator[NewFile]:
    """Yield the files of a project of that name, as the installed version makes it."""
    for file in sorted(TEMPLATE.rglob("*")):
        path = file.relative_to(TEMPLATE)
        if (
            file.is_file()
            and "__pycache__" not in path.parts
            and (example or path.parts[0] not in EXAMPLE)
        ):
            text = file.read_text(encoding="utf-8")
            text = text.replace(_NAME, name).replace(_VERSION, version("headwater"))
            yield NewFile(path.with_name(".gitignore") if path.name == "gitignore" else path, text)
