"""The unit tests' world, with what only complaints need: claims of others, a queue, a Ray that stops jobs."""

from dataclasses import dataclass, field

from rrm_api import group
from rrm_operator.assess.moments import written
from rrm_operator.facts import ClaimFact, Kind, Manifest
from rrm_operator.ports import Stop
from tests.unit.rrm_operator import conftest as unit


@dataclass
class World(unit.World):
    """Everything outside the operator."""

    stops: list[str] = field(default_factory=list)

    async def stop(self, stop: Stop) -> None:
        """Let Ray stop a job."""
        await super().stop(stop)
        self.stops.append(stop.submission_id)

    def cluster_becomes_ready(self) -> None:
        """Let all pods of the newest RayCluster be ready."""
        super().cluster_becomes_ready()
        for pod in self.pods(self.newest_cluster):
            self.change_pod(pod, conditions=[{"type": "Ready", "status": "True"}])

    def add_claim(self, name: str, *modes: str) -> None:
        """Let somebody make a claim."""
        made = ClaimFact(name, "Bound", "1Ti", deleting=False, access_modes=modes or ("ReadWriteMany",))
        self.claims[name] = made

    def stop_asked(self) -> str | None:
        """Return the attempt that was asked to save and leave, as its trainer reads it."""
        (progress,) = (
            it
            for (kind, name), it in self.objects.items()
            if kind == Kind.CONFIG_MAP and name.endswith("-progress")
        )
        found: str | None = progress["metadata"].get("annotations", {}).get(group.ANNOTATION_STOP_ATTEMPT)
        return found

    def suspend_cluster(self) -> None:
        """Let Kueue take the quota back, and KubeRay delete the pods."""
        self._set_suspended(True)
        for pod in self.pods(self.newest_cluster):
            self.delete_pod(pod)

    def admit_cluster(self) -> None:
        """Let Kueue give quota."""
        self._set_suspended(False)

    def _set_suspended(self, suspended: bool) -> None:
        condition = {
            "type": "RayClusterSuspended",
            "status": str(suspended),
            "reason": "ByKueue",
            "lastTransitionTime": written(self.seconds),
        }

        def change(cluster: Manifest) -> None:
            cluster["spec"]["suspend"] = suspended
            cluster["status"] = {"conditions": [condition]}

        self._change(Kind.RAY_CLUSTER, self.newest_cluster, change)
