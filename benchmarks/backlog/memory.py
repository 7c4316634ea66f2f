"""The resident size of a process, watched from outside."""

from __future__ import annotations

from pathlib import Path

import psutil

MB = 1_048_576


def resident_mb(process: psutil.Process) -> float:
    """Return the resident size now, 0 of a process that has ended."""
    try:
        return float(process.memory_info().rss) / MB
    except psutil.NoSuchProcess:
        return 0.0


def peak_mb(process: psutil.Process) -> float | None:
    """Return the largest resident size so far as the kernel has noted it; None where it does not."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return None
    marks = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(marks[0]) / 1024 if marks else None
