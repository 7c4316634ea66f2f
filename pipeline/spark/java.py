"""The JVM of a session: its arguments, which everybody on the machine can see, have no secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pipeline.config.secret_text import AddressText, SecretText, marked_all
from pipeline.spark.pyspark_private import ensure_java
from pipeline.spark.settings import JARS, REMOTE

_OF_THE_JVM = ("spark.driver.", JARS)
"""What a JVM is started with; nothing but arguments can tell it."""


def start_java(config: Mapping[str, str]) -> None:
    """Start the JVM for a session of these settings, unless there is one, or the session is a server's.

    Secrets are left out: whoever builds the session gives them to the JVM that runs, over its own connection.

    Raises:
        pyspark.errors.PySparkException: it did not start.
    """
    if REMOTE not in config:
        # Comet's native code logs by itself, to standard error, as its environment says.
        os.environ.setdefault("COMET_LOG_LEVEL", config.get("spark.log.level", "ERROR").lower())
        ensure_java({k: v for k, v in marked_all(config).items() if not _is_hidden(k, v)})


def _is_hidden(name: str, value: object) -> bool:
    return isinstance(value, SecretText | AddressText) and not name.startswith(_OF_THE_JVM)
