"""``python -m rrm_test_cluster.demo``: `run` the demo, or make only its `data` or `images`."""

import argparse
import os
import sys
from pathlib import Path

from rrm_test_cluster.demo.embedded import embedded_ground
from rrm_test_cluster.demo.errors import DemoError
from rrm_test_cluster.demo.machine import make_ready, make_trainer_environment
from rrm_test_cluster.demo.material import fill_claim
from rrm_test_cluster.demo.outside import outside_ground
from rrm_test_cluster.demo.pictures import build_cpu_trainer, build_operator, build_thin_trainer
from rrm_test_cluster.demo.places import Places
from rrm_test_cluster.demo.show import Wanted, show_training
from rrm_test_cluster.demo.telling import Teller, clock
from rrm_test_cluster.errors import ClusterError

_TIMES = "usually 12 min where everything was made before, at most 35 min the first time"


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code: 0, 1 where a claim does not hold, 3 for something missing."""
    chosen = _parser().parse_args(arguments)
    tell, places = Teller(), Places()
    try:
        match chosen.command:
            case "run":
                return _run(Wanted(steps=chosen.steps), keep=chosen.keep, places=places, tell=tell)
            case "data":
                make_trainer_environment(tell)
                tell(f"rows and model: {fill_claim(places.claim, tell)}")
            case "images":
                for build in (build_operator, build_thin_trainer, build_cpu_trainer):
                    built = build(tell)
                    tell(
                        f"{built.tag}\n        {built.archive} ({built.archive.stat().st_size / 1e6:.0f} MB)"
                    )
    except DemoError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except ClusterError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rrm_test_cluster.demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="the whole demo")
    run.add_argument("--keep", action="store_true", help="leave the cluster up; `make cluster-down` ends it")
    run.add_argument("--steps", type=int, help="optimizer steps instead of the example's 24")
    commands.add_parser("data", help="rows and tiny model into .rrm/claims/demo")
    commands.add_parser("images", help="operator and trainer images into the user's cache")
    return parser


def _run(wanted: Wanted, *, keep: bool, places: Places, tell: Teller) -> int:
    outside = os.environ.get("KUBECONFIG")
    tell(f"the whole way from rows to an exported judge: {_TIMES}")
    if outside:
        held = show_training(outside_ground(Path(outside), tell), wanted, places, tell)
    else:
        make_ready(tell)
        fill_claim(places.claim, tell)
        with embedded_ground(places, tell, keep=keep) as ground:
            held = show_training(ground, wanted, places, tell)
    tell(f"total time {clock(tell.seconds)}: {'every claim holds' if held else 'NOT every claim holds'}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
