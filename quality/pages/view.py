"""Pages of the Data Docs, with templates that are compiled once a process."""

from __future__ import annotations

from typing import Any

from great_expectations.render.view.view import DefaultJinjaPageView
from jinja2.bccache import Bucket, BytecodeCache


class _Compiled(BytecodeCache):
    """Compiled templates in memory, by name; Jinja compiles one anew whose source is another."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


class PageView(DefaultJinjaPageView):
    """Great Expectations' own page, which compiles its templates for each site that it opens."""

    def __init__(self, **folders: Any) -> None:
        super().__init__(**folders)
        self.env.bytecode_cache = _COMPILED
