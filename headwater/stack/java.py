"""Finding Java."""

from __future__ import annotations

import shutil

from pipeline.errors import TerminalError
from pipeline.settings import load_settings


class JavaMissingError(TerminalError):
    """There is no Java to run Kafka and Spark with."""


def java_command() -> list[str]:
    """Return the start of a command line that runs Java.

    Raises:
        JavaMissingError: neither JAVA_HOME nor the PATH has one.
    """
    home = load_settings().java_home
    java = shutil.which("java", path=str(home / "bin")) if home else shutil.which("java")
    if java is None:
        raise JavaMissingError(
            f"not found in {home / 'bin' if home else 'the PATH'}.",
            subject="java",
            remedy="Install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless; "
            "macOS: brew install openjdk@17), or point JAVA_HOME at one.",
        )
    return [java]
