"""Parts of benchmarks: stamped record values, checked results, charts."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import fastavro
import jsonschema
import numpy as np
import pytest

import benchmarks.backfill.page
import benchmarks.backlog.page
import benchmarks.commits.document
import benchmarks.dead_letters.page
import benchmarks.formats.document
import benchmarks.freshness.page
import benchmarks.hourly.page
import benchmarks.ingest.page
import benchmarks.lateness.page
import benchmarks.lineage.page
import benchmarks.point_in_time.page
import benchmarks.publish.document
import benchmarks.registry.document
import benchmarks.soak.page
import benchmarks.stages.page
import benchmarks.trials.page
import benchmarks.unattended.page
from benchmarks import filling, results
from benchmarks.backlog.document import POINTS, series
from benchmarks.backlog.drain import Sample
from benchmarks.bars import Bar, bars
from benchmarks.freshness.steady import viewing_templates
from benchmarks.ingest.document import document, met
from benchmarks.ingest.measure import Run
from benchmarks.ingest.work import Topic, Work, fields_of, load_work
from benchmarks.svg import Limit, Line, chart
from benchmarks.templates import EARLIEST, LATEST, Templates, encoded_times
from pipeline.cells import embedded_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.settings import load_settings

PAGES = {
    "backfill": benchmarks.backfill.page.page,
    "backlog": benchmarks.backlog.page.page,
    "commits": benchmarks.commits.document.page,
    "dead_letters": benchmarks.dead_letters.page.page,
    "formats": benchmarks.formats.document.page,
    "freshness": benchmarks.freshness.page.page,
    "hourly": benchmarks.hourly.page.page,
    "ingest": benchmarks.ingest.page.page,
    "lateness": benchmarks.lateness.page.page,
    "lineage": benchmarks.lineage.page.page,
    "point_in_time": benchmarks.point_in_time.page.page,
    "publish": benchmarks.publish.document.page,
    "registry": benchmarks.registry.document.page,
    "soak": benchmarks.soak.page.page,
    "stages": benchmarks.stages.page.page,
    "trials": benchmarks.trials.page.page,
    "unattended": benchmarks.unattended.page.page,
}
"""Each benchmark's page, made from its result."""
TIMES = np.array([EARLIEST, 1_700_000_000_000_000, 1_700_000_000_000_001, LATEST])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Product:
    return filling.plain_product(tmp_path_factory.mktemp("contracts"))


def stamped(made: Templates, times: Any = TIMES) -> list[bytes]:
    rng, size = np.random.default_rng(1), made.value_bytes
    data = made.stamped(np.arange(len(times)), times, rng)
    return [data[at : at + size] for at in range(0, len(data), size)]


def read(data: bytes, schema: Any) -> Any:
    stream = io.BytesIO(data)
    value = fastavro.schemaless_reader(stream, fastavro.parse_schema(dict(schema)), None)
    assert stream.tell() == len(data)
    return value


def micros(instant: Any) -> int:
    return int(np.datetime64(instant.replace(tzinfo=None), "us").astype(np.int64))


@pytest.mark.parametrize("size", [filling.SMALLEST, 100, 500, 2_000])
def test_plain_values_have_the_size_that_is_asked_for(plain: Product, size: int) -> None:
    made = filling.plain_templates(plain, 7, size, partition=3, seed=1)
    values = stamped(made, np.full(filling.ACCOUNTS, TIMES[1]))
    events = [read(value[5:], plain.payload_schema) for value in values]
    assert {len(value) for value in values} == {size}
    assert [event["account"].encode() for event in events] == list(made.keys)
    assert {micros(event["at"]) for event in events} == {TIMES[1]}
    assert len({UUID(event["id"]) for event in events}) == len(events)
    assert all(0 <= event["score"] < 1 for event in events)


def test_viewing_events_carry_the_time_in_envelope_and_payload() -> None:
    product = load_product(load_settings().contracts / "viewing_events")
    made = viewing_templates(product, 7)
    for key, value, instant in zip(made.keys, stamped(made), TIMES.tolist(), strict=False):
        event = read(value[5:], product.envelope_schema)
        payload = read(event["payload"], product.payload_schema)
        assert event["key"].encode() == payload["user_id"].encode() == key
        assert micros(event["timestamp"]) == micros(payload["timestamp"]) == instant
        assert UUID(event["uuid"]).version == 4


@pytest.mark.parametrize("instant", [EARLIEST - 1, LATEST + 1])
def test_times_of_another_length_are_refused(instant: int) -> None:
    with pytest.raises(ValueError, match="another number of bytes"):
        encoded_times(np.array([instant]))


def test_a_result_that_is_not_as_its_schema_says_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(jsonschema.ValidationError):
        results.write({"benchmark": "backlog"}, "backlog", tmp_path / "backlog.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", sorted(path.stem for path in results.RESULTS.glob("*.json")))
def test_a_committed_result_is_as_its_schema_says_and_makes_the_committed_page(name: str) -> None:
    result = json.loads((results.RESULTS / f"{name}.json").read_text())
    results.check(result, name)
    assert PAGES[name](result) == (results.PAGES / f"{name.replace('_', '-')}.md").read_text()


def test_the_ratio_is_to_the_best_of_those_that_are_exactly_once() -> None:
    def run(contestant: str, variant: str, seconds: float) -> Run:
        return Run(contestant, variant, 100, 0, 1_000, seconds, 1.0, 1.0, 1_000, 1_000)

    runs = [
        run("headwater", "all_on", 1.0),
        run("headwater", "all_on", 3.0),
        run("headwater", "no_gates", 0.1),
        run("loop", "exactly_once", 8.0),
        run("loop", "at_least_once", 0.5),
        run("spark_streaming", "", 5.0),
    ]
    found = document(runs, partitions=4, hours=3.0, missing={})
    # Medians of rates: (1000 + 333.3) / 2 against 200.
    assert found["ratios"] == {"100": 3.33}
    assert met(found)
    assert not met({**found, "ratios": {"100": 3.33, "500": 1.99}})


def test_bars_are_xml_that_names_each_bar() -> None:
    drawn = bars("Speed", [("100 bytes", [Bar("<ours>", 10.0, True), Bar("theirs", 5.0, False)])])
    text = "".join(ElementTree.fromstring(drawn).itertext())  # noqa: S314 - our own
    assert all(name in text for name in ("Speed", "100 bytes", "<ours>", "theirs"))


def test_a_series_keeps_the_largest_of_many_samples() -> None:
    samples = [Sample(n / 10, 100.0 + (n == 777), n) for n in range(1_000)]
    points = series(samples)
    assert len(points) <= POINTS
    assert max(point["rss_mb"] for point in points) == 101.0
    assert points[-1]["events"] == 999
    assert series([]) == []


def test_a_chart_is_xml_that_holds_its_lines_and_limits() -> None:
    text = chart("a < b", "x", "y", [Line("one", [(0, 0), (10, 7.5)])], [Limit("most", 30)])
    root = ElementTree.fromstring(text)  # noqa: S314 - our own
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a < b", "one", "most", "30"} <= set(texts)


def test_a_contestant_in_a_process_of_its_own_has_the_cell_that_was_made_for_it(
    tmp_path: Path,
) -> None:
    cell = embedded_cell(tmp_path, "us", "127.0.0.1:9")
    topic = Topic("plain", 10, 4, "contracts/plain_events")
    work = Work("loop", "", topic, topic, {}, fields_of(cell))
    work.save(tmp_path / "work.json")
    assert load_work(tmp_path / "work.json").own_cell() == cell
