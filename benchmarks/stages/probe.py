"""Clocks around the stages of an ingest, put there from outside."""

from __future__ import annotations

import functools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

STAGES = (
    ("unpack", "pipeline.kafka.fetch", "parse_batches"),
    ("uncompress", "pipeline.kafka.record_batches", "BatchSlice.records"),
    ("frame records", "pipeline.ingest.read.source", "frame"),
    ("decode Avro", "pipeline.avro.decoding.columns", "ColumnReader.read"),
    ("build rows", "pipeline.ingest.transform.decode", "Decoder.decode"),
    ("enrich", "pipeline.ingest.transform.enrich", "Enricher.enrich"),
    ("gate", "pipeline.ingest.transform.process", "gate"),
    ("read uuids", "pipeline.ingest.dedup.deduplicate", "uuid_words"),
    ("de-duplicate", "pipeline.ingest.dedup.deduplicate", "Deduplicator.split"),
    ("business rules", "pipeline.ingest.transform.process", "broken_rules"),
    ("order by key", "pipeline.ingest.transform.gates.key_order", "KeyOrder.watch"),
    ("count", "pipeline.ingest.transform.process", "Processor.process"),
    ("sort", "pipeline.ingest.commit.rows_writer", "write_hours"),
    ("write Parquet", "pipeline.tables.data_files.write", "_write"),
    ("commit", "pipeline.ingest.commit.committer", "commit"),
    ("load and plan", "pipeline.ingest.session", "Session.plan"),
)
"""(name, module, function or method there), in the order of the data; each without those within it."""


class Probe:
    """Processor time by stage, in nanoseconds, each stage without the stages called within it."""

    def __init__(self) -> None:
        self.ns: Counter[str] = Counter()
        self._here = threading.local()
        self._lock = threading.Lock()

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function` with a clock around it."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            within: list[int] = getattr(self._here, "within", [])
            self._here.within = within
            within.append(0)
            began = time.thread_time_ns()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.thread_time_ns() - began
                with self._lock:
                    self.ns[name] += took - within.pop()
                if within:
                    within[-1] += took

        return call


@contextmanager
def probing(probe: Probe) -> Iterator[None]:
    """Put `probe`'s clocks around all `STAGES`, and take them away at the end."""
    undo = []
    try:
        for name, module, path in STAGES:
            holder: Any = import_module(module)
            *classes, last = path.split(".")
            for each in classes:
                holder = getattr(holder, each)
            original = getattr(holder, last)
            undo.append((holder, last, original))
            setattr(holder, last, probe.timed(name, original))
        yield
    finally:
        for holder, last, original in reversed(undo):
            setattr(holder, last, original)
