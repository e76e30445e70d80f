"""Two more trainings that rehearse on a real node.

blocked   the operator is killed at each of its stages; it may not be drained; it is deleted and made again
full      writes onto a volume that is too small, until somebody makes room
"""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rrm_test_cluster import Cluster
from rrm_test_cluster.demo.places import OPERATOR_NAMESPACE
from rrm_test_cluster.demo.watch import RESOURCE
from rrm_test_cluster.errors import CommandFailed
from tests.e2e.node.lives import QUICK, SAVE_EVERY, SLOW, Life, begin, evict

pytestmark = pytest.mark.node

SMALL_MIB, SHARD_MIB = 300, 40
"""Room for two checkpoints of three shards, but not for a third."""


def test_killed_at_each_stage_the_operator_does_nothing_twice(rehearsals: Any) -> None:
    life = begin(rehearsals, "blocked", policy=QUICK)
    for stage in ("Preparing", "Provisioning", "Starting", "Training"):
        awaited = {stage, "Training"}
        life.wait(stage, lambda: life.status().get("stage") in awaited)  # noqa: B023 - asked at once
        kill_operator(rehearsals.cluster)
    life.training(1)
    assert [it["number"] for it in life.attempts()] == [1]
    assert life.attempts()[0]["cluster"] == "blocked-c1"


def kill_operator(cluster: Cluster) -> None:
    where = ("--namespace", OPERATOR_NAMESPACE)
    cluster.kubectl("delete", "pod", *where, "--all", "--grace-period=0", "--force")


def test_a_drain_is_refused_where_it_must_not_take_pods(rehearsals: Any) -> None:
    life = Life(rehearsals, "blocked")
    for pod in life.pods():
        with pytest.raises(CommandFailed, match="disruption budget"):
            evict(life, pod)
    assert not list(life.layout.root.glob("stop-*"))


def test_a_deleted_training_saves_and_made_again_it_goes_on_from_there(rehearsals: Any) -> None:
    life = Life(rehearsals, "blocked")
    layout = life.layout
    rehearsals.kubectl("delete", RESOURCE, "blocked", "--wait=true", "--timeout=60s")
    life.wait("its pods gone", lambda: not life.pods(), seconds=90)
    last = life.steps(1)[-1]
    assert life.saved() == last

    again = begin(rehearsals, "blocked", policy=QUICK)
    # Another training of the same name: it counts its attempts anew, and finds what lies on the volume.
    again.training(1)
    again.wait("where it went on from", lambda: again.attempts()[0].get("fromStep") == last)
    assert again.layout == layout
    assert again.steps(1)[0] == last + 1
    rehearsals.kubectl("delete", RESOURCE, "blocked", "--wait=false")


def test_a_full_volume_is_told_and_with_room_again_it_goes_on(rehearsals: Any) -> None:
    folder = small_claim(rehearsals)
    with_disk(rehearsals.cluster, folder, f"size={SMALL_MIB}m")
    life = begin(
        rehearsals,
        "full",
        rehearsal=replace(SLOW, step_seconds=0.05, shard_bytes=SHARD_MIB * 2**20),
        policy=QUICK,
        checkpoints={"volume": {"claimName": "small"}},
    )
    life.wait("its end", lambda: life.status().get("stage") == "Stalled")
    failure = life.status()["failure"]
    print(f"full volume: {failure['reason']}: {failure['message']}")
    assert failure["reason"] == "VolumeUnavailable"
    assert "enlarge spec.checkpoints.volume.size" in failure["message"]
    assert life.pods() == []
    saved = life.status()["checkpoints"]["latestStep"]
    assert saved >= SAVE_EVERY

    with_disk(rehearsals.cluster, folder, f"remount,size={10 * SMALL_MIB}m")
    rehearsals.kubectl("annotate", RESOURCE, "full", "training.rrm.dev/retry=room", "--overwrite")
    life.wait("more saved", lambda: life.status()["checkpoints"]["latestStep"] > saved + SAVE_EVERY)
    assert life.attempts()[-1]["fromStep"] == saved
    rehearsals.kubectl("delete", RESOURCE, "full", "--wait=false")


def small_claim(rehearsals: Any) -> Path:
    """Make a claim and return the folder behind it."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "small"},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    rehearsals.kubectl("apply", "-f", "-", stdin=json.dumps(claim))
    rehearsals.kubectl("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/small", "--timeout=30s")
    folder: Path = rehearsals.cluster.claim_folder(rehearsals.namespace, "small")
    return folder


def with_disk(cluster: Cluster, folder: Path, options: str) -> None:
    """Put a file system of memory, which has an end, on a folder, for the node alone."""
    owner = "" if options.startswith("remount") else ",uid=1000,gid=1000,mode=2770"
    mount = ["mount", "-t", "tmpfs", "-o", options + owner, "tmpfs", str(folder)]
    subprocess.run([*cluster.enter_node, *mount], check=True, capture_output=True)
