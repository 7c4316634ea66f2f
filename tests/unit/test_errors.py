"""Named errors: each has a name of its own, and goes from process to process with all it carries."""

from __future__ import annotations

import copy
import importlib
import pickle
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.avro.compatibility import Incompatibility, IncompatibleSchemaError
from pipeline.contract.source.mistakes import ContractError, Mistake
from pipeline.errors import HeadwaterError
from pipeline.evolution.apply import EvolutionRefusedError
from pipeline.evolution.model import Action, Step, Verdict
from pipeline.ingest.failures.failed_batch import BatchFailedError
from pipeline.ingest.model import Range
from pipeline.settings import PROJECT

PACKAGES = ("headwater", "assets", "resources", "quality", "pipeline")
STEP = Step("us.orders", Action.CHANGE_TYPE, "amount", "long -> int", Verdict.REFUSED, "no")
OWN: dict[type[HeadwaterError], Callable[[], HeadwaterError]] = {
    ContractError: lambda: ContractError("orders", [Mistake(Path("a.yaml"), 3, "key", "a key")]),
    EvolutionRefusedError: lambda: EvolutionRefusedError("orders/us", [STEP]),
    BatchFailedError: lambda: BatchFailedError(KeyError(1), (Range(0, 5, 9),), "orders", "us"),
    IncompatibleSchemaError: lambda: IncompatibleSchemaError(
        "orders-value", {1: [Incompatibility("amount", "no default")]}
    ),
}
"""How to make those that are not made of `what`, `subject` and `remedy`."""


def errors() -> Iterator[type[HeadwaterError]]:
    """Yield every class of named errors, found in the text of the code."""
    for file in (file for package in PACKAGES for file in (PROJECT / package).rglob("*.py")):
        if found := re.findall(r"^class (\w+)\(.*Error\b.*\):", file.read_text(), re.MULTILINE):
            name = ".".join(file.relative_to(PROJECT).with_suffix("").parts)
            module = importlib.import_module(name)
            kinds = [getattr(module, one) for one in found]
            yield from (one for one in kinds if issubclass(one, HeadwaterError))


def made(kind: type[HeadwaterError]) -> HeadwaterError:
    if kind.__init__ is HeadwaterError.__init__:
        return kind("it broke.", subject="orders/us", remedy="Mend it.")
    return OWN[kind]()


ERRORS = tuple(errors())


def test_a_name_stands_for_one_error() -> None:
    names = Counter(kind.__name__ for kind in ERRORS)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_is_the_same_when_pickled_and_copied(kind: type[HeadwaterError]) -> None:
    error = made(kind)
    error.add_note("beside partition 3")
    pickled = [
        pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - what this test wrote
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    for twin in (*pickled, copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is kind
        assert twin is not error
        assert (str(twin), twin.args, vars(twin)) == (str(error), error.args, vars(error))
