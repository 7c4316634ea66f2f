"""CSV files of any kind: with quotes, broken lines, and rows that lack values."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator

import polars as pl
import pyarrow as pa
from polars.exceptions import PolarsError


def read_any(content: bytes) -> pa.Table:
    """Return a CSV's columns, all of texts; values that a row lacks are null.

    Raises:
        ValueError: it is no CSV.
    """
    try:
        frame = pl.read_csv(io.BytesIO(content), infer_schema=False)
    except (PolarsError, OSError) as error:
        raise ValueError(str(error)) from None
    names = list(_as_written(frame.columns))
    # Not under their own names, which may be none that Arrow's interface of C lets through.
    frame.columns = [str(number) for number in range(frame.width)]
    return frame.to_arrow().rename_columns(names)


def _as_written(names: Iterable[str]) -> Iterator[str]:
    """Yield the names of a frame's columns as the file has them: Polars numbers those there again."""
    seen: Counter[str] = Counter()
    for name in names:
        written, mark, number = name.rpartition("_duplicated_")
        again = mark and seen[written] and number == str(seen[written] - 1)
        seen[written if again else name] += 1
        yield written if again else name
