"""Daemons of the cluster that stand still for a while, and what is done to them again and again."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rrm_test_cluster import Cluster
from rrm_test_cluster.state import State


@contextmanager
def stopped(cluster: Cluster, daemon: str) -> Iterator[None]:
    """Hold a daemon of the cluster still, as a machine does that swaps."""
    (process,) = [it for name, it in State.load(cluster.folder).daemons if name == daemon]
    process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send(signal.SIGCONT)


@contextmanager
def jerking(cluster: Cluster, daemon: str) -> Iterator[None]:
    """Let a daemon work for only a part of the time."""

    def pause() -> None:
        with stopped(cluster, daemon):
            time.sleep(0.9)

    with every(0.3, pause):
        yield


@contextmanager
def every(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Do something again and again, so long apart, while the block runs."""
    ending = threading.Event()

    def run() -> None:
        while not ending.wait(seconds):
            act()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(timeout=30)
