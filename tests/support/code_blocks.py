"""Fenced blocks of a Markdown page, and what a comment right above one says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w*) *(?P<rest>[^\n]*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        title: the file that the block is, by its path in a clone; empty if it is none.
        unrun: why no test runs it; empty if one does.
        code: the exit code that the block's last command must have.
    """

    page: str
    line: int
    language: str
    text: str
    title: str = ""
    unrun: str = ""
    code: int = 0

    @property
    def place(self) -> str:
        """The block's page and line."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command of a console block, and what the page shows of its output."""

    text: str
    shown: tuple[str, ...]


def blocks(root: Path, page: str) -> list[Block]:
    """Return the blocks of a page, in order."""
    text = (root / page).read_text()
    found = []
    for match in FENCE.finditer(text):
        kind, _, value = (match["mark"] or "").partition(": ")
        title = re.search(r'title="([^"]+)"', match["rest"])
        found.append(
            Block(
                page=page,
                line=text[: match.start("language")].count("\n") + 1,
                language=match["language"],
                text=match["text"],
                title=title[1] if title else "",
                unrun=value if kind == "unrun" else "",
                code=int(value) if kind == "exit" else 0,
            )
        )
    return found


def commands(block: Block) -> list[Command]:
    """Return the commands of a console block: lines after a prompt, and those they go on with."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith(PROMPT):
            found.append((line.removeprefix(PROMPT), []))
        elif found and found[-1][0].endswith("\\"):
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        elif found:
            found[-1][1].append(line)
        else:
            raise ValueError(f"{block.place}: a console block begins with a prompt")
    return [Command(text, tuple(shown)) for text, shown in found]


def shows(shown: str, out: str) -> bool:
    """Tell whether a line is in the output: spaces and figures may differ, `...` is anything."""
    parts = (re.escape(_plain(part)) for part in shown.split("..."))
    return (
        re.search(rf"^{'.*'.join(parts)}$", "\n".join(map(_plain, out.splitlines())), re.MULTILINE)
        is not None
    )


def _plain(text: str) -> str:
    return re.sub(r"[\d.,:/-]*\d", "0", " ".join(text.split()))
