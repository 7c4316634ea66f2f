"""Each change is judged as listed: by Avro Java, by the registry, by the contract check."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.avro.compatibility import check
from pipeline.avro.schema import Schema
from pipeline.avro.validity import problems
from pipeline.contract.checks.schema_evolution import evolution_mistakes, version_mistakes
from tests.support.avro_java import compatible, parse
from tests.unit.schemas.mutations import MUTATIONS, Mutation, table

pytestmark = pytest.mark.java

DOCS = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize("one", MUTATIONS, ids=[one.name for one in MUTATIONS])
def test_the_judgements_are_as_listed(one: Mutation) -> None:
    reader, writer = one.reader, one.writer
    assert not problems(reader)
    assert parse(reader) is None
    assert compatible(reader, writer)[0] is one.java
    assert (check(reader, writer) == ()) is one.registry
    follows = not [*version_mistakes(Schema(reader))]
    follows &= not [*evolution_mistakes(Schema(reader), [("v1", Schema(writer))])]
    assert (one.registry and follows) is one.contract


def test_nothing_passes_that_java_refuses_and_what_java_passes_is_refused_for_a_reason() -> None:
    assert len(MUTATIONS) >= 50
    for one in MUTATIONS:
        assert one.java >= one.registry >= one.contract
        assert (one.java > one.registry) is bool(one.why)


def test_the_page_lists_them() -> None:
    assert table() in (DOCS / "compatibility.md").read_text()
