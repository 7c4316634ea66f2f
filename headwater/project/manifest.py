"""What a project was made of: the version of Headwater, and a digest of each file as it was written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import TerminalError
from pipeline.files import write_atomically

NAME = Path(".headwater-template.json")
"""In the project's folder, and in git: what `headwater upgrade` tells changed files by."""
_PIN = re.compile(r"(\bheadwater(?:\[[^\]]*\])?\s*[~=]=\s*)([0-9][\w.]*)")
"""Where a project says which version it is written for."""


class ManifestUnreadableError(TerminalError):
    """What a project was made of cannot be read."""


@dataclass(frozen=True)
class Manifest:
    """What was written of a project.

    Attributes:
        version: of Headwater; empty where nobody knows.
        digests: by path in the project's folder, of the text without the version that it is pinned to.
    """

    version: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)


def read_manifest(folder: Path) -> Manifest:
    """Return what is known of a project; nothing of one that was made before there were manifests.

    Raises:
        ManifestUnreadableError: the file is there and is none.
    """
    try:
        document = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return Manifest(str(document["version"]), dict(document["files"]))
    except FileNotFoundError:
        return Manifest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ManifestUnreadableError(
            f"it cannot be read ({error}).",
            subject=str(folder / NAME),
            remedy="Take it from git, or remove it: then every file counts as changed.",
        ) from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write what a project is made of."""
    document = {"version": manifest.version, "files": dict(sorted(manifest.digests.items()))}
    write_atomically(folder / NAME, json.dumps(document, indent=2) + "\n")


def digest(text: str) -> str:
    """Return the digest of a file's text, whatever version it is pinned to."""
    return hashlib.sha256(pinned(text, "").encode()).hexdigest()


def pinned(text: str, version: str) -> str:
    """Return `text` with the version of Headwater that it names replaced."""
    return _PIN.sub(lambda found: f"{found[1]}{version}", text)
