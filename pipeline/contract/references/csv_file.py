"""CSV files of reference data, as columns of texts."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator

import pyarrow as pa
from pyarrow import csv as arrow_csv

from pipeline.contract.source.texts import decode_utf8

NULL = "NA"
"""Beside the empty text, what stands for no value, save in a key that is a text."""


class BadCsvError(ValueError):
    """The text is no CSV; `line` is where, from 1, and `column` 0, where it is not known."""

    def __init__(self, problem: str, line: int, column: int = 0) -> None:
        super().__init__(problem)
        self.line, self.column = line, column


class CsvFile:
    """A CSV file. All columns are texts; an empty text is no value, unless it is quoted.

    Attributes:
        names: its columns, in their order; a name may be there twice.
    """

    def __init__(self, content: bytes, keys: Collection[str]) -> None:
        """Read `content`; `keys` are the columns in which `NULL` is a text like any other.

        Raises:
            BadCsvError: it is no CSV.
            NotTextError: it is not UTF-8.
        """
        self._content, self._keys = content, keys
        decode_utf8(content)
        try:
            self._table = read_texts(content)
        except ValueError as error:
            raise _explained(content, str(error)) from None
        self.names: list[str] = self._table.column_names

    def values(self, name: str) -> Iterator[str | None]:
        """Yield the values of a column, the first of its name."""
        null = None if name in self._keys else NULL
        for text in self.own(name).to_pylist():
            yield None if text == null else text

    def own(self, name: str) -> pa.ChunkedArray:
        """Return the texts of a column, the first of its name, `NULL` among them."""
        return self._table.column(self.names.index(name))

    def line(self, row: int) -> int:
        """Return the line where a row begins, from 1; rows count from 0, without the names."""
        csv.field_size_limit(max(csv.field_size_limit(), len(self._content)))
        reader = csv.reader(io.StringIO(self._content.decode("utf-8-sig"), newline=""))
        begin = 0
        for number, _ in enumerate(reader):
            if number == row + 1:
                return begin + 1
            begin = reader.line_num
        return begin


def read_texts(content: bytes) -> pa.Table:
    """Return a CSV's columns, all of texts.

    Raises:
        ValueError: it is no CSV.
    """
    table = _read_plain(content)
    if table is None:
        # Polars takes long to import: not for files that every reader reads alike.
        from pipeline.contract.references.polars_csv import read_any

        table = read_any(content)
    return table


def _explained(content: bytes, said: str) -> BadCsvError:
    """Return what is wrong where it was done: at a quote without an end, in a row of too many values."""
    text = content.decode("utf-8-sig")
    if not text.strip():
        return BadCsvError("names and values; the file has nothing in it", 1)
    csv.field_size_limit(max(csv.field_size_limit(), len(content)))
    reader, begin, width = csv.reader(io.StringIO(text, newline=""), strict=True), 1, 0
    try:
        for row in reader:
            width = width or len(row)
            if len(row) > width:
                return BadCsvError(f"{width} values, as there are names; not {len(row)}", begin)
            begin = reader.line_num + 1
    except csv.Error:
        return BadCsvError(
            "a quote that has an end, with a comma or the line's end behind it", begin
        )
    return BadCsvError(f"a CSV: {said.splitlines()[0]}", 1)


def _read_plain(content: bytes) -> pa.Table | None:
    """Return a CSV without quotes whose rows have a value for every column; None for any other."""
    header = content.removeprefix(codecs.BOM_UTF8).partition(b"\n")[0].rstrip(b"\r")
    if not header or b'"' in content or b"\r" in content.replace(b"\r\n", b""):
        return None
    try:
        return arrow_csv.read_csv(
            io.BytesIO(content),
            parse_options=arrow_csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name.decode(): pa.string() for name in header.split(b",")},
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError):
        return None
