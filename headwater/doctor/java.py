"""Spark's Java."""

from __future__ import annotations

import importlib.util
import re
import subprocess

from headwater.doctor.model import Finding, Setup, well
from headwater.stack.java import JavaMissingError, java_command
from pipeline.spark.settings import REMOTE

JAVA = "java"
_LEAST = 17
_VERSION = re.compile(r'version "(\d+)')


def ask(setup: Setup) -> tuple[Finding, ...]:
    """Start Java to tell its version, where this machine runs Spark."""
    if REMOTE in setup.cell.spark or importlib.util.find_spec("pyspark") is None:
        return (well(JAVA, f"cell {setup.cell.name}", "no Spark is run here."),)
    (java,) = java_command()
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
        match = _VERSION.search(told.stderr)
    except (OSError, subprocess.CalledProcessError):
        match = None
    version = int(match[1]) if match else 0
    if version < _LEAST:
        raise JavaMissingError(
            f"it is Java {version}." if version else "it does not tell its version.",
            subject=java,
            remedy=f"Point JAVA_HOME at Java {_LEAST} or newer.",
        )
    return (well(JAVA, java, f"Java {version}."),)
