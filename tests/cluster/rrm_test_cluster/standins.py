"""``python -m rrm_test_cluster.standins NAME``: the cluster's own processes, started by the cluster."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Run one of them for ever."""
    chosen = _parser().parse_args(arguments)
    # Imported where used: each of these processes lives as long as the cluster, and memory is short.
    match chosen.name:
        case "janitor":
            from rrm_test_cluster.janitor import watch_owner

            watch_owner(chosen.owner, chosen.folder)
        case "fake-nodes":
            from rrm_test_cluster.fake_nodes import run_fake_nodes

            asyncio.run(run_fake_nodes(chosen.kubeconfig, count=chosen.count, gpus=chosen.gpus))
        case "provisioner":
            from rrm_test_cluster.provisioner import run_provisioner

            asyncio.run(run_provisioner(chosen.kubeconfig, chosen.folder))
        case "dns":
            from rrm_test_cluster.dns import run_dns

            asyncio.run(run_dns(chosen.kubeconfig, chosen.address))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["janitor", "fake-nodes", "provisioner", "dns"])
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--address")
    parser.add_argument("--owner", type=int)
    parser.add_argument("--count", type=int)
    parser.add_argument("--gpus", type=int)
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    main(sys.argv[1:])
