"""A real nginx for tests: the machine's, or Debian's, unpacked beside the jars without being installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.settings import load_settings

_PLACES = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
_CONFIGURATION = """\
{user}daemon off;
pid {root}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {root}/body;
  proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi;
  scgi_temp_path {root}/scgi;
{site}
}}
"""


@contextmanager
def serving(root: Path, site: str) -> Iterator[None]:
    """Run nginx with `site` in its `http`, everything of its own below `root`, and end it."""
    configuration = root / "nginx.conf"
    # As root it would work as another, who may not read what pytest makes.
    user = "" if os.geteuid() else "user root root;\n"
    configuration.write_text(_CONFIGURATION.format(user=user, root=root, site=site))
    command = [str(_nginx()), "-p", str(root), "-c", str(configuration), "-e", "stderr"]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    with (root / "nginx.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _nginx() -> Path:
    found = shutil.which("nginx") or shutil.which("nginx", path=_PLACES)
    if found is not None:
        return Path(found)
    cache = load_settings().cache
    cache.mkdir(parents=True, exist_ok=True)
    unpacked = cache / "nginx"
    with FileLock(cache / "nginx.lock"):
        if not unpacked.exists():
            _unpack(unpacked)
    return unpacked / "usr" / "sbin" / "nginx"


def _unpack(target: Path) -> None:
    # Not installed: that would start a server on this machine's port 80.
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        for command in (["apt-get", "download", "-qq", "nginx"], ["apt-get", "update", "-qq"]) * 2:
            if [*Path(folder).glob("*.deb")]:
                break
            subprocess.run(command, cwd=folder, capture_output=True, check=False)
        packages = [*Path(folder).glob("*.deb")]
        if not packages:
            pytest.fail("there is no nginx, and apt has none: install it", pytrace=False)
        subprocess.run(["dpkg-deb", "-x", str(packages[0]), f"{folder}/unpacked"], check=True)
        Path(folder, "unpacked").rename(target)
