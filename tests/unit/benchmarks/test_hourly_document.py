"""The hourly benchmark's document: figures, ratios, and whether all contestants gave the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks import results
from benchmarks.hourly.contestants import TABLES
from benchmarks.hourly.document import document, figures, steps
from benchmarks.hourly.figures import QUERIES, Figure
from benchmarks.hourly.kept import keep_runs, kept_runs
from benchmarks.hourly.measure import Run
from benchmarks.hourly.page import page, plot

SIZE = 1_000


def found(**others: float) -> dict[str, dict[str, Figure]]:
    """Return figures that are all 7, but those given as `table__figure`."""
    values: dict[str, dict[str, Figure]] = {
        table: dict.fromkeys(wanted, 7) for table, wanted in QUERIES.items()
    }
    for name, value in others.items():
        table, _, figure = name.partition("__")
        values[table][figure] = value
    return values


def run(contestant: str, repeat: int, seconds: float, **others: float) -> Run:
    taken: dict[str, Any] = {
        table: {
            "compute and stage": {"seconds": seconds / 4, "cpu_s": seconds / 2, "jobs": 3},
            "audit": {"seconds": seconds / 8, "jobs": 20},
        }
        for table in TABLES
    }
    ours = contestant == "headwater"
    return Run(
        contestant, SIZE, repeat, seconds, 2.0, 100.0, taken if ours else {}, found(**others)
    )


RUNS = [
    run("headwater", 0, 8.0),
    run("headwater", 1, 12.0),
    run("headwater", 2, 9.0),
    run("spark_sql", 0, 3.0),
    run("duckdb_sql", 0, 0.5),
]


def test_ratios_are_of_medians_and_the_shortest_run_is_told() -> None:
    result = document(RUNS, warm_up=10, failed={})
    results.check(result, "hourly")
    assert [(one["contestant"], one["seconds"]) for one in result["ratios"]] == [
        ("spark_sql", 3.0),
        ("duckdb_sql", 18.0),
    ]
    ours = figures(result["runs"])[0]
    assert (ours.least_s, ours.median_s) == (8.0, 9.0)
    assert steps(result["runs"], SIZE)["audit"][TABLES[0]] == (9.0 / 8, 20)


def test_sums_of_floats_may_differ_by_rounding_and_counts_may_not_at_all() -> None:
    rounded = run("spark_sql", 1, 3.0, user_preference_features__confidence=7 * (1 + 1e-10))
    off = run("duckdb_sql", 1, 0.5, user_preference_features__confidence=7 * (1 + 1e-8))
    short = run("duckdb_sql", 2, 0.5, viewing_features_raw__rows=6)
    assert document([*RUNS, rounded], 10, {})["unequal"] == []
    told = document([*RUNS, off, short], 10, {})["unequal"]
    assert [line.partition(":")[0] for line in told] == ["duckdb_sql at 1000"] * 2
    assert "viewing_features_raw.rows: 7, 6" in told[1]


def test_the_page_tells_times_steps_guarantees_and_what_did_not_run() -> None:
    result = document(RUNS, warm_up=10, failed={"Spark SQL at 1,000 events": "no memory"})
    text = page(result)
    assert "| Headwater | 1,000 | 9.0 s | 8.0 s | 2.0 | 100 |" in text
    assert "| audit | 1.12 (20) | 1.12 (20) | 1.12 (20) |" in text
    assert "Spark SQL at 1,000 events did not run: no memory" in text
    assert "All runs gave the same rows" in text
    drawn = "".join(ElementTree.fromstring(plot(result)).itertext())  # noqa: S314 - our own
    assert "DuckDB, files to files" in drawn


def test_runs_that_were_kept_make_the_same_document(tmp_path: Path) -> None:
    whole = [run(name, repeat, 1.0) for name in ("headwater", "spark_sql") for repeat in (0, 1)]
    asked = ["headwater", "spark_sql"], 2
    assert kept_runs(tmp_path, *asked) == []
    keep_runs(tmp_path, whole)
    again = kept_runs(tmp_path, *asked)
    assert again == whole
    assert document(again, 10, {})["runs"] == document(whole, 10, {})["runs"]


def test_runs_are_gone_on_from_only_if_they_are_what_is_asked(tmp_path: Path) -> None:
    keep_runs(tmp_path, RUNS)
    assert kept_runs(tmp_path, ["headwater", "spark_sql", "duckdb_sql"], 3) == []
    keep_runs(tmp_path, RUNS[:3])
    assert kept_runs(tmp_path, ["headwater"], 2) == []
    assert kept_runs(tmp_path, ["headwater"], 3) == RUNS[:3]
