"""The command line that every benchmark has: its name, what it does, and examples."""

from __future__ import annotations

import argparse


def options_of(benchmark: str, description: str | None, examples: str) -> argparse.ArgumentParser:
    """Return the parser of `python -m benchmarks.<benchmark>`, without options of its own yet."""
    return argparse.ArgumentParser(
        prog=f"python -m benchmarks.{benchmark}",
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
