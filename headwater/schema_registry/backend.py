"""The registry behind the service: which calls write it, and how each is answered from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool

from headwater.schema_registry import setting, writing
from headwater.schema_registry.call import Call
from headwater.schema_registry.errors import as_api_error
from pipeline.errors import HeadwaterError
from pipeline.schemas.group_commit import GroupCommit
from pipeline.schemas.registry import RegistryUnavailableError
from pipeline.schemas.sqlite import SqliteRegistry
from pipeline.schemas.sqlite_file import Connections, SqliteFile
from pipeline.schemas.subjects import Subjects

Answer = Callable[[Subjects, Call], Any]

WRITES: frozenset[Answer] = frozenset(
    (
        writing.register,
        writing.delete_subject,
        writing.delete_version,
        setting.set_level,
        setting.delete_level,
        setting.set_mode,
        setting.delete_mode,
    )
)
"""What is answered within a transaction, whole or not at all."""


class Backend:
    """A registry that is opened by the first call that needs it.

    What cannot be opened is tried again by the next call.
    """

    def __init__(self, open_registry: Callable[[], SqliteRegistry]) -> None:
        self._open = open_registry
        self._file: SqliteFile | None = None
        self._writer = GroupCommit(self._opened)

    async def answer(self, answer: Answer, call: Call) -> Any:
        """Return the answer of a call; what it wrote is on disk, and reads wait for nobody who writes.

        Raises:
            ApiError: it is answered with an error.
        """

        def from_file(file: Connections) -> Any:
            return answer(Subjects(file), call)

        try:
            if answer in WRITES:
                return await asyncio.wrap_future(self._writer.submit(from_file))
            return await run_in_threadpool(lambda: from_file(self._opened()))
        except HeadwaterError as error:
            if isinstance(error, RegistryUnavailableError):
                self._file = None
            raise as_api_error(error) from error

    def _opened(self) -> SqliteFile:
        file = self._file
        if file is None:
            file = self._file = self._open().file
        return file
