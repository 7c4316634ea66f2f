"""Folders of this machine: whether files can be written there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pipeline.disk import naming_full_disk
from pipeline.errors import TerminalError

ROOM = 1024 * 1024
"""As many bytes must find room."""


class FolderUnusableError(TerminalError):
    """A folder cannot be listed or written to, or is none."""


def try_folder(folder: Path, setting: str) -> str:
    """Write a file of `ROOM` bytes in `folder` and remove it; in the nearest above where there is none yet.

    Returns how it is well. `setting` is what names the folder.

    Raises:
        FolderUnusableError: it cannot be listed or written to.
        DiskFullError: its disk is full.
    """
    there = folder
    while not os.path.lexists(there):
        there = there.parent
    try:
        with naming_full_disk(there, str(folder)):
            next(there.iterdir(), None)
            with tempfile.TemporaryFile(dir=there, prefix=".headwater-doctor-") as file:
                file.write(bytes(ROOM))
                file.flush()
                os.fsync(file.fileno())
    except NotADirectoryError:
        raise _unusable(folder, f"{there} is no folder", setting) from None
    except OSError as error:
        verb = "listed" if not os.access(there, os.R_OK) else "written to"
        what = f"{there} cannot be {verb} ({error.strerror})"
        raise _unusable(folder, what, setting) from error
    return "it can be written to." if there == folder else "it is made once it is needed."


def _unusable(folder: Path, what: str, setting: str) -> FolderUnusableError:
    return FolderUnusableError(
        f"{what}.",
        subject=str(folder),
        remedy=f"Let this user write there, or correct `{setting}` in the cell's settings.",
    )
