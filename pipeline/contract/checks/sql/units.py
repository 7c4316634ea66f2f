"""Units of time that Spark knows: words that are no columns."""

UNITS = frozenset(
    f"{one}{end}"
    for one in ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
    for end in ("", "s")
) | {"dayofyear", "millisecond", "milliseconds", "microsecond", "microseconds"}
