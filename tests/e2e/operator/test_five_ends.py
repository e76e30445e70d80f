"""The five ends of a training as a person sees them: `kubectl describe` says what happened and what to do."""

from typing import Any

import pytest

pytestmark = pytest.mark.fakenodes
MISTAKE = "train.jsonl line 7: expected JSON, found '{'"


def describe(world: Any, name: str) -> str:
    text: str = world.cluster.kubectl("describe", "rmt", name, "--namespace", world.namespace)
    print(text)
    return text


def get_wide(world: Any) -> str:
    text: str = world.cluster.kubectl("get", "rmt", "-o", "wide", "--namespace", world.namespace)
    print(text)
    return text


def starting(world: Any, manifest: Any, name: str, **spec: Any) -> Any:
    judge = world.apply(manifest(name, **{"workers": {"nodes": 1}, **spec}))
    judge.prepared()
    world.stage(name, "Starting", seconds=180)
    return judge


def test_five_ends_are_told_by_kubectl_describe(world: Any, manifest: Any) -> None:
    wrong = world.apply(manifest("data-invalid"))
    world.stage("data-invalid", "Preparing")
    wrong.prepared(result="Failed", reason="DataInvalid", message=MISTAKE, exitCode=10, prepared=None)
    wrong.end_pod("prepare", exit_code=10)

    good = starting(world, manifest, "succeeded")
    good.progress(1, step=3)
    world.stage("succeeded", "Training")
    good.trained()

    tired = starting(world, manifest, "exhausted", policy={"maxRestarts": 1, "restartBackoffSeconds": 1})
    for attempt in (1, 2):
        tired.progress(attempt, step=2)
        world.stage("exhausted", "Training", seconds=180)
        tired.failed(attempt, exit_code=1, log_tail="NCCL watchdog timeout")
        if attempt == 1:
            world.until(
                "a second attempt",
                lambda: world.status("exhausted").get("attempt") == 2,
                seconds=180,
            )

    paused = starting(world, manifest, "suspended")
    paused.progress(1, step=4)
    world.stage("suspended", "Training", seconds=120)
    suspend = ("--type", "merge", "--patch", '{"spec":{"suspend":true}}', "--namespace", world.namespace)
    world.cluster.kubectl("patch", "rmt", "suspended", *suspend)
    world.stage("suspended", "Stopping")
    stopped = {"result": "Stopped", "reason": "CheckpointSaved", "exitCode": 30}
    paused.record("train", "", attempt=1, message="stopped on request after step 4", **stopped)

    world.apply(manifest("stalled", workers={"nodes": 1}, checkpoints={"volume": {"claimName": "absent"}}))

    world.stage("succeeded", "Exporting", seconds=180)
    good.exported()
    for name, stage in {
        "succeeded": "Succeeded",
        "data-invalid": "Stalled",
        "exhausted": "Failed",
        "suspended": "Suspended",
        "stalled": "Stalled",
    }.items():
        world.stage(name, stage, seconds=180)

    wide = get_wide(world)
    assert all(word in wide for word in ("Succeeded", "DataInvalid", "RestartsExhausted", "Suspended"))
    assert "exported to succeeded/export" in describe(world, "succeeded")
    assert MISTAKE in describe(world, "data-invalid")
    told = describe(world, "exhausted")
    assert "2 in a row saved nothing new, 1 restarts are allowed" in told
    assert "NCCL watchdog timeout" in told
    assert "kubectl annotate rmt exhausted" in told
    assert "no pods" in describe(world, "suspended")
    assert "expected a claim absent" in describe(world, "stalled")
    assert world.names("raycluster") == []
