"""Lineage, drawn: every column and step once, every transition, and names that are names alone."""

from __future__ import annotations

from xml.etree import ElementTree

from pipeline.contract.lineage.graph import (
    LineageColumn,
    LineageGraph,
    LineageTable,
    TableKind,
    lineage_graph,
)
from pipeline.contract.lineage.sources import SourceColumn
from pipeline.contract.lineage.trace import ColumnEdge
from pipeline.contract.load import load_products
from pipeline.event_state import TRANSITIONS, State
from pipeline.settings import PROJECT
from quality.lineage.drawing import SHOWN, columns_of, draw, lay_out
from quality.lineage.states import draw_states

SVG = "{http://www.w3.org/2000/svg}"
PRODUCTS = load_products(PROJECT / "contracts")


def drawn(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - our own


def wide(count: int) -> LineageGraph:
    columns = tuple(LineageColumn(f"c{n}") for n in range(count))
    tables = (
        LineageTable("topic", TableKind.TOPIC, "o", "", columns),
        LineageTable("events", TableKind.EVENTS, "o", "", columns, ("topic",)),
    )
    edges = (
        ColumnEdge(SourceColumn("events", one.name), SourceColumn("topic", one.name))
        for one in columns
    )
    return LineageGraph("wide", tables, tuple(edges))


def test_every_column_and_step_is_drawn_once_and_steps_go_to_the_right() -> None:
    for product in PRODUCTS:
        graph = lineage_graph(product)
        chart = drawn(draw(graph))
        numbers = [
            int(one.get("data-column", "")) for one in chart.iter() if one.get("data-column")
        ]
        assert sorted(numbers) == list(range(len(columns_of(graph))))
        steps = [one for one in chart.iter(f"{SVG}path") if one.get("class") == "step"]
        assert len(steps) == len(graph.edges)
        for step in steps:
            start, end = step.attrib["d"][1:].split("C")[0], step.attrib["d"].rsplit(" ", 1)[1]
            assert float(start.split(",")[0]) < float(end.split(",")[0])


def test_a_table_stands_right_of_all_that_it_reads() -> None:
    for product in PRODUCTS:
        graph = lineage_graph(product)
        stages = lay_out(graph).stages
        at = {name: place for place, stage in enumerate(stages) for name in stage}
        assert all(at[one] < at[table.name] for table in graph.tables for one in table.reads)


def test_of_a_wide_table_the_first_columns_are_drawn_and_the_others_are_there() -> None:
    graph = wide(500)
    chart = drawn(draw(graph))
    columns = [one for one in chart.iter(f"{SVG}g") if one.get("data-column")]
    assert len(columns) == 1000
    assert sum(one.get("display") is None for one in columns) == 2 * SHOWN
    steps = [one for one in chart.iter(f"{SVG}path") if one.get("class") == "step"]
    assert sum(one.get("display") is None for one in steps) == SHOWN
    assert float(chart.attrib["height"]) < 1000


def test_a_read_without_steps_is_a_line_of_its_own() -> None:
    graph = lineage_graph(PRODUCTS[0])
    reads = [one for one in drawn(draw(graph)).iter(f"{SVG}path") if one.get("class") == "read"]
    assert [(one.get("data-from"), one.get("data-to")) for one in reads] == [
        ("topic", "dead_letters")
    ]


def test_every_transition_is_drawn_and_counts_stand_in_their_states() -> None:
    chart = drawn(draw_states({State.DEAD_LETTER: 1234, State.ARCHIVED: 0}))
    arrows = {
        (one.get("data-from"), one.get("data-to"))
        for one in chart.iter(f"{SVG}path")
        if one.get("data-from")
    }
    assert arrows == {
        (state.value, one.value) for state, followers in TRANSITIONS.items() for one in followers
    }
    said = {
        one.get("data-state"): [text.text for text in one.iter(f"{SVG}text")][1:-1]
        for one in chart.iter(f"{SVG}g")
        if one.get("data-state")
    }
    assert set(said) == {state.value for state in State}
    assert said["DeadLetter"] == ["1,234"]
    assert said["Archived"] == ["0"]
    assert said["Raw"] == []


def test_names_of_a_graph_are_text() -> None:
    hostile = '"><script>alert(1)</script>'
    table = LineageTable(hostile, TableKind.DERIVED, "o", "", (LineageColumn(hostile, hostile),))
    chart = drawn(draw(LineageGraph(hostile, (table,), ())))
    assert not [one for one in chart.iter() if one.tag.endswith("script")]
    assert hostile in [one.get("data-table") for one in chart.iter(f"{SVG}g")]
