"""What the fork server does once, so that no attempt it forks has to do it again.

Importing this module is doing it. Only what leaves no thread behind may be done here: a fork has one
thread, and would wait for the others for ever. Machine code that the engine keeps on disk is made by
the first ingest on a machine, not here.
"""

from __future__ import annotations

import importlib

import numba
import numpy as np

USED = (
    "pytest",
    "tests.support.attempts",
    "tests.support.upkeep",
    # Imported only when first used.
    "hypothesis.strategies",
    "pandera.backends.polars.register",
    "pyarrow.acero",
    "pyiceberg.avro.decoder_fast",
    "pyiceberg_core",
    "sqlalchemy.dialects.sqlite",
)

for _name in USED:
    importlib.import_module(_name)

# The compiler learns its types when it is first asked for anything, which takes a second.
numba.njit(lambda values: values[0])(np.zeros(1, np.int64))
