"""Memory, disk and cost sums against sums by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrm.plan.cost import estimate
from rrm.plan.sums import disk_use, memory_load
from rrm.presets import resolve
from rrm.presets.memory import Cluster
from rrm.presets.model_size import SHAPES
from rrm_api.run import Intent


def intent(**changes: object) -> Intent:
    document: dict[str, object] = {
        "name": "judge", "namespace": "default", "uid": "", "method": "Pointwise",
        "model": {"name": "Qwen/Qwen3-8B"},
        "data": {"train": [{"format": "helpsteer2_pointwise", "uri": "pvc://c/train.jsonl"}]},
        "template": {}, "reward": {"exact": {}}, "training": {}, "nodes": 1, "gpusPerNode": 8,
        "accelerator": "NVIDIA", "keepLast": 2, "keepBest": True, "exportEnabled": True,
        "exportCheckpoint": "Best",
    }  # fmt: skip
    return Intent.model_validate(document | changes)


def gb(count: float) -> float:
    return round(count / 1e9, 1)


@pytest.mark.parametrize(
    ("size", "checkpoint", "total"),
    # 12 x 8.19 = 98.3, four of them, and 16.4 each for export and the hub's copy; likewise 12 x 32.76 = 393.1
    [("8B", 98.3, 425.9), ("32B", 393.1, 1703.6)],
)
def test_a_checkpoint_is_twelve_bytes_a_parameter(size: str, checkpoint: float, total: float) -> None:
    disk = disk_use(intent(), SHAPES[size], lora_rank=0)
    assert (gb(disk.checkpoint), disk.kept, gb(disk.total)) == (checkpoint, 4, total)


def test_what_is_not_kept_takes_no_room() -> None:
    lean = intent(
        keepBest=False,
        exportEnabled=False,
        model={"name": "m", "volume": {"claimName": "models", "path": "m"}},
    )
    disk = disk_use(lean, SHAPES["8B"], lora_rank=0)
    assert (disk.kept, disk.export, disk.model) == (3, 0, 0)
    assert disk.total == 3 * 12 * 8_190_735_360


def test_an_adapters_checkpoint_holds_the_frozen_weights_too() -> None:
    disk = disk_use(intent(), SHAPES["8B"], lora_rank=64)
    assert disk.checkpoint == 4 * 8_190_735_360 + 12 * 174_587_904


@pytest.mark.parametrize(
    ("size", "nodes", "update", "rollout"),
    [
        # 16 x 8.19 / 8 = 16.4, gathered .9, 8192 tokens x 1.982 MB = 16.2, reserve 4; 12 x 8.19 / 8 + 48 + 4
        ("8B", 1, 37.5, 64.3),
        # 16 x 32.76 / 16 = 32.8, gathered 2.0, 8192 x 2.466 MB = 20.2, reserve 4; 12 x 32.76 / 16 + 48 + 4
        ("32B", 2, 59.0, 76.6),
    ],
)
def test_memory_of_a_gpu_adds_up(size: str, nodes: int, update: float, rollout: float) -> None:
    numbers = resolve(intent(nodes=nodes))
    load = memory_load(numbers, SHAPES[size], Cluster(gpus=8 * nodes), nodes=nodes)
    assert (gb(load.update), gb(load.generation)) == (update, rollout)
    assert load.rollout_weights == SHAPES[size].parameters  # 2 bytes over 2 GPUs
    assert load.reference == 2 * SHAPES[size].parameters // nodes


@pytest.mark.parametrize("training", [{"klCoefficient": "0"}, {}])
def test_a_reference_waits_on_the_host_only_where_there_is_one(training: dict[str, str]) -> None:
    preset = "pointwise-v1" if training else "pointwise-v1-lora"
    numbers = resolve(intent(preset=preset, training=training))
    assert memory_load(numbers, SHAPES["8B"], Cluster(gpus=8), nodes=1).reference == 0


def test_a_step_costs_its_passes_and_its_answers() -> None:
    cluster, numbers = Cluster(gpus=8), resolve(intent())
    cost = estimate(numbers, SHAPES["8B"], cluster, total_steps=100, validation_rows=0)
    # 768 answers x 4096 tokens x 12 x 8.19e9 FLOP over 8 x 4e14; 768 x 2048 tokens x 8.19e9 over 8 x 2e13
    assert cost.seconds_per_step == pytest.approx(96.6 + 80.5 + 30, abs=0.2)
    assert cost.gpu_hours == pytest.approx(100 * 207.1 / 3600 * 8, rel=1e-3)
    assert cost.seconds_per_validation == 0


@given(steps=st.integers(1, 10_000), rows=st.integers(0, 5_000), gpus=st.sampled_from([8, 16, 64]))
def test_more_steps_cost_more_and_more_gpus_take_less_time(steps: int, rows: int, gpus: int) -> None:
    numbers = resolve(intent())

    def cost(steps: int, gpus: int) -> tuple[float, float]:
        found = estimate(numbers, SHAPES["8B"], Cluster(gpus=gpus), total_steps=steps, validation_rows=rows)
        assert found.gpu_hours is not None
        return found.gpu_hours, found.seconds_per_step

    assert cost(steps + 1, gpus)[0] > cost(steps, gpus)[0]
    assert cost(steps, 2 * gpus)[1] < cost(steps, gpus)[1]


def test_filtered_groups_cost_half_as_many_answers_more() -> None:
    costs = [
        estimate(
            resolve(intent(training={"filterGroups": wanted})),
            SHAPES["8B"],
            Cluster(gpus=8),
            total_steps=None,
            validation_rows=None,
        )
        for wanted in (False, True)
    ]
    assert costs[1].seconds_per_step - costs[0].seconds_per_step == pytest.approx(80.5 / 2, abs=0.1)
    assert costs[0].gpu_hours is None
    assert costs[0].seconds_per_validation > 0
