"""YAML's own types where a contract means a text, a number, a flag or a time: quoted or not is the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.contract.load import ContractError, load_product
from pipeline.hours.first import HISTORY_FROM, LIVE_FROM, first_hour, too_early
from tests.unit.contract.conftest import Copy

JUNE = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-06-01T00:00:00Z", JUNE),
        ('"2026-06-01T00:00:00Z"', JUNE),
        ("'2026-06-01T02:00:00+02:00'", JUNE),
        ("2026-06-01T02:00:00+02:00", JUNE),
        ("2026-06-01 00:00:00", JUNE),
        ('"2026-06-01T00:00"', JUNE),
        ("2026-06-01T00:00Z", JUNE),
        ("2026-06-01", JUNE),
        ('"2026-06-01"', JUNE),
        ("2026-06-01T00:00:00.5Z", JUNE + timedelta(seconds=0.5)),
    ],
)
def test_a_time_is_a_time_quoted_or_not(copy: Copy, written: str, meant: datetime) -> None:
    folder = copy(
        "strict_events",
        ("partitions: 2", f"partitions: 2\n        start: {written}"),
        ("key: sensor", f"key: sensor\n      firstHour: {written}"),
    )
    product = load_product(folder)
    assert (product.topic.start, product.first_hour) == (meant, meant)


@pytest.mark.parametrize("written", ["soon", "12", "yes", "[2026-06-01]"])
def test_what_is_no_time_is_refused(copy: Copy, written: str) -> None:
    folder = copy("strict_events", ("partitions: 2", f"partitions: 2\n        start: {written}"))
    with pytest.raises(ContractError, match="earliest, latest or an ISO 8601 time, not"):
        load_product(folder)


def test_what_looks_like_a_date_and_is_none_is_a_mistake(copy: Copy) -> None:
    folder = copy("strict_events", ("partitions: 2", "partitions: 2\n        start: 2026-13-01"))
    with pytest.raises(ContractError, match="month must be in"):
        load_product(folder)


def test_numbers_and_flags_may_be_quoted(copy: Copy) -> None:
    folder = copy(
        "viewing_events",
        ("partitions: 4", 'partitions: "4"'),
        ("history: true", "history: yes"),
        ("freshness: 10s", 'freshness: "10s"'),
        ("value: 60\n", 'value: "60"\n'),
    )
    found, wanted = load_product(folder), load_product(copy("viewing_events", parent="as it was"))
    assert (found.topic, found.gates, found.slos) == (wanted.topic, wanted.gates, wanted.slos)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('partitions: "four"', "a whole number, not 'four'"),
        ("partitions: yes", "a whole number"),
        ("partitions: 2.5", "a whole number"),
        ("partitions: 2\n        history: perhaps", "true or false, not 'perhaps'"),
    ],
)
def test_what_is_neither_is_refused(copy: Copy, setting: str, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        load_product(copy("strict_events", ("partitions: 2", setting)))


def test_dates_are_texts_where_the_standard_and_expectations_want_texts(copy: Copy) -> None:
    folder = copy(
        "viewing_events",
        ("status: active", "status: active\ncontractCreatedTs: 2026-06-01T00:00:00Z"),
        (
            "type: expect_compound_columns_to_be_unique",
            "type: expect_column_values_to_be_between\n"
            "          kwargs: {column: hour, min_value: 2026-06-01}\n"
            "      - type: custom\n"
            "        engine: greatExpectations\n"
            "        implementation:\n"
            "          type: expect_compound_columns_to_be_unique",
        ),
    )
    product = load_product(folder)
    assert any(
        one.kwargs.get("min_value") == "2026-06-01"
        for table in product.derived_tables
        for one in table.expectations
    )


def test_partitions_begin_where_the_contract_says(copy: Copy) -> None:
    product = load_product(copy("strict_events"))
    history = product.topic.model_copy(update={"history": True})
    assert first_hour(product) == LIVE_FROM
    assert first_hour(product.model_copy(update={"topic": history})) == HISTORY_FROM
    started = history.model_copy(update={"start": JUNE})
    assert first_hour(product.model_copy(update={"topic": started})) == JUNE
    said = product.model_copy(update={"topic": started, "first_hour": JUNE - timedelta(minutes=90)})
    assert first_hour(said) == JUNE - timedelta(hours=2)


def test_hours_before_the_first_are_told_with_the_remedy(copy: Copy) -> None:
    product = load_product(copy("strict_events"))
    early = [datetime(2013, 1, 1, 10, tzinfo=UTC), datetime(2013, 1, 1, 9, tzinfo=UTC)]
    assert too_early(product, [JUNE]) is None
    said = too_early(product, [*early, JUNE])
    assert said is not None
    assert "2 hours with rows, from 2013-01-01T09" in said
    assert "`firstHour: 2013-01-01`" in said
    assert "headwater hours build" in said
