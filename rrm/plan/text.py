"""A plan as a person reads it."""

from collections.abc import Iterator

from rrm.plan.columns import columns, gigabytes
from rrm.plan.cost import ASSUMPTIONS
from rrm.plan.origins import Setting
from rrm.plan.plan import Plan
from rrm.presets.memory import Load
from rrm.presets.preset import shown


def lines(plan: Plan) -> Iterator[str]:
    """Yield the plan, section by section."""
    yield f"Plan of {plan.name}; nothing was started"
    yield from ("", "Effective configuration")
    yield from columns(
        [(s.name, _with_unit(s), s.origin) for s in plan.settings],
    )
    yield from ("", "Steps", *_steps(plan))
    yield from ("", f"Memory of each GPU ({plan.cluster.gpus} in all), estimated", *_memory(plan))
    yield from ("", "Disk of the training's claim, without rows and logs", *_disk(plan))
    yield from ("", "Cost, estimated roughly", *_cost(plan))
    if plan.warnings:
        yield from ("", "To look at", *(f"  ! {warning}" for warning in plan.warnings))


def _with_unit(setting: Setting) -> str:
    unit = "" if setting.value is None else setting.unit
    return f"{shown(setting.value)} {unit}".rstrip()


def _steps(plan: Plan) -> list[str]:
    steps = plan.steps
    rows = [
        ("training rows", _or_unknown(steps.rows.train), steps.rows.origin),
        ("steps per epoch", _or_unknown(steps.per_epoch), ""),
        ("steps", _or_unknown(steps.total), ""),
    ]
    return columns(rows)


def _memory(plan: Plan) -> list[str]:
    if (load := plan.load) is None:
        return ["  not summed: workers.accelerator is CPU"]
    size = f"{plan.model.shape.parameters / 1e9:.2f}B"
    return columns([("parameters", size, plan.model.origin), *_sums(load, plan.cluster.gpu_bytes)])


def _sums(load: Load, gpu_bytes: int) -> list[tuple[str, str, str]]:
    return [
        ("weights", gigabytes(load.weights), "float32, 4 bytes a parameter over all GPUs"),
        ("gradients", gigabytes(load.gradients), "float32"),
        ("Adam", gigabytes(load.adam), "float32, 8 bytes a trained parameter"),
        ("gathered layers", gigabytes(load.gathered), "bf16, two at a time"),
        ("activations", gigabytes(load.activations), "one pass, gradient checkpointing, logits included"),
        ("reserve", gigabytes(load.reserve), "CUDA, NCCL, fragments"),
        ("update", gigabytes(load.update), f"all of these, of {gigabytes(gpu_bytes)}"),
        ("vLLM's part", gigabytes(load.rollout), f"holds {gigabytes(load.rollout_weights)} of bf16 weights"),
        ("rollout", gigabytes(load.generation), f"vLLM, weights, Adam, reserve, of {gigabytes(gpu_bytes)}"),
        ("reference", gigabytes(load.reference), "bf16, in each node's own memory; 0 = none"),
    ]


def _disk(plan: Plan) -> list[str]:
    disk = plan.disk
    size = f"volume.size is {plan.volume_size}" if plan.volume_size else "the size of the volume is unknown"
    rows = [
        ("checkpoint", gigabytes(disk.checkpoint), "float32 weights and Adam: 12 bytes a trained parameter"),
        ("kept", str(disk.kept), "checkpoints.keepLast, the best, and one being written"),
        ("export", gigabytes(disk.export), "bf16, 2 bytes a parameter"),
        ("model", gigabytes(disk.model), "copy of the hub's weights"),
        ("in all", gigabytes(disk.total), size),
    ]
    return columns(rows)


def _cost(plan: Plan) -> list[str]:
    if (cost := plan.cost) is None:
        return ["  not estimated: workers.accelerator is CPU"]
    hours = "unknown" if cost.gpu_hours is None else f"{cost.gpu_hours:,.0f}"
    rows = [
        ("a step", f"{cost.seconds_per_step:.0f} s"),
        ("a validation", f"{cost.seconds_per_validation:.0f} s"),
        ("GPU-hours", hours),
    ]
    return [*columns(rows), *(f"  assumed: {assumption}" for assumption in ASSUMPTIONS)]


def _or_unknown(number: int | None) -> str:
    return "unknown" if number is None else str(number)
