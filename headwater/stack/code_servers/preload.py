"""Importing what runs need, for all of them at once; for the process that they are forked from.

Reads no contract, opens no connection, starts no thread but those that native libraries keep for themselves.
"""

from __future__ import annotations

import gc
from importlib import import_module
from importlib.util import find_spec

MODULES = (
    "assets.definitions",
    "headwater.build",
    "pipeline.ingest.run",
    "pipeline.maintenance.run",
)

OF_EXTRAS = ("dagster_postgres",)

for module in (*MODULES, *(one for one in OF_EXTRAS if find_spec(one) is not None)):
    import_module(module)
# So that collecting garbage in a run does not write to pages that all share.
gc.freeze()
