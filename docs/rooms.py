"""The rooms of the code as they are: files, lines, and what each imports. Printed by `make rooms`."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import click
import grimp

ROOT = Path(__file__).parent.parent
ENGINE = "pipeline"
TOP = ("headwater", "assets", "resources", "quality", ENGINE)


@dataclass(frozen=True)
class Room:
    """One room: a folder right below the engine's or a file beside it, or another top-level folder.

    Attributes:
        name: dotted, as it is imported.
        files: its Python files, in all folders below.
        lines: of these files.
        fullest: the most files that one of its folders holds, `__init__.py` left out.
        imports: names of rooms.
    """

    name: str
    files: int
    lines: int
    fullest: int
    imports: tuple[str, ...]


def rooms(root: Path = ROOT) -> tuple[Room, ...]:
    """Return every room, by name. Imports are read from the source; nothing is run."""
    graph = grimp.build_graph(*TOP, cache_dir=None)
    imported: dict[str, set[str]] = defaultdict(set)
    files: dict[str, list[Path]] = defaultdict(list)
    for module in sorted(graph.modules):
        room = room_of(module)
        imported[room] |= {room_of(one) for one in graph.find_modules_directly_imported_by(module)}
        files[room].append(_file(root, module))
    return tuple(
        Room(
            name,
            len(paths),
            sum(len(path.read_text().splitlines()) for path in paths),
            _fullest(paths),
            tuple(sorted(imported[name] - {name})),
        )
        for name, paths in sorted(files.items())
    )


def room_of(module: str) -> str:
    """Return the room of a module by its dotted name."""
    top, *below = module.split(".")
    return f"{top}.{below[0]}" if top == ENGINE and below else top


def _file(root: Path, module: str) -> Path:
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _fullest(paths: list[Path]) -> int:
    folders: dict[Path, int] = defaultdict(int)
    for path in paths:
        folders[path.parent] += path.name != "__init__.py"
    return max(folders.values())


def main() -> None:
    """Print one line a room."""
    sys.path.insert(0, str(ROOT))
    click.echo(f"{'room':<22} {'files':>5} {'lines':>6} {'fullest folder':>14}  imports")
    for room in rooms():
        names = ", ".join(one.removeprefix(f"{ENGINE}.") for one in room.imports)
        click.echo(f"{room.name:<22} {room.files:>5} {room.lines:>6} {room.fullest:>14}  {names}")


if __name__ == "__main__":
    main()
