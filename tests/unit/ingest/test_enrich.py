"""Reference data joined to a micro-batch, as of event time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.contract.source.mistakes import ContractError
from pipeline.ingest.transform.enrich import Enricher
from pipeline.settings import PROJECT
from tests.support.products import own_product

CONTRACTS = PROJECT / "contracts"
T0 = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HEADER = "content_id,title,genre,runtime_s,valid_from"


def with_data(product: Product, *lines: str) -> Product:
    file = product.folder / "reference" / "content.csv"
    file.write_text("\n".join((HEADER, *lines)) + "\n")
    return product


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Product:
    return own_product("viewing_events", tmp_path_factory.mktemp("contracts"), CONTRACTS)


def batch(*rows: tuple[str | None, datetime]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        schema={"content_id": pl.String, "_event_time": pl.Datetime("us", "UTC")},
        orient="row",
    )


def genres(product: Product, *rows: tuple[str | None, datetime]) -> list[str | None]:
    enriched = Enricher(product).enrich(batch(*rows))
    assert enriched.columns == ["content_id", "_event_time", "title", "genre", "runtime_s"]
    return enriched["genre"].to_list()


def test_the_row_that_held_at_event_time_counts(product: Product) -> None:
    changed = with_data(
        product,
        "a,A,drama,60,",
        "a,A,crime,60,2026-03-02T00:00:00Z",
        "a,A,comedy,60,2026-03-03T00:00:00Z",
        "b,B,romance,60,2026-03-02T00:00:00Z",
    )
    moment = timedelta(microseconds=1)
    assert genres(
        changed,
        ("a", T0 + 3 * DAY),
        ("a", T0 + 2 * DAY),
        ("a", T0 + 2 * DAY - moment),
        ("a", T0 + DAY),
        ("a", T0 + DAY - moment),
        ("b", T0 + DAY - moment),
        ("b", T0 + DAY),
        ("c", T0),
        (None, T0),
    ) == ["comedy", "comedy", "crime", "crime", "drama", None, "romance", None, None]


@pytest.mark.parametrize(
    "written", ["2026-03-02", "2026-03-02 00:00:00", "2026-03-02T02:00:00+02:00"]
)
def test_times_are_iso_8601_and_utc_where_none_says_otherwise(
    product: Product, written: str
) -> None:
    changed = with_data(product, "a,A,drama,60,", f"a,A,crime,60,{written}")
    moment = timedelta(microseconds=1)
    assert genres(changed, ("a", T0 + DAY - moment), ("a", T0 + DAY)) == ["drama", "crime"]


def test_of_rows_with_equal_keys_from_one_time_on_the_files_first_counts(product: Product) -> None:
    twice = with_data(
        product, "a,A,drama,60,", "a,A,crime,60,", "a,A,comedy,60,2026-03-02T00:00:00Z"
    )
    assert genres(twice, ("a", T0), ("a", T0 + DAY)) == ["drama", "comedy"]


def test_data_that_no_column_is_taken_from_is_not_joined(product: Product) -> None:
    assert set(Enricher(product).versions) == {"content"}


@given(
    periods=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5) | st.none()), max_size=8),
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.integers(-1, 6)), max_size=12),
)
@settings(max_examples=40, deadline=None)
def test_rows_keep_their_order_and_get_the_latest_that_held(
    product: Product, periods: list[tuple[str, int | None]], rows: list[tuple[str, int]]
) -> None:
    lines = [
        f"{key},{key},g{n},60,{'' if day is None else (T0 + day * DAY).isoformat()}"
        for n, (key, day) in enumerate(periods)
    ]
    expected: list[str | None] = []
    for key, day in rows:
        held = [
            (-1 if begin is None else begin, -n)
            for n, (of, begin) in enumerate(periods)
            if of == key and (begin is None or begin <= day)
        ]
        expected.append(f"g{-max(held)[1]}" if held else None)
    held_rows = [(key, T0 + day * DAY) for key, day in rows]
    assert genres(with_data(product, *lines), *held_rows) == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [("since", "a column of content.csv"), ("title", "a column of ISO 8601 times")],
)
def test_a_column_of_times_that_is_none_is_a_mistake(
    tmp_path: Path, column: str, expected: str
) -> None:
    product = own_product("viewing_events", tmp_path, CONTRACTS)
    file = product.folder / "contract.yaml"
    file.write_text(file.read_text().replace("validFrom: valid_from", f"validFrom: {column}"))
    with pytest.raises(ContractError) as caught:
        load_product(product.folder)
    (mistake,) = caught.value.mistakes
    assert mistake.path.endswith("references[0].validFrom")
    assert mistake.expected.startswith(expected)
