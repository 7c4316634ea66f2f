"""The docs page of all parts that were measured."""

from __future__ import annotations

from typing import Any

from benchmarks.lineage import sql_page, trace_page

SECTIONS = {"sql": sql_page.section, "trace": trace_page.section}
"""Part -> what makes its section of it."""
HEAD = """\
# Lineage

<!-- Written by `make bench-lineage` from benchmarks/results/lineage.json. -->

How long answers about lineage take, and how that grows with what there is to be searched.
"""
END = """\
`make bench-lineage` measures again. The result's form is `benchmarks/schema/lineage.schema.json`.
"""


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    sections = [make(result[name]) for name, make in SECTIONS.items() if name in result]
    return "\n".join([HEAD, *sections, END])
