"""How a Ray pod goes: it saves first, if a training runs, and is gone as soon as that is done.

The preStop of head and workers (`rrm.train.farewell`) asks the attempt to save and waits for it, then ends
Ray. So the termination grace is a bound, not a wait: an idle cluster is gone in seconds whatever it says.
Pods that need not save (`saveGraceSeconds: 0`) get the operator's `podGraceSeconds`: the time of ending Ray.
"""

from typing import Final

from rrm_api.run import VOLUME_MOUNT
from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.facts import Manifest
from rrm_operator.plan.merge import merge
from rrm_operator.settings import Settings

LAST_ACT_SECONDS: Final = 30
"""What ending Ray, and starting the hook on a busy machine, may take beyond the time to save in."""


def with_shutdown(
    template: Manifest, training: RewardModelTraining, *, main: str, settings: Settings
) -> Manifest:
    """Return a merged pod template of a Ray pod with its preStop and termination grace.

    What a user's or the default template says about either wins; a grace of theirs that is shorter also
    shortens the time to save in, so that ending Ray still fits in. The containers of the pod see each other's
    processes: as PID 1 of its own, KubeRay's init container would ignore SIGTERM, and a pod that still
    waits for its head would hold its GPUs for the whole grace.

    Args:
        template: Head or worker, all templates merged.
        training: Whose pod it is.
        main: Name of the Ray container.
        settings: The operator's.
    """
    save = training.spec.checkpoints.save_grace_seconds
    pod = template["spec"]
    default = save + LAST_ACT_SECONDS if save else settings.pod_grace_seconds
    granted = pod.get("terminationGracePeriodSeconds", default)
    hook = _hook(training.metadata.name, min(save, max(0, granted - LAST_ACT_SECONDS)))
    containers = [_with_hook(it, hook) if it["name"] == main else it for it in pod["containers"]]
    shared = {"shareProcessNamespace": True, "terminationGracePeriodSeconds": default}
    return merge(template, {"spec": {**shared, **pod, "containers": containers}})


def _with_hook(container: Manifest, hook: Manifest) -> Manifest:
    lifecycle = container.get("lifecycle", {})
    if not isinstance(lifecycle, dict):  # The API server's refusal says more than we could.
        return container
    return {**container, "lifecycle": {"preStop": hook, **lifecycle}}


def _hook(training: str, grace_seconds: int) -> Manifest:
    what = ["--volume", VOLUME_MOUNT, "--training", training, "--grace", str(grace_seconds)]
    return {"exec": {"command": ["python", "-m", "rrm.train.farewell", *what]}}
