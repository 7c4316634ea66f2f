"""What the fork server does once, so that no attempt it forks has to do it again.

Importing this module is doing it. Only what leaves no thread behind may be done here: a fork has one
thread, and would wait for the others for ever.
"""

from __future__ import annotations

import importlib

USED = (
    "pytest",
    "tests.support.attempts",
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
