"""What must be on this machine before anything starts: binaries, packages, trainer environment, room."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rrm.trainer_env.errors import TrainerEnvironmentError
from rrm.trainer_env.locate import find_environment
from rrm_test_cluster.demo.errors import DemoError, NotHere
from rrm_test_cluster.demo.telling import Teller
from rrm_test_cluster.errors import Missing
from rrm_test_cluster.node_deps import install_node_deps
from rrm_test_cluster.tools import BUILDS, Tools, ToolsUnavailable, build_tools, find_tools
from rrm_test_cluster.user_cache import user_cache

_GIB = 2**30
NEEDED_MEMORY_GIB = 14
"""Worker pod 7, head and control plane 3, prepare and export 2, the rest of the machine."""
NEEDED_DISK_GIB = {"first": 25, "later": 4}
"""First: Go's build cache 4, its modules 3, packages 5, the environment 3.5, images and their archives."""


def make_ready(tell: Teller) -> Tools:
    """Make or install whatever is not here yet, one thing after the other, and return the binaries.

    Raises:
        NotHere: Room, rights or packages are missing and cannot be had from here.
        TrainerEnvironmentError: The trainer's environment could not be made.
    """
    check_room(is_first=not is_built())
    try:
        installed = install_node_deps()
    except Missing as missing:
        raise NotHere(missing.what) from missing
    if installed:
        tell(f"installed {' '.join(installed)}")
    # Never at the same time: the compiler and the trainer each want the whole machine.
    tools = build_tools(tell, BUILDS)
    make_trainer_environment(tell)
    return tools


def check_room(*, is_first: bool, more_gib: int = 0) -> None:
    """Ask for memory and disk before anything is started.

    Args:
        is_first: Whether the caches are still to be filled.
        more_gib: Disk that is needed beyond the demo's.

    Raises:
        NotHere: There is not enough.
    """
    missing = []
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB
    if memory < NEEDED_MEMORY_GIB:
        missing.append(f"memory: {NEEDED_MEMORY_GIB} GiB are needed, this machine has {memory:.0f} GiB")
    needed = NEEDED_DISK_GIB["first" if is_first else "later"] + more_gib
    for place in {_existing(user_cache()), Path.cwd()}:
        free = shutil.disk_usage(place).free / _GIB
        if free < needed:
            missing.append(f"disk: {needed} GiB are needed below {place}, {free:.0f} GiB are free")
    if missing:
        raise NotHere(tuple(missing))


def make_trainer_environment(tell: Teller, profile: str = "cpu") -> Path:
    """Make an environment of the trainer unless it is there, and return its folder.

    Raises:
        DemoError: It could not be made; the reason is above it in the output.
    """
    try:
        return find_environment(profile).root
    except TrainerEnvironmentError:
        with tell.step(f"the trainer's environment {profile}: torch, verl, Ray (about 3 min once)"):
            done = subprocess.run(
                [sys.executable, "-m", "rrm.trainer_env", "--profile", profile], check=False
            )
    if done.returncode != 0:
        raise DemoError(f"`make trainer-env PROFILE={profile}` ended with exit code {done.returncode}")
    return find_environment(profile).root


def is_built() -> bool:
    """Return whether the caches hold what takes minutes to make."""
    try:
        find_tools()
        find_environment("cpu")
    except (ToolsUnavailable, TrainerEnvironmentError):
        return False
    return True


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
