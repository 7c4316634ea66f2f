"""Whether business rules fit their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from pipeline.avro import arrow
from pipeline.contract.model import Rule
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader
from pipeline.contract.targets.predicates import Matched, RuleError, read_predicate


def column_types(payload: Mapping[str, Any]) -> Mapping[str, pa.DataType]:
    """Return the types of a payload's columns; none if Iceberg cannot hold one, which is told elsewhere."""
    try:
        return {field.name: field.type for field in arrow.fields(payload)}
    except arrow.UnsupportedTypeError:
        return {}


def check_rule(reader: ContractReader, loc: Loc, rule: Rule, type_: pa.DataType) -> None:
    """Report if the rule whose implementation is at `loc` cannot judge a column of `type_`."""
    try:
        problem = next(_problems(rule, type_), None)
    except RuleError as error:
        place = ("arguments", error.argument) if error.argument else ("check",)
        reader.report((*loc, *place), str(error))
        return
    if problem is not None:
        reader.report((*loc, "check"), f"a rule that can judge its column: {problem}")


def _problems(rule: Rule, type_: pa.DataType) -> Iterator[str]:
    """Yield why a rule cannot judge its column; a test tries that whatever else can be read can be judged."""
    if isinstance(read_predicate(rule, type_), Matched):
        # Polars takes long to import, and only its engine knows its patterns: not for other rules.
        from pipeline.contract.checks.rule_probe import probe_rule
        from pipeline.contract.targets.rules import compile_rule

        yield from probe_rule(compile_rule(rule, type_), type_)
