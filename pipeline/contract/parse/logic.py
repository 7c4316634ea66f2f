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
        reader.report(loc, "one of `sql` and `python`")
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
        reader.report_in(reader.folder / name, error.lineno or 1, "", f"Python; {error.msg}")
        return None
    functions = [one for one in tree.body if isinstance(one, ast.FunctionDef)]
    if not any(one.name == BUILD and len(one.args.args) == 1 for one in functions):
        expected = f"a function `{BUILD}(inputs)`"
        reader.report_in(reader.folder / name, 1, "", expected)
        return None
    if reads_itself and not any(_assigns(one, SCHEMA) for one in tree.body):
        expected = f"`{SCHEMA}`, the table's columns in Spark's DDL: it reads its own earlier hours"
        reader.report_in(reader.folder / name, 1, "", expected)
        return None
    return Logic(language="python", text=text, file=reader.folder / name)


def _assigns(statement: ast.stmt, name: str) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else ()
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)
