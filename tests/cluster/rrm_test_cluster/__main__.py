"""``python -m rrm_test_cluster``: the tools, the packages, and a cluster that stays up for a person."""

import argparse
import sys
from pathlib import Path

from rrm_test_cluster.cluster import Cluster
from rrm_test_cluster.demo.places import Places
from rrm_test_cluster.errors import ClusterError, Missing
from rrm_test_cluster.level import Level
from rrm_test_cluster.node_deps import install_node_deps
from rrm_test_cluster.state import State
from rrm_test_cluster.teardown import tear_down
from rrm_test_cluster.tools import build_tools

EXIT_MISSING = 3
_FOLDER = Path(".rrm/cluster")


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code: 0, 1 for a failure, 3 for something missing."""
    chosen = _parser().parse_args(arguments)
    try:
        match chosen.command:
            case "tools":
                build_tools(_say)
            case "deps":
                install_node_deps(_say)
                _say("node packages: all there")
            case "up":
                _up(Level(chosen.level), chosen.dir or _FOLDER)
            case "down":
                # A demo that was told to keep its cluster has it elsewhere.
                _down([chosen.dir] if chosen.dir else [_FOLDER, Places().cluster])
    except Missing as error:
        _say(str(error))
        return EXIT_MISSING
    except ClusterError as error:
        _say(str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rrm_test_cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tools", help="build the server binaries (about 10 minutes once)")
    commands.add_parser("deps", help="install the Debian packages of a real node (root)")
    up = commands.add_parser("up", help="start a cluster that stays")
    up.add_argument("--level", choices=[level.value for level in Level], default=Level.NODE.value)
    down = commands.add_parser("down", help="take it down, leaving its logs")
    up.add_argument("--dir", type=Path, help=f"its folder (default: {_FOLDER})")
    down.add_argument("--dir", type=Path, help=f"its folder (default: {_FOLDER}, and that of the demo)")
    return parser


def _up(level: Level, folder: Path) -> None:
    _say(f"starting the cluster, level {level} (5 to 20 s)")
    cluster = Cluster.start_detached(level, folder)
    _say(f"ready; use it:\n  export KUBECONFIG={cluster.kubeconfig}")
    _say(f"  export PATH={cluster.client.tools.search_path}:$PATH")


def _down(folders: list[Path]) -> None:
    for folder in folders:
        try:
            tear_down(State.load(folder.resolve()))
        except FileNotFoundError:
            _say(f"no cluster in {folder}")
        else:
            _say(f"cluster taken down; its logs stay in {folder / 'logs'}")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
