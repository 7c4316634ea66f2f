"""CSV files of reference data: what is read without Polars is what Polars reads."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.contract.references.csv_file import CsvFile, read_texts
from pipeline.contract.references.polars_csv import read_any

FIELD = st.text(st.sampled_from('a1 é🙂#;\t\x00\r\n,"\\'), max_size=4)
PLAIN = st.text(st.characters(exclude_characters='",\r\n', codec="utf-8"), max_size=6)
FILES = st.builds(
    lambda rows, end, begin, last: (
        begin + end.join(",".join(row) for row in rows) + last
    ).encode(),
    st.integers(1, 3).flatmap(
        lambda width: st.lists(st.lists(PLAIN, min_size=width, max_size=width), max_size=5)
    )
    | st.lists(st.lists(PLAIN | FIELD, max_size=3), max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\ufeff"]),
    st.sampled_from(["", "\n", "\r\n", "\n\n", "\r"]),
)


def read(how: Any, content: bytes) -> Any:
    try:
        table = how(content)
    except ValueError as error:
        return str(error)
    return table.column_names, [column.to_pylist() for column in table.columns]


@settings(max_examples=500, deadline=None)
@given(FILES | st.binary(max_size=12))
@example(b"a,b\n1\n2,3\n")
@example(b"a\n\n1\n")
@example(b"a,b")
@example(b"\xef\xbb\xbfa,b\r\n1,\xff\r\n")
@example(b"x_duplicated_0,a,a\n1,2,3\n")
@example(b",,1\n")
def test_a_file_is_read_as_polars_reads_it(content: bytes) -> None:
    assert read(read_texts, content) == read(read_any, content)


def test_a_large_file_is_read_as_polars_reads_it() -> None:
    """Of several blocks, and with a row larger than one."""
    rows = "".join(f"{row},{row * 'y'},\n" for row in range(2_000))
    content = f"a,b,c\n{rows}{'x' * 3_000_000},1,2\n".encode()
    assert read(read_texts, content) == read(read_any, content)


@pytest.mark.parametrize(("row", "line"), [(0, 2), (1, 3)])
def test_a_row_is_told_by_its_line(row: int, line: int) -> None:
    assert CsvFile(b"a,b\r\n1,2\r\n3,4\r\n", ()).line(row) == line


def test_a_plain_file_needs_no_polars() -> None:
    code = (
        "import sys\n"
        "from pipeline.contract.references.csv_file import read_texts\n"
        "assert read_texts(b'a,b\\n1,\\n').num_rows == 1\n"
        "assert 'polars' not in sys.modules\n"
        "assert read_texts(b'a,b\\n\"1\",\\n').num_rows == 1\n"
        "assert 'polars' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
