"""Broken lines of text files: each costs itself, and those after it are read."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from headwater.produce.rows import SourceFileError, open_source


def rows_of(path: Path, content: bytes) -> list[tuple[int, Any]]:
    """Return line and values of each row, or line and what is wrong with it."""
    path.write_bytes(content)
    return [
        (row.line, row.problem if row.values is None else [*row.values.values()])
        for row in open_source(str(path)).rows()
    ]


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (
            b'1,"x\n2,y\n3,z\n',
            [(2, "a quote that is not closed"), (3, ["2", "y"]), (4, ["3", "z"])],
        ),
        (
            b'1,"x\n2,y\n3,"z"\n4,w\n',
            [(2, "',' expected after '\"'"), (3, ["2", "y"]), (4, ["3", "z"]), (5, ["4", "w"])],
        ),
        (b'1,"x\ny"\n2,z\n', [(2, ["1", "x\ny"]), (4, ["2", "z"])]),
        (b'1,"x\ny",3\n2,z\n', [(2, "3 values under 2 names"), (4, ["2", "z"])]),
        (b'1,"say ""hi"""\n2,6" wide\n', [(2, ["1", 'say "hi"']), (3, ["2", '6" wide'])]),
        (b"1,caf\xe9\n2,caf\xc3\xa9\n", [(2, "not UTF-8 at character 6"), (3, ["2", "café"])]),
        (
            b'1,"x\n2,\xff\n3,z\n',
            [(2, "a quote that is not closed"), (3, "not UTF-8 at character 3"), (4, ["3", "z"])],
        ),
        (b"1,a\x00b\n2,\x00\n", [(2, ["1", "a\x00b"]), (3, ["2", "\x00"])]),
        (b"1,x\r\n\r\n2,y\r\n", [(2, ["1", "x"]), (4, ["2", "y"])]),
        (b"1,x\r2,y\r", [(2, ["1", "x"]), (3, ["2", "y"])]),
        (b"1,x", [(2, ["1", "x"])]),
        (b'1,""\n2,\n', [(2, ["1", ""]), (3, ["2", ""])]),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_broken_line_of_a_csv_costs_itself(
    tmp_path: Path, mark: bytes, lines: bytes, wanted: list[tuple[int, Any]]
) -> None:
    names = b"a,b\r" if lines.endswith(b"\r") else b"a,b\n"
    assert rows_of(tmp_path / "t.csv", mark + names + lines) == wanted


def test_a_line_that_is_too_long_costs_itself(tmp_path: Path) -> None:
    long = b"x" * 20_000_000
    told = "a line of more than 16,777,216 characters"
    content = b'{"a":"' + long + b'"}\n{"a":"y"}\n'
    assert rows_of(tmp_path / "t.jsonl", content) == [(1, told), (2, ["y"])]
    content = b"a,b\n1," + long + b'\n2,y\n3,"' + long[:9_000_000] + b"\n" + long[:9_000_000]
    assert rows_of(tmp_path / "t.csv", content) == [
        (2, told),
        (3, ["2", "y"]),
        (4, "a quote that is not closed"),
        (5, "1 values under 2 names"),
    ]


@pytest.mark.parametrize(
    "content", [b"a,\xff\n1,2\n", b'a,"b\n1,2\n', "a,b\n1,2\n".encode("utf-16")]
)
def test_names_that_cannot_be_read_are_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceFileError, match="line 1 has its names"):
        rows_of(tmp_path / "t.csv", content)


def test_a_file_that_breaks_off_says_after_which_line(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl.gz"
    packed = gzip.compress(b"".join(b'{"a":"%d"}\n' % n for n in range(50_000)))
    path.write_bytes(packed[: len(packed) // 2])
    read: list[Any] = []
    with pytest.raises(SourceFileError, match=r"end-of-stream marker was reached, after line \d+"):
        read.extend(row.values for row in open_source(str(path)).rows())
    assert len(read) > 1_000
    assert read == [{"a": str(number)} for number in range(len(read))]
