"""Text files of contracts: UTF-8, with or without the byte order mark that some editors write."""

from __future__ import annotations

import codecs
from pathlib import Path


class NotTextError(ValueError):
    """The file cannot be read as text; `line` is where, from 1, `column` too."""

    def __init__(self, problem: str, line: int = 1, column: int = 0) -> None:
        super().__init__(problem)
        self.line, self.column = line, column


def read_utf8(file: Path) -> str:
    """Return the text of a file, without a byte order mark; ends of lines are line feeds.

    Raises:
        NotTextError: it is not UTF-8.
        OSError: it cannot be read.
        ValueError: no file can have that name.
    """
    text = decode_utf8(file.read_bytes())
    return text.replace("\r\n", "\n").replace("\r", "\n")


def decode_utf8(content: bytes) -> str:
    """Return text without a byte order mark, its lines as they are.

    Raises:
        NotTextError: it is not UTF-8.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise NotTextError("UTF-8 text; it is UTF-16: save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].removeprefix(codecs.BOM_UTF8)
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        expected = f"UTF-8 text; here is the byte 0x{content[error.start]:02X}: save it as UTF-8"
        raise NotTextError(expected, before.count(b"\n") + 1, column) from None
