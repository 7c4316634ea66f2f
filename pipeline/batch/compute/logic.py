"""A derived table's Python logic, loaded from its contract's folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from pipeline.batch.compute.inputs import Inputs, RangeInputs
from pipeline.batch.context import hours_named
from pipeline.batch.errors import LogicError
from pipeline.contract.model import DerivedTable, Logic
from pipeline.contract.parse.logic import BUILD, SCHEMA

_NAMESPACE = "headwater_logic"


@dataclass(frozen=True)
class PythonLogic:
    """A loaded module.

    Attributes:
        build: computes one hour's rows, or those of a range.
        schema: Spark DDL of the table's columns, where the module gives it: what its own earlier
            hours look like before there is one.
    """

    build: Callable[[Inputs | RangeInputs], DataFrame]
    schema: str | None


def load_logic(logic: Logic) -> PythonLogic:
    """Run the module's text, as the contract was read, and return what it defines.

    Its imports see the project and the installed packages, not its own folder.

    Raises:
        LogicError: it raises while it is loaded.
    """
    name = f"{_NAMESPACE}.{logic.file.parent.name}.{logic.file.stem}"
    module = ModuleType(name)
    module.__file__ = str(logic.file)
    # Dataclasses look their module up while they are made.
    sys.modules[name] = module
    try:
        exec(compile(logic.text, str(logic.file), "exec"), module.__dict__)  # noqa: S102
    except Exception as error:
        # Somebody else's code: whatever it raises, it cannot be used.
        raise LogicError(
            f"it cannot be loaded ({type(error).__name__}: {error}).",
            subject=str(logic.file),
            remedy="Correct it; nothing was built.",
        ) from error
    schema = getattr(module, SCHEMA, None)
    return PythonLogic(getattr(module, BUILD), schema if isinstance(schema, str) else None)


def run_logic(
    python: PythonLogic,
    inputs: Inputs | RangeInputs,
    derived_table: DerivedTable,
    hours: Collection[datetime],
) -> DataFrame:
    """Return what a table's logic makes of the inputs of some hours.

    Raises:
        LogicError: the logic raises.
        pyspark.errors.PySparkException: Spark does, for what the logic asks of it.
    """
    try:
        return python.build(inputs)
    except PySparkException:
        raise
    except Exception as error:
        # Somebody else's code: whatever it raises, the hours cannot be computed.
        raise LogicError(
            f"it raised {type(error).__name__}: {error}.",
            subject=f"{derived_table.name} {hours_named(hours)}",
            remedy=f"Correct {derived_table.logic.file}; main is as it was.",
        ) from error
