"""The version of what runs: the engine's source together with one product's contract."""

from __future__ import annotations

import hashlib
from pathlib import Path

ENGINE = Path(__file__).resolve().parent


def code_version(contract_folder: Path) -> str:
    """Return 12 hex digits that change with the engine's source or the contract's files.

    Reads the files as they are on disk now, which need not be what this process has loaded.
    """
    digest = hashlib.sha256()
    for root, pattern in ((ENGINE, "**/*.py"), (contract_folder, "**/*")):
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                digest.update(str(path.relative_to(root)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
