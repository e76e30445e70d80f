"""promtool, which tries alerting rules on made-up series: the one on PATH, or Debian's.

Debian's package is unpacked into the user's cache and not installed: installed, it starts a Prometheus.
"""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rrm_test_cluster.errors import CommandFailed
from rrm_test_cluster.tools import ToolsUnavailable
from rrm_test_cluster.user_cache import exclusive, user_cache

_PACKAGE: Final = "prometheus"
_NAME: Final = "promtool"


def promtool() -> Path:
    """Return the path of a promtool that runs.

    Raises:
        ToolsUnavailable: There is none on PATH, and this is no Debian whose packages can be fetched.
    """
    if (installed := shutil.which(_NAME)) is not None:
        return Path(installed)
    folder = user_cache() / _NAME
    with exclusive(folder):
        if not (kept := folder / _NAME).exists():
            try:
                _unpack(kept)
            except (CommandFailed, FileNotFoundError) as error:
                raise ToolsUnavailable(f"no {_NAME} on PATH, and none of Debian's: {error}") from error
    return kept


def _unpack(target: Path) -> None:
    with TemporaryDirectory(dir=target.parent) as made:
        folder = Path(made)
        _run(["apt-get", "download", "-q", _PACKAGE], folder)
        (package,) = folder.glob("*.deb")
        _run(["dpkg-deb", "--extract", package.name, "."], folder)
        (folder / "usr" / "bin" / _NAME).replace(target)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(command, done.returncode, done.stdout, done.stderr)
