"""Where things that take minutes to make are kept, once per user."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def user_cache() -> Path:
    """Return the per-user cache folder of the project (``$XDG_CACHE_HOME/rrm`` or ``~/.cache/rrm``)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rrm"


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the one lock of a cache folder, so that two callers never make the same thing twice."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
