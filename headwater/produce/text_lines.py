"""Lines of a text file, plain or packed: one that cannot be read costs no other."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

LONGEST = 16 * 1024 * 1024
"""Characters of the longest line that is kept in memory: no longer one could be a record."""

_UTF8 = {"encoding": "utf-8-sig", "errors": "surrogateescape", "newline": ""}


class Line(NamedTuple):
    """One line, counted from 1. Where there is a `problem`, its text is not to be used."""

    number: int
    text: str
    problem: str = ""


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """Open a file, gzipped (.gz) or alone in a .zip, as UTF-8 with or without a byte order mark.

    Bytes that are not UTF-8 become lone surrogates, which `lines` tells.
    """
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise zipfile.BadZipFile(f"{len(names)} files in the archive, not 1")
            with archive.open(names[0]) as member:
                yield io.TextIOWrapper(member, **_UTF8)  # type: ignore[arg-type]
    elif path.suffix == ".gz":
        with gzip.open(path, "rt", **_UTF8) as packed:  # type: ignore[call-overload]
            yield packed
    else:
        with path.open(**_UTF8) as file:  # type: ignore[call-overload]
            yield file


def lines(file: IO[str], longest: int = LONGEST) -> Iterator[Line]:
    """Yield every line with its end; memory is bounded by `longest`."""
    number = 0
    while text := file.readline(longest):
        number += 1
        if len(text) == longest and not _ended(text):
            while text and not _ended(text):
                text = file.readline(longest)
            yield Line(number, "", f"a line of more than {longest:,} characters")
        elif text.isascii() or (at := _not_utf8(text)) is None:
            yield Line(number, text)
        else:
            yield Line(number, "", f"not UTF-8 at character {at + 1}")


def _ended(text: str) -> bool:
    return text.endswith(("\n", "\r"))


def _not_utf8(text: str) -> int | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None
