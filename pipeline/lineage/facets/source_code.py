"""Where a contract's source code is, if its folder is in a git checkout that has a remote."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from openlineage.client.facet_v2 import JobFacet, source_code_location_job

_OF_SSH = re.compile(r"^(?:[^@/:]+@)?([^/:]+):(?!//)(.+)$")
"""git's short form: me@host:path."""
_LOGIN = re.compile(r"^(\w+://)[^/@]*@")


def source_location(folder: Path) -> dict[str, JobFacet]:
    """Return the facet `sourceCodeLocation` of a contract's folder; nothing where it is not known.

    Reads git's files and runs no git. What is not committed is not told apart. A login in the remote's
    address is left out.
    """
    try:
        found = _location(folder.resolve())
    except (OSError, ValueError, configparser.Error):
        # Half written, or not git's.
        return {}
    return {} if found is None else {"sourceCodeLocation": found}


def repository_address(remote: str) -> str:
    """Return a remote's address as a URL, without a login."""
    short = _OF_SSH.match(remote)
    url = f"ssh://{short[1]}/{short[2]}" if short and "://" not in remote else remote
    return _LOGIN.sub(r"\1", url)


def _location(folder: Path) -> JobFacet | None:
    root = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)
    if root is None:
        return None
    own = _git_folder(root)
    commons = own / "commondir"
    common = (own / commons.read_text().strip()).resolve() if commons.exists() else own
    config = configparser.RawConfigParser(strict=False)
    config.read(common / "config")
    remote = config.get('remote "origin"', "url", fallback=None)
    if remote is None or "://" not in (url := repository_address(remote)):
        return None
    head = (own / "HEAD").read_text().strip()
    reference = head.removeprefix("ref: ") if head.startswith("ref: ") else None
    path = folder.relative_to(root).as_posix()
    return source_code_location_job.SourceCodeLocationJobFacet(
        type="git",
        url=f"{url.removesuffix('.git')}/{path}",
        repoUrl=url,
        path=path,
        version=head if reference is None else _commit(common, reference),
        branch=None if reference is None else reference.removeprefix("refs/heads/"),
    )


def _git_folder(root: Path) -> Path:
    """Return the folder that has the checkout's HEAD: elsewhere, for a further working tree."""
    git = root / ".git"
    return git if git.is_dir() else (root / git.read_text().strip().removeprefix("gitdir: "))


def _commit(common: Path, reference: str) -> str | None:
    loose = common / reference
    if loose.exists():
        return loose.read_text().strip()
    packed = common / "packed-refs"
    if not packed.exists():
        return None
    for line in packed.read_text().splitlines():
        commit, _, name = line.partition(" ")
        if name == reference:
            return commit
    return None
