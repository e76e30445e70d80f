"""Reads the mounted folder of Ray token keys: when the operator starts, and then now and again.

A mounted Secret changes in place, so a key is added or retired without a restart.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rrm_operator.errors import OperatorError
from rrm_operator.keys import RayKeys

MIN_BYTES: Final = 16
"""Tokens made with a shorter key could be guessed."""
CURRENT: Final = "current"
"""File that names the key to use, while an old one is still there for RayClusters that run with it."""

_log = logging.getLogger(__name__)


class KeysMissing(OperatorError):
    """There is no usable key: the operator cannot start."""


class KeyFolder:
    """The keys of a folder as they are now.

    Attributes:
        keys: What was read last that could be used.
    """

    def __init__(self, folder: Path, *, namespace: str) -> None:
        """Read the folder.

        Raises:
            KeysMissing: As `read_keys`.
        """
        self._folder = folder
        self._namespace = namespace
        self._complaint = ""
        self.keys = read_keys(folder, namespace=namespace)

    def reread(self) -> bool:
        """Read the folder again; return whether there are other keys now.

        A folder that cannot be used, such as one that is being written, is told of once and changes nothing.
        """
        try:
            found = read_keys(self._folder, namespace=self._namespace)
            self.keys.check_successor(found)
        except (KeysMissing, ValueError, OSError) as error:
            self._complain(str(error))
            return False
        self._complaint = ""
        changed = found != self.keys
        self.keys = found
        return changed

    async def watch(self, seconds: float, changed: Callable[[RayKeys], None]) -> None:
        """Read the folder so often, for ever; hand on keys that are other than before."""
        while True:
            await asyncio.sleep(seconds)
            if self.reread():
                _log.info("keys changed", extra={"newest": self.keys.newest, "keys": len(self.keys)})
                changed(self.keys)

    def _complain(self, words: str) -> None:
        if words != self._complaint:
            _log.error("the keys in use stay: %s", words)
        self._complaint = words


def read_keys(folder: Path, *, namespace: str) -> RayKeys:
    """Return the keys of a folder: file name = fingerprint, content = key.

    Raises:
        KeysMissing: If there is none, one that is too short, or several and no file `current` that says
            which to use.
    """
    # A mounted Secret also holds links that begin with two dots.
    files = sorted(it for it in folder.glob("*") if it.is_file() and not it.name.startswith("."))
    keys = {it.name: it.read_bytes() for it in files if it.name != CURRENT}
    command = (
        f"  kubectl --namespace {namespace} create secret generic rrm-ray-keys "
        '--from-literal=k1="$(openssl rand -hex 32)"\n'
        "and let the chart value keys.secretName name that Secret"
    )
    if not keys:
        raise KeysMissing(
            f"expected a key for Ray's tokens in {folder}, found none; make one with\n{command}"
        )
    for name, key in keys.items():
        if len(key.strip()) < MIN_BYTES:
            raise KeysMissing(
                f"expected a key of at least {MIN_BYTES} bytes in {folder / name}, found {len(key.strip())}; "
                f"replace it; a new Secret is made with\n{command}"
            )
    newest = _chosen(folder / CURRENT) or (next(iter(keys)) if len(keys) == 1 else "")
    try:
        return RayKeys(keys, newest)
    except ValueError as error:
        raise KeysMissing(
            f"{folder}: {error}; with several keys the file {CURRENT!r} holds the name of the one to use"
        ) from error


def _chosen(file: Path) -> str:
    return file.read_text().strip() if file.is_file() else ""
