"""The file that computes a derived table: one SQL statement, or one Python function."""

from __future__ import annotations

import ast

from pipeline.contract.model import Logic
from pipeline.contract.settings.derived_table import DerivedTableSettings
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader

BUILD = "build"
"""The function that a Python file must define."""
SCHEMA = "SCHEMA"
"""Spark DDL of the table's columns: a Python file whose table reads itself must define it."""


def read_logic(
    reader: ContractReader, settings: DerivedTableSettings, loc: Loc, *, reads_itself: bool
) -> Logic | None:
    """Return the logic that the settings at `loc` name. Python is parsed, and not run."""
    if (settings.sql is None) == (settings.python is None):
        both = settings.sql is not None
        reader.report(
            loc, f"`sql` or `python`{', and not both' if both else ': the file that computes it'}"
        )
        return None
    if settings.python is not None:
        found = _python(reader, settings.python, (*loc, "python"), reads_itself=reads_itself)
    elif reads_itself:
        reader.report((*loc, "sql"), "`python`: a table that reads its own earlier hours needs it")
        return None
    else:
        found = _sql(reader, settings.sql or "", (*loc, "sql"))
    return found and found.model_copy(update={"incremental_by": settings.incremental_by})


def _sql(reader: ContractReader, name: str, loc: Loc) -> Logic | None:
    if len(name.split()) > 3:
        reader.report(loc, "a file of one SQL statement; put the statement in a file of its own")
        return None
    text = reader.read_text(loc, name, "a file of one SQL statement")
    if text is None:
        return None
    statement = text.strip().removesuffix(";").rstrip()
    if not statement:
        reader.report(loc, f"one SQL statement in {name}; it is empty")
        return None
    return Logic(language="sql", text=statement, file=reader.folder / name)


def _python(reader: ContractReader, name: str, loc: Loc, *, reads_itself: bool) -> Logic | None:
    text = reader.read_text(loc, name, "a Python file")
    if text is None:
        return None
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        place, text = error.lineno or 1, f"Python; {error.msg}"
        reader.report_in(reader.folder / name, place, "", text, error.offset or 0)
        return None
    defined = [one for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    if not any(_is_build(one) for one in defined):
        near = sorted(defined, key=lambda one: one.name != BUILD)[:1]
        line = near[0].lineno if near else 1
        found = f"; here is {ast.unparse(near[0]).splitlines()[0].rstrip(':')!r}" if near else ""
        reader.report_in(reader.folder / name, line, "", f"a function `{BUILD}(inputs)`{found}")
        return None
    if reads_itself and not any(_assigns(one, SCHEMA) for one in tree.body):
        expected = f"`{SCHEMA}`, the table's columns in Spark's DDL: it reads its own earlier hours"
        reader.report_in(reader.folder / name, 1, "", expected)
        return None
    return Logic(language="python", text=text, file=reader.folder / name)


def _is_build(one: ast.stmt) -> bool:
    return isinstance(one, ast.FunctionDef) and one.name == BUILD and len(one.args.args) == 1


def _assigns(statement: ast.stmt, name: str) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else ()
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)
