"""All of it together: one namespace, its controllers, its people, and the operator."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from rrm_api import group
from rrm_operator.facts import Key, Kind, Manifest

from .api_server import NAMESPACE, ApiServer
from .faults import Wire
from .invariants import Invariants
from .jobs import Jobs
from .kuberay import KubeRay, Nodes
from .operator_process import OperatorProcess
from .operator_side import Ports
from .ray import Ray
from .timeline import Timeline

EXAMPLE: Manifest = yaml.safe_load(
    (Path(__file__).parents[4] / "crds" / "examples" / "tiny-cpu.yaml").read_text()
)
POLICY = {
    "maxRestarts": 2,
    "restartBackoffSeconds": 5,
    "startupDeadlineSeconds": 400,
    "stallDeadlineSeconds": 120,
    "jobDeadlineSeconds": 600,
}


def training(name: str = "judge") -> Manifest:
    """Return a training with deadlines that do not take all day."""
    spec = EXAMPLE["spec"]
    checkpoints = {**spec["checkpoints"], "saveGraceSeconds": 40}
    return {
        **EXAMPLE,
        "metadata": {"name": name, "namespace": NAMESPACE, "generation": 1},
        "spec": {**spec, "policy": POLICY, "checkpoints": checkpoints},
    }


@dataclass
class World:
    """Everything, wired."""

    timeline: Timeline = field(default_factory=Timeline)

    def __post_init__(self) -> None:
        self.api = ApiServer(self.timeline)
        self.nodes = Nodes(self.api)
        self.kuberay = KubeRay(self.api, self.nodes)
        self.ray = Ray(self.api)
        self.jobs = Jobs(self.api, self.nodes, self.ray)
        self.wire = Wire(self.timeline)
        self.invariants = Invariants(self.api, self.ray)
        self.wire.disturb = self.invariants.disturb
        self.ports = Ports(self.api, self.ray, self.wire, self.invariants, self.kuberay)
        self.operator = OperatorProcess(self.ports)
        self.invariants.is_blind = lambda: bool(self.operator.broken or any(self.operator.lag.values()))
        self.api.listeners += [self.ray.told, self.jobs.told, self.kuberay.told, self.operator.told]

    @property
    def steps(self) -> int:
        """Happenings of the world and looks of the operator."""
        return self.timeline.happened + self.operator.looks

    def create(self, manifest: Manifest) -> Key:
        """Create a training as a person does."""
        self.timeline.tell(f"somebody creates {manifest['metadata']['name']}")
        self.api.put(manifest)
        return Key(NAMESPACE, manifest["metadata"]["name"])

    def live(self, name: str = "judge") -> Manifest | None:
        """Return the training as the API server has it."""
        return self.api.get(group.KIND, name)

    def stage(self, name: str = "judge") -> str:
        """Return the stage that a training's status tells, empty if there is none yet."""
        return str(((self.live(name) or {}).get("status") or {}).get("stage") or "")

    def pods(self) -> list[Manifest]:
        """Return all pods."""
        return [it for (kind, _), it in self.api.objects.items() if kind == Kind.POD]

    def ray_pods(self, *, role: str | None = None) -> list[Manifest]:
        """Return the pods of RayClusters, oldest first."""
        pods = (it for (kind, _), it in self.api.objects.items() if kind == Kind.POD)
        roles = {role} if role else {"head", "worker"}
        return [it for it in pods if it["metadata"]["labels"].get("ray.io/node-type") in roles]

    def heal(self) -> None:
        """Let the world be fair from now on: faults stop, there is room, watches and our clock are right."""
        self.timeline.tell("--- from here on the world is fair")
        self.wire.heal()
        self.nodes.full_until = self.nodes.no_image_until = self.nodes.no_volume_until = 0.0
        self.api.nodes_come_back()
        self.jobs.faults.clear()
        self.jobs.hangs = 0
        late = [kind for kind, seconds in self.operator.lag.items() if seconds]
        self.operator.lag.clear()
        for kind in sorted({*self.operator.broken, *late}):
            self.operator.list_again(kind)
        self.operator.sweep()
        self.ports.clock_error = 0.0
        self.invariants.clock_jumps()
        if not self.kuberay.installed:
            self.kuberay.installed = True
            self.operator.see_kuberay(installed=True)
        for name in self.api.named(Kind.RAY_CLUSTER):
            self.kuberay.admit(name)
        self.invariants.disturb()
