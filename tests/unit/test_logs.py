"""What a process logs: for people or as JSON, each line with what it is about."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.logs import log_context, set_up_logs

LOG = logging.getLogger("pipeline.of_a_test")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_is_a_line_with_the_context_the_lines_own_fields_and_the_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs("INFO", "json")
    with log_context(product="viewing_events", cell="us", run_id="r1"):
        LOG.info("committed %d rows", 3, extra={"offsets": {0: (5, 8)}})
    LOG.warning("of nothing")
    first, second = lines(capsys)
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "committed 3 rows",
        "level": "info",
        "logger": "pipeline.of_a_test",
        "product": "viewing_events",
        "cell": "us",
        "run_id": "r1",
        "offsets": {"0": [5, 8]},
    }
    assert "product" not in second


def test_json_has_an_exception_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(None, "json")
    try:
        raise ValueError("why")
    except ValueError:
        LOG.exception("it failed")
    (line,) = lines(capsys)
    assert line["exception"].endswith("ValueError: why")


def test_for_people_a_line_says_level_message_and_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs()
    with log_context(product="viewing_events", cell="us", run_id="r1"):
        LOG.warning("one is unwritable", extra={"offset": 7})
        LOG.info("nobody asked")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for part in ("warning", "one is unwritable", "offset=7", "product=viewing_events", "run_id=r1"):
        assert part in said


def test_the_last_of_several_settings_counts(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("DEBUG")
    set_up_logs("ERROR", "json")
    LOG.warning("not this")
    LOG.error("this once")
    (line,) = lines(capsys)
    assert line["event"] == "this once"


def test_a_client_that_logs_what_records_hold_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("DEBUG", "json")
    logging.getLogger("kafka.conn").debug("a response with records")
    LOG.debug("ours")
    assert [line["event"] for line in lines(capsys)] == ["ours"]


def test_for_people_an_exception_has_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs()
    row = "of a record"
    try:
        raise ValueError("why")
    except ValueError:
        LOG.exception("it failed with %d", len(row))
    said = capsys.readouterr().err
    assert "ValueError: why" in said
    assert row not in said
