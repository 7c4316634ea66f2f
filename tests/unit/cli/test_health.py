"""What of a product's state somebody must see to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headwater.cli.render.status import to_json
from headwater.stack.parts import Part
from pipeline.control.alerts import Alert, open_alerts
from quality.health import Health, IngestState

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WELL = Health(
    product="orders",
    cell="us",
    owner="run-1",
    ingest=IngestState.WORKING,
    committed_at=NOW,
    waiting=20,
    lag=timedelta(seconds=3),
    objective=timedelta(minutes=1),
    overdue={"hourly": ()},
)
ALERT = Alert(NOW, "orders.events", NOW, "ingest_failing", "Kafka does not answer.", "run-1")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"ingest": IngestState.ABSENT, "owner": None}, "nobody ingests, and 20 records wait"),
        ({"ingest": IngestState.ABSENT, "waiting": 0}, "nobody ingests"),
        ({"ingest": IngestState.RETRYING, "detail": "no answer"}, "ingest is retrying: no answer"),
        ({"ingest": IngestState.STALLED, "detail": "stuck"}, "ingest is stalled: stuck"),
        ({"lag": timedelta(hours=2)}, "waits is 7,200 s old, the contract allows 1 min"),
        ({"overdue": {"hourly": (NOW, NOW)}}, "hourly: 2 hours are overdue since 2026-01-01T12"),
        ({"alerts": (ALERT,)}, "1 alerts are open, the last ingest_failing: Kafka"),
        ({"unread": ("the catalog did not answer",)}, "the catalog did not answer"),
    ],
)
def test_each_problem_is_told_and_is_not_well(changed: dict[str, object], problem: str) -> None:
    found = replace(WELL, **changed)  # type: ignore[arg-type]
    assert problem in " ".join(found.problems)
    assert not found.healthy


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"ingest": IngestState.AWAITING_TOPIC, "owner": None, "waiting": None, "lag": None},
        {"objective": None, "lag": timedelta(days=9)},
    ],
)
def test_there_is_none_where_all_is_well(changed: dict[str, object]) -> None:
    found = replace(WELL, **changed)  # type: ignore[arg-type]
    assert found.problems == ()
    assert found.healthy


def test_a_commit_after_it_resolves_what_is_told_of_ingest() -> None:
    assert open_alerts([ALERT], {}) == (ALERT,)
    assert open_alerts([ALERT], {}, NOW) == (ALERT,)
    assert open_alerts([ALERT], {}, NOW + timedelta(seconds=1)) == ()


def test_programs_get_all_of_it() -> None:
    part = Part("kafka-us", "127.0.0.1:9092", 7, Path("log"), healthy=True)
    told = json.loads(to_json([part], [WELL, replace(WELL, lag=timedelta(days=1))]))
    assert told["healthy"] is False
    assert [one["healthy"] for one in told["products"]] == [True, False]
    assert told["products"][0]["committed_at"] == NOW.isoformat()
    assert told["products"][0]["lag"] == 3.0
    assert told["products"][1]["problems"]
    assert "products" not in json.loads(to_json([part], None))
