"""Names that settings have, and bounds that they keep. Loads nothing."""

from __future__ import annotations

CONFIG_FILE = "headwater.toml"
CELL_FILE = "cell.json"
PREFIX = "HEADWATER_"
NESTED = "__"
"""Between a table and what it holds, in the name of a variable."""

HOME, CONFIG, FAILPOINT = f"{PREFIX}HOME", f"{PREFIX}CONFIG", f"{PREFIX}FAILPOINT"
OF_VARIABLES = (HOME, CONFIG, FAILPOINT, f"{PREFIX}STACK")
"""Variables that say what no file can."""
FLAT = {
    f"{PREFIX}CONTRACTS": ("contracts",),
    f"{PREFIX}CACHE": ("cache",),
    f"{PREFIX}INGEST_MEMORY_MB": ("ingest", "memory_mb"),
    f"{PREFIX}DATA_DOCS": ("data_docs", "url"),
}
"""Variables of before there were tables, and the setting that each is."""

SECTIONS = ("ingest", "dagster", "data_docs", "logging", "cells")
DOTTED = ("kafka", "schema_registry", "spark")
"""Tables of a cell whose settings have a client's own dotted names."""
OPTIONAL = ("s3", "catalog", "openlineage")
"""Tables of a cell that most cells have not."""
TABLES = (*DOTTED, *OPTIONAL)
"""Tables of a cell whose settings may refer to secrets."""
JOINED = {"s3": "_", "catalog": "-", "openlineage": "_"}
"""What stands between words of a setting's name, for `_` in a variable's; of other tables it is a dot."""
REFERRING = ("catalog_uri", "state_uri", "storage_uri")
"""Settings beside those tables that may refer to a secret: a cell's, and Dagster's."""

MIN_INGEST_MEMORY_MB = 64
"""Below it, micro-batches become too small to be worth their commits."""
