"""Which module holds what Headwater uses of a library's private parts, and saying so when it has changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

MODULES = {
    "dagster": "assets/dagster_private/",
    "kafka": "pipeline/kafka/kafka_python_private.py",
    "pyiceberg": "pipeline/tables/pyiceberg_private.py",
}
DISTRIBUTIONS = {"kafka": "kafka-python"}


@contextmanager
def parts_of(library: str) -> Iterator[None]:
    """Say which module to look at when what the block tries does not hold."""
    try:
        yield
    except Exception as error:
        distribution = DISTRIBUTIONS.get(library, library)
        raise AssertionError(
            f"{distribution} {version(distribution)} has changed what {MODULES[library]} uses of it: "
            f"{type(error).__name__}: {error}"
        ) from error
