"""Logs of Dagster's processes as plain text: they go to files, where colours are noise."""

from __future__ import annotations

import logging
from typing import Any, Literal

import coloredlogs


class _PlainFormatter(logging.Formatter):
    """Takes what a formatter with colours takes."""

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        **_styles: Any,
    ) -> None:
        super().__init__(fmt, datefmt, style)


def plain_logs() -> None:
    """Have this process, and those that it forks, log without colours from now on."""
    # Of Dagster's formats, `colored` is the only one for text that does not break lines, whoever reads.
    coloredlogs.ColoredFormatter = _PlainFormatter
