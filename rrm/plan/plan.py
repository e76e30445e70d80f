"""The whole plan of a training: a spec goes in, all that can be known without starting it comes out."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rrm.intent_file import read_intent, read_training
from rrm.plan.cost import ASSUMPTIONS, Cost, estimate, orders_of
from rrm.plan.fit import Sums, warnings
from rrm.plan.model import SizedModel, size_model
from rrm.plan.origins import Assumed, Setting, settings
from rrm.plan.overridden import overridden
from rrm.plan.steps import Steps, count_steps
from rrm.plan.sums import Disk, disk_use, memory_load
from rrm.presets import preset_of, resolve
from rrm.presets.memory import GPU_BYTES, Cluster, Load
from rrm.presets.preset import AUTO, Preset
from rrm.presets.resolve import assumed_shape
from rrm.presets.verl_keys import KEY_OF
from rrm_api.run import Intent, intent_of
from rrm_api.spec_pods import Accelerator


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked: the training and what only the asker knows.

    Attributes:
        rows: Training rows; None = from prepared data, if there is any.
        parameters: Of the model; None = from its config.json or name.
        gpu_bytes: Memory of each GPU.
        volume: Folder that stands for the training's claim.
        claims: Folder that holds each other claim under its name.
    """

    training: Path
    volume: Path
    claims: Path
    rows: int | None = None
    parameters: int | None = None
    gpu_bytes: int = GPU_BYTES


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The answer; `load` and `cost` are None on CPUs, where neither sum means anything."""

    name: str
    settings: list[Setting]
    steps: Steps
    model: SizedModel
    cluster: Cluster
    load: Load | None
    disk: Disk
    volume_size: str | None
    cost: Cost | None
    warnings: list[str]

    def document(self) -> dict[str, Any]:
        """Return the plan as JSON: bytes, seconds and hours as plain numbers."""
        load, cost = self.load, self.cost
        return {
            "name": self.name,
            "settings": [asdict(setting) for setting in self.settings],
            "steps": asdict(self.steps),
            "model": asdict(self.model),
            "gpus": asdict(self.cluster),
            "memoryPerGPU": load
            and {**asdict(load), "update_total": load.update, "rollout_total": load.generation},
            "disk": {**asdict(self.disk), "total": self.disk.total, "volume_size": self.volume_size},
            "cost": cost and {**asdict(cost), "assumptions": list(ASSUMPTIONS)},
            "warnings": self.warnings,
        }


def plan(question: Question) -> Plan:
    """Return the plan of a training; nothing is started, fetched or written.

    Raises:
        InvalidSpec: If the training is refused, or its rows do not fill one batch.
    """
    intent, volume_size = _read(question.training)
    preset = preset_of(intent)
    numbers, replaced = overridden(resolve(intent), intent.training.overrides)
    model = size_model(
        intent, preset, parameters=question.parameters, volume=question.volume, claims=question.claims
    )
    steps = count_steps(intent, numbers, rows=question.rows, volume=question.volume)
    cluster = Cluster(gpus=intent.nodes * intent.gpus_per_node, gpu_bytes=question.gpu_bytes)
    has_gpus = intent.accelerator is Accelerator.NVIDIA
    load = memory_load(numbers, model.shape, cluster, nodes=intent.nodes) if has_gpus else None
    disk = disk_use(intent, model.shape, lora_rank=numbers.lora_rank)
    sums = Sums(
        numbers=numbers, shape=model.shape, cluster=cluster, load=load, disk=disk, volume_size=volume_size
    )
    return Plan(
        name=intent.name,
        settings=list(settings(intent, numbers, preset, assumed=_assumed(intent, preset), replaced=replaced)),
        steps=steps,
        model=model,
        cluster=cluster,
        load=load,
        disk=disk,
        volume_size=volume_size,
        cost=_cost(intent, sums, steps) if has_gpus else None,
        warnings=_warnings(intent, preset, sums, model),
    )


def _read(path: Path) -> tuple[Intent, str | None]:
    if path.suffix == ".json":
        return read_intent(path), None  # the operator's intent knows no volume
    training = read_training(path)
    return intent_of(training), training.spec.checkpoints.volume.size


def _assumed(intent: Intent, preset: Preset) -> Assumed:
    billions = assumed_shape(intent, preset).parameters / 1e9
    return Assumed(model=f"{billions:.1f}B parameters", gpu_gigabytes=GPU_BYTES // 10**9)


def _cost(intent: Intent, sums: Sums, steps: Steps) -> Cost:
    return estimate(
        sums.numbers,
        sums.shape,
        sums.cluster,
        total_steps=steps.total,
        validation_rows=steps.rows.validation,
        orders=orders_of(intent.reward),
    )


def _warnings(intent: Intent, preset: Preset, sums: Sums, model: SizedModel) -> list[str]:
    if model.is_known:
        return warnings(intent, sums) + _other_size(intent, preset, sums, model)
    return [
        f"spec.model.name {intent.model.name} tells no size and its config.json is not here: the sums assume "
        f"{model.shape.parameters / 1e9:.2f}B parameters; give --parameters, or --claims with its folder"
    ]


def _other_size(intent: Intent, preset: Preset, sums: Sums, model: SizedModel) -> list[str]:
    """Say so where numbers called `auto` were computed for another model or other GPUs."""
    has_auto = AUTO in (preset.max_tokens_per_gpu.value, preset.gpu_memory_utilization.value)
    assumed, found = assumed_shape(intent, preset).parameters, model.shape.parameters
    gpu_bytes = sums.cluster.gpu_bytes
    is_same = abs(found - assumed) < 0.1 * assumed and gpu_bytes >= GPU_BYTES
    if not has_auto or is_same:
        return []
    return [
        f"preset {preset.name} computes batches and vLLM's part for {assumed / 1e9:.1f}B parameters and "
        f"{GPU_BYTES // 10**9} GB GPUs, but {model.origin} says {found / 1e9:.1f}B and the GPUs have "
        f"{gpu_bytes / 1e9:.0f} GB; set training.microBatchSizePerGPU and training.overrides "
        f"{KEY_OF['gpu_memory_utilization']} yourself"
    ]
