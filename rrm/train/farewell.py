"""`python -m rrm.train.farewell`: what a Ray pod does before it goes (its preStop): save, then end Ray.

It asks the attempt that runs to save, waits for that as long as there is hope, and at last ends Ray in
the pod: told to end, `ray start` may stay, and would hold the GPUs, for the whole grace time. When
nothing runs it only does the last, at once. It needs no API server, as ConfigMap and Role may have gone
first, and imports the standard library alone: a pod that dies has no time for more.

    deleted ---> an attempt runs? --no-----------------------------+--> end Ray ---> the container exits
                      | yes                                        |
                      +--> stop-<n> --> finished-<n>,              |
                                        or no sign of life, -------+
                                        or the grace is over
"""

import argparse
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from rrm_api.layout import Layout, newest_attempt

BEAT_SECONDS: Final = 4.0
"""How often a parent rewrites its sign of life."""
QUIET_SECONDS: Final = 15.0
"""Without a sign of life for so long, nobody is left who could save."""
SKEW_SECONDS: Final = 60.0
"""How much the clock of the node that wrote the sign may differ from ours."""
LOOK_SECONDS: Final = 0.5
_RAY_PATHS: Final = ("/ray/core/", "/ray/_private/", "/ray/dashboard/", "/ray/autoscaler/", "ray.util.client")
_RAY_PROGRAMS: Final = ("raylet", "gcs_server")


def main(argv: list[str] | None = None) -> int:
    """Say farewell, end Ray whatever comes of that, and return 0."""
    parser = argparse.ArgumentParser(prog="python -m rrm.train.farewell", description=__doc__)
    parser.add_argument("--volume", type=Path, required=True)
    parser.add_argument("--training", required=True)
    parser.add_argument("--grace", type=float, required=True, help="seconds to save in; 0 = do not save")
    arguments = parser.parse_args(argv)
    try:
        say(wait_for_save(Layout(arguments.volume, arguments.training), arguments.grace))
    finally:
        say(f"ended {end_ray()} processes of Ray")
    return 0


def say(text: str) -> None:
    """Say something to whoever runs the hook by hand: the kubelet shows it only if the hook fails."""
    sys.stderr.write(f"{text}\n")


def wait_for_save(
    layout: Layout,
    grace_seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Ask the attempt that runs to save and leave, and wait for its end; returns in words what came of it."""
    if grace_seconds <= 0:
        return "not saving, as there is no time for it"
    number = newest_attempt(layout)
    if not is_running(layout, number, clock=clock, sleep=sleep):
        return "no attempt is running"
    mark = layout.stop_mark(number)
    try:
        mark.write_text(f"{socket.gethostname()} goes away\n")
    except OSError as error:
        return f"attempt {number} cannot be asked to save: {error}"
    sign = last_sign(layout, number)
    begin = seen = clock()
    while clock() - begin < grace_seconds:
        if is_finished(layout, number):
            return f"attempt {number} has ended after {clock() - begin:.0f} s"
        newest = last_sign(layout, number)
        if newest is not None and newest != sign:
            sign, seen = newest, clock()
        if clock() - seen > QUIET_SECONDS:
            return f"attempt {number} gave no sign of life for {QUIET_SECONDS:.0f} s"
        sleep(LOOK_SECONDS)
    return f"attempt {number} did not end within {grace_seconds:.0f} s"


def is_running(
    layout: Layout,
    number: int,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    wall_clock: Callable[[], float] = time.time,
) -> bool:
    """Tell whether an attempt runs: its sign of life is fresh, and it has not said that it ended.

    A sign that is stale only by what two clocks may differ is watched for two beats.
    """
    sign = last_sign(layout, number)
    if sign is None or is_finished(layout, number):
        return False
    age = wall_clock() - sign
    if abs(age) < QUIET_SECONDS:
        return True
    end = clock() + 2 * BEAT_SECONDS
    while abs(age) < QUIET_SECONDS + SKEW_SECONDS and clock() < end:
        sleep(LOOK_SECONDS)
        if last_sign(layout, number) != sign:
            return not is_finished(layout, number)
    return False


def is_finished(layout: Layout, number: int) -> bool:
    """Tell whether an attempt has said that it ended; a volume that is away says nothing."""
    try:
        return layout.finished_mark(number).exists()
    except OSError:
        return False


def last_sign(layout: Layout, number: int) -> float | None:
    """Return when an attempt last gave a sign of life, by the clock of the volume; None = it never did."""
    try:
        # Opened, as a volume on the network then asks its server instead of remembering an older time.
        with layout.alive(number).open("rb") as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:
        return None


def end_ray(processes: Path = Path("/proc")) -> int:
    """Kill Ray's processes that are seen from here, those of the whole pod, and return how many.

    By SIGKILL, as `ray stop --force` does, and `ray start` too: told to end, it first looks for the GCS that
    has just been killed, for as long as a lost one may take to come back (15 s), and was seen to stay for the
    whole grace. Where it is PID 1 the kernel keeps it from this; then it ends of the death of its children.
    """
    ended = 0
    for pid in ray_processes(processes):
        try:
            os.kill(pid, signal.SIGKILL)
            ended += 1
        except (ProcessLookupError, PermissionError):
            continue
    return ended


def ray_processes(processes: Path) -> Iterator[int]:
    """Give the ids of Ray's processes: first the raylet, which makes new ones, and `ray start` last."""
    found = []
    for folder in processes.glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has just ended, or is another user's
            continue
        program = words[0].rpartition("/")[2]
        is_title = words[0].startswith("ray::") or program in _RAY_PROGRAMS
        is_start = "start" in words[:4] and any(word.rpartition("/")[2] == "ray" for word in words[:3])
        if is_title or is_start or any(path in word for word in words[:4] for path in _RAY_PATHS):
            found.append((is_start, program != "raylet", int(folder.name)))
    own = os.getpid()
    yield from (pid for *_, pid in sorted(found) if pid != own)


if __name__ == "__main__":
    sys.exit(main())
