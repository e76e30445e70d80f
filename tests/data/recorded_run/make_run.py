"""A training's folder as it lies on a volume, made up file by file around real rows; seeded.

`python tests/data/recorded_run/make_run.py` writes `tiny-judge` beside this file: two attempts, the second
resumed at step 12 after the first was lost at step 15. Tests call `record` with other plans.
"""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from made_up import Plan, Try, part_of, step_metrics, write_answers

from rrm.judge.baselines import fit_floors, score_floors
from rrm.presets import resolve
from rrm_api.run import Finding, Phase, Prepared, Progress, RunFile, intent_of
from rrm_api.status import DataStatus, DroppedRows, Metric
from rrm_api.v1alpha1 import parse_training

HERE = Path(__file__).parent
START = datetime(2026, 3, 1, 9, 0, 0)
PROMPT_COLUMNS = pa.schema(
    [
        ("row_id", pa.string()),
        ("prompt_group", pa.string()),
        ("pair_id", pa.string()),
        ("data_source", pa.string()),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("label", pa.float64()),
        ("scale_low", pa.float64()),
        ("scale_high", pa.float64()),
        ("prompt_tokens", pa.int32()),
    ]
)


def record(volume: Path, plan: Plan) -> Path:
    """Write the folder of a training below a volume and return it."""
    root = volume / plan.name
    rows = _rows(plan)
    run = _run(plan, rows)
    _write_data(root, plan, rows, run)
    validations: dict[int, dict[str, float]] = {}
    for number, attempt in enumerate(plan.tries, start=1):
        _write_attempt(
            root / f"attempt-{number}", plan, attempt, number=number, rows=rows, run=run, seen=validations
        )
    _dump(root / "validations.json", {str(step): validations[step] for step in sorted(validations)})
    reached = plan.tries[-1].end
    for step in range(plan.save_every, reached + 1, plan.save_every):
        _write_checkpoint(root / "checkpoints", step)
    return root


def _rows(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    return {
        part: part_of(plan, file, part)
        for part, file in (("train", "train.jsonl"), ("validation", "eval.jsonl"))
    }


def _run(plan: Plan, rows: dict[str, list[dict[str, Any]]]) -> RunFile:
    source = {"format": "helpsteer2_pointwise", "uri": "hf://nvidia/HelpSteer2", "label": "verbosity"}
    spec: dict[str, Any] = {
        "method": "Pairwise" if plan.is_pairwise else "Pointwise",
        "model": {"name": "Qwen/Qwen3-0.6B", "reasoning": "Prompted"},
        "data": {"train": [{**source, "format": "helpsteer2_pairwise"} if plan.is_pairwise else source]},
        "training": {"maxSteps": plan.total_steps, "batchSize": 8, "miniBatchSize": 8},
        "workers": {"nodes": 2, "gpusPerNode": 8},
        "checkpoints": {"volume": {"size": "2Gi"}, "everySteps": plan.save_every},
    }
    spec["training"] |= {
        "evaluateEverySteps": plan.evaluate_every,
        "learningRate": "1e-6",
        "klCoefficient": "0.001",
    }
    metadata = {"name": plan.name, "namespace": "team", "uid": "11112222"}
    document = {
        "apiVersion": "training.rrm.dev/v1alpha1",
        "kind": "RewardModelTraining",
        "metadata": metadata,
        "spec": spec,
    }
    intent = intent_of(parse_training(document))
    floors = _floors(plan, rows, intent.reward)
    dropped = [DroppedRows(reason="prompt_too_long", rows=31), DroppedRows(reason="duplicate", rows=4)]
    prepared = Prepared(
        data=DataStatus(train=254, validation=plan.rows, dropped=dropped, digest="sha256:0123456789abcdef"),
        read_rows=503,
        total_steps=plan.total_steps,
        evaluate_every_steps=plan.evaluate_every,
        save_every_steps=plan.save_every,
        preset="pairwise-v1" if plan.is_pairwise else resolve(intent).preset,
        model_revision="c1899de289a04d12100db370d81485cdf75e47ca",
        floors=[Metric(name=name, value=f"{floor['reward']:.6f}") for name, floor in floors.items()],
    )
    return RunFile(intent=intent, prepared=prepared)


def _floors(plan: Plan, rows: dict[str, list[dict[str, Any]]], reward: Any) -> dict[str, Any]:
    if plan.is_pairwise:  # by hand: the floors of pairs are another module's
        shares = {"constant--1": (1.0, 0.0, 0.0), "uniform": (1 / 3, 1 / 3, 1 / 3)}
        labels = [row["label"] for row in rows["validation"]]
        earned = {n: sum(s[int(x) + 1] for x in labels) / len(labels) for n, s in shares.items()}
        return {name: {"shares": shares[name], "reward": earned[name]} for name in shares}
    fitted = fit_floors([row["label"] for row in rows["train"]], scale=plan.scale, reward=reward)
    labels = [row["label"] for row in rows["validation"]]
    rewards = score_floors(fitted, labels, scale=plan.scale, reward=reward)
    return {floor.name: {"shares": floor.shares, "reward": rewards[floor.name]} for floor in fitted}


def _write_data(root: Path, plan: Plan, rows: dict[str, list[dict[str, Any]]], run: RunFile) -> None:
    (root / "data").mkdir(parents=True, exist_ok=True)
    for part, listed in rows.items():
        pq.write_table(pa.Table.from_pylist(listed, schema=PROMPT_COLUMNS), root / "data" / f"{part}.parquet")
    dropped = {
        "prompt_too_long": {"rows": 31, "example": "line 17: 623 tokens, at most 448 fit" + plan.hostile},
        "duplicate": {"rows": 4, "example": "line 203 repeats line 19"},
    }
    report = {
        "prepared": run.prepared.manifest(),
        "limits": {"maxPromptTokens": 448},
        "parts": {
            part: {
                "sources": [
                    {"uri": "hf://nvidia/HelpSteer2", "label": "verbosity", "revision": "99ab", "read": 260}
                ],
                "dropped": dropped if part == "train" else {},
                "rows": 254 if part == "train" else plan.rows,
                "prompts": len({row["prompt_group"] for row in listed}),
                "labels": _counts([row["label"] for row in listed]),
                "promptTokens": {"min": 41, "median": 188, "max": 446},
                **({"order": _order()} if plan.is_pairwise else {}),
            }
            for part, listed in rows.items()
        },
        "decontamination": [_benchmark(plan)],
        "floors": _floors(plan, rows, run.intent.reward),
        "example": rows["train"][0]["messages"],
    }
    _dump(root / "data" / "data.json", report)
    _dump(root / "identity.json", {"spec": {}, "rows": "sha256:0123456789abcdef"})


def _benchmark(plan: Plan) -> dict[str, Any]:
    return {
        "uri": "hf://allenai/reward-bench",
        "revision": None,
        "read": 2985,
        "invalid": {},
        "samePrompt": {"rows": 0, "example": ""},
        "thirteenWords": {"rows": 3, "example": "line 88: write a haiku about rain" + plan.hostile},
    }


def _order() -> dict[str, Any]:
    return {"untiedPairs": 31, "firstWins": 0.52, "pValue": 0.89, "turned": 0, "firstWinsAfter": 0.52}


def _counts(labels: list[float]) -> dict[str, int]:
    return {f"{label:g}": labels.count(label) for label in sorted(set(labels))}


def _write_attempt(folder: Path, plan: Plan, attempt: Try, **known: Any) -> None:
    number, run, seen = known["number"], known["run"], known["seen"]
    folder.mkdir(parents=True, exist_ok=True)
    _dump(folder / "run.json", run.manifest())
    (folder / "overrides.txt").write_text(
        "algorithm.adv_estimator=grpo\nactor_rollout_ref.actor.optim.lr=1e-06\ndata.train_batch_size=8\n"
        "actor_rollout_ref.rollout.n=8\n+ray_kwargs.ray_init.runtime_env.env_vars.WANDB_API_KEY='never-shown'\n"
    )
    (folder / "job.log").write_text("step 1\n")
    if number == len(plan.tries):
        versions = {
            "rrm-trainer": "0.1.0",
            "verl": "0.9.1",
            "vllm": "0.19.0",
            "torch": "2.13.0",
            "ray": "2.54.0",
        }
        _dump(folder / "versions.json", versions)
    began = START + timedelta(hours=2 * (number - 1))
    metrics, progress = [], []
    for step in range(attempt.start, attempt.end + 1):
        data = step_metrics(plan, step, number) if step > attempt.start else {}
        is_validated = step % plan.evaluate_every == 0 and (step > attempt.start or step == 0)
        if is_validated:
            seen[step] = write_answers(
                folder / f"validation-{step}.parquet", plan, step, rows=known["rows"]["validation"]
            )
            data |= {f"rrm/validation/{name}": value for name, value in seen[step].items()}
        if data:
            metrics.append(json.dumps({"step": step, "data": data}))
        if data or step == attempt.start:
            time = began + timedelta(seconds=12 * (step - attempt.start))
            progress.append(_progress(plan, attempt, step, number=number, time=time, seen=seen))
    (folder / "metrics.jsonl").write_text("\n".join(metrics) + "\n")
    (folder / "progress.jsonl").write_text(
        "".join(line.model_dump_json(by_alias=True) + "\n" for line in progress)
    )
    beat = {"phase": "Rollout", "step": attempt.end, "time": progress[-1].time}
    _dump(folder / "heartbeat.json", beat)
    if attempt.exit_code is not None:
        words = {0: ("Succeeded", f"trained to step {attempt.end}"), 20: ("ClusterLost", "a node went away")}
        reason, message = words.get(attempt.exit_code, ("CheckpointSaved", "stopped on request"))
        _dump(folder / "ending.json", {"reason": reason, "message": message, "exit_code": attempt.exit_code})


def _progress(plan: Plan, attempt: Try, step: int, **known: Any) -> Progress:
    sick = Finding(reason="ZeroVariance", step=9, message="38 % of the prompts teach nothing" + plan.hostile)
    newest = max((s for s in known["seen"] if s <= step), default=None)
    return Progress(
        attempt=known["number"],
        phase=Phase.FINISHED if step >= plan.total_steps else Phase.ROLLOUT,
        step=step,
        total_steps=plan.total_steps,
        from_step=attempt.start,
        reward=0.5,
        seconds_per_step=10.0,
        eta_seconds=10 * (plan.total_steps - step),
        validation=[]
        if newest is None
        else [Metric(name="reward", value=f"{known['seen'][newest]['reward']:.6f}")],
        findings=[sick] if 9 <= step <= 14 else [],
        time=known["time"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _write_checkpoint(folder: Path, step: int) -> None:
    actor = folder / f"global_step_{step}" / "actor"
    actor.mkdir(parents=True, exist_ok=True)
    for part in ("model", "optim", "extra_state"):
        (actor / f"{part}_world_size_1_rank_0.pt").write_bytes(b"x")
    (actor.parent / "data.pt").write_bytes(b"x")
    (folder / "latest_checkpointed_iteration.txt").write_text(str(step))


def _dump(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    print(json.dumps({"written": str(record(HERE, Plan())), "plan": asdict(Plan())}))
