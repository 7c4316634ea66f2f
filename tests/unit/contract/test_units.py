from __future__ import annotations

import pytest

from pipeline.contract.settings.units import parse_duration_ms, parse_size


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("250ms", 250),
        ("10s", 10_000),
        ("1.5h", 5_400_000),
        ("72h", 259_200_000),
        ("7d", 604_800_000),
    ],
)
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration_ms(text) == milliseconds


@pytest.mark.parametrize(("text", "size"), [("1B", 1), ("512KB", 524_288), ("1MB", 1_048_576)])
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["10", "s", "-1s", "10 parsecs", "", 10, None])
def test_neither_duration_nor_size(text: object) -> None:
    with pytest.raises(ValueError, match="a duration such as"):
        parse_duration_ms(text)
    with pytest.raises(ValueError, match="a size such as"):
        parse_size(text)
