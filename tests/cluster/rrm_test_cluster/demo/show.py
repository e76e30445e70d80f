"""The demo proper, on any ground: install, apply, watch to the end, examine, print."""

import json
from dataclasses import dataclass
from typing import Final

import yaml
from rich.console import Console
from rich.table import Table

from rrm.cli.summary import render_summary
from rrm_test_cluster.client import Manifest
from rrm_test_cluster.demo.findings import Finding, examine
from rrm_test_cluster.demo.ground import Ground
from rrm_test_cluster.demo.install import install_operator
from rrm_test_cluster.demo.places import EXAMPLE, NAMESPACE, TRAINING, Places
from rrm_test_cluster.demo.results import read_results
from rrm_test_cluster.demo.screen import screen_for
from rrm_test_cluster.demo.telling import Teller, clock
from rrm_test_cluster.demo.watch import RESOURCE, Eye, Glimpse

LONGEST_SECONDS: Final = 45 * 60


@dataclass(frozen=True)
class Wanted:
    """What the person asked for.

    Attributes:
        steps: Optimizer steps instead of the example's.
    """

    steps: int | None = None


def show_training(ground: Ground, wanted: Wanted, places: Places, tell: Teller) -> bool:
    """Train the example on this ground and show it; returns whether every claim holds.

    Raises:
        DemoError: The training did not end, or left nothing that could be examined.
        CommandFailed: kubectl or helm refused.
    """
    with tell.step("the operator from its chart"):
        install_operator(ground.client, ground.values)
    apply_example(ground, wanted)
    tell(f"applied {EXAMPLE.name}; in another shell: kubectl get rmt --namespace {NAMESPACE} --watch")
    training = watch_to_the_end(ground, tell)
    tell("the training is decided; copying its volume, asking the exported judge")
    ground.fetch_volume(places.volume)
    seen = ground.client.kubectl("get", RESOURCE, TRAINING, "--namespace", NAMESPACE)
    tell(f"kubectl get rmt:\n{seen.rstrip()}")
    attempt = int(training["status"].get("attempt", 1))
    findings = examine(training, read_results(places.volume, TRAINING, attempt))
    Console().print(render_summary(places.volume / TRAINING))
    print_findings(findings)
    Console().print(f"logs of the cluster: {places.cluster / 'logs'}", soft_wrap=True)
    return all(finding.holds for finding in findings)


def apply_example(ground: Ground, wanted: Wanted) -> None:
    """Apply the example, as a person would, or with what was asked for and what the cluster needs."""
    manifest: Manifest = yaml.safe_load(EXAMPLE.read_text())
    if wanted.steps is not None:
        manifest["spec"]["training"]["maxSteps"] = wanted.steps
    if ground.storage_class is not None:
        manifest["spec"]["checkpoints"]["volume"]["storageClassName"] = ground.storage_class
    ground.client.kubectl("apply", "--namespace", NAMESPACE, "-f", "-", stdin=json.dumps(manifest))


def watch_to_the_end(ground: Ground, tell: Teller) -> Manifest:
    """Show the training's life until it is decided, and return it."""
    eye = Eye(ground.client, NAMESPACE, TRAINING)
    stages: dict[str, float] = {}

    def show(seen: Glimpse) -> None:
        stages.setdefault(seen.stage, tell.seconds)
        screen(seen)

    with screen_for(tell) as screen:
        training = eye.wait(lambda seen: seen.is_decided, show=show, seconds=LONGEST_SECONDS)
    if glimpse_failed := training["status"].get("failure"):
        tell(f"failure: {glimpse_failed.get('message', '')}\n{eye.evidence()}")
    tell("reached: " + ", ".join(f"{stage} {clock(at)}" for stage, at in stages.items()))
    return training


def print_findings(findings: tuple[Finding, ...]) -> None:
    """Print every claim with its figure."""
    table = Table("claim", "found", "", title="Claims of the demo")
    for finding in findings:
        table.add_row(finding.claim, finding.found, "holds" if finding.holds else "[bold red]DOES NOT HOLD")
    Console().print(table)
