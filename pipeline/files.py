"""Files that are whole or absent, whatever is killed when."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipeline.disk import naming_full_disk


def code_cache(package: Path) -> Path:
    """Return the folder for what is made of a package's code: its `__pycache__`, or one of the user's.

    The latter where the package cannot be written. What lies there can be made again.
    """
    if os.access(package, os.W_OK):
        return package / "__pycache__"
    return Path.home() / ".cache" / "headwater"


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` with `text`: readers see the old content or the new, never a part.

    Durable once it returns (the content is synced before the rename).

    Raises:
        DiskFullError: there is no room; `path` is as it was.
    """
    with replacing(path) as file:
        file.write(text.encode())


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a file whose content replaces `path` at the end: readers see the old or the new, never a part.

    Durable once it has ended (the content is synced before the rename). If the block raises, `path` stays
    as it was; only a process that is killed leaves a hidden file `.<name>.<thread id>.tmp` beside it.

    Raises:
        DiskFullError: there is no room; `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")
    try:
        with naming_full_disk(path):
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
