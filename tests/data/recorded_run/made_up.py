"""What a made-up training is about: its plan, real rows as prompts, what a judge might have said to them."""

import json
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rrm.judge.metrics import ScoredRow, judge_metrics
from rrm.scales import PREFERENCE, Scale
from rrm.train.answers import SCHEMA

SAMPLES = Path(__file__).parents[1] / "helpsteer2"
TASK = "Rate the verbosity of the answer from 0 to 4."
PAIR_TASK = "Which answer is better?"


@dataclass(frozen=True)
class Try:
    """An attempt: starts after step `start`, reports up to `end`; exit code None = it has not ended."""

    start: int
    end: int
    exit_code: int | None = 0


@dataclass(frozen=True)
class Plan:
    """What to make up. `skill` is the share of right answers at the last step; 0 = no better than chance."""

    name: str = "tiny-judge"
    is_pairwise: bool = False
    total_steps: int = 24
    evaluate_every: int = 6
    save_every: int = 12
    rows: int = 48
    answers_per_row: int = 1
    skill: float = 0.62
    tries: tuple[Try, ...] = (Try(0, 15, 20), Try(12, 24, 0))
    has_split: bool = True
    hostile: str = ""
    seed: int = 7

    @property
    def scale(self) -> Scale:
        return PREFERENCE if self.is_pairwise else Scale(0, 4)


def part_of(plan: Plan, file: str, part: str) -> list[dict[str, Any]]:
    raw = [json.loads(line) for line in (SAMPLES / file).read_text(encoding="utf-8").splitlines()]
    count = plan.rows if part == "validation" else 24
    rows = []
    for i in range(count):
        row, other = raw[i % len(raw)], raw[(i + 1) % len(raw)]
        if plan.is_pairwise:
            label = float(
                (row["helpfulness"] < other["helpfulness"]) - (row["helpfulness"] > other["helpfulness"])
            )
            answers = f"Answer A: {row['response']}\nAnswer B: {other['response']}"
            text = f"{PAIR_TASK}\nQuestion: {row['prompt']}\n{answers}"
        else:
            label = float(row["verbosity"])
            text = (
                f"{TASK} Reply with <score>N</score>.\nQuestion: {row['prompt']}\nAnswer: {row['response']}"
            )
        rows.append(
            {
                "row_id": f"{part[:1]}{i:05d}c0ffee",
                "prompt_group": f"g{i // 2}",
                "pair_id": f"p{i}" if plan.is_pairwise else None,
                "data_source": "helpsteer2",
                "messages": [{"role": "user", "content": text + plan.hostile}],
                "label": label,
                "scale_low": float(plan.scale.low),
                "scale_high": float(plan.scale.high),
                "prompt_tokens": len(text) // 3,
            }
        )
    return rows


def step_metrics(plan: Plan, step: int, number: int) -> dict[str, float]:
    dice = random.Random(f"{plan.seed}-{step}-{number}")
    done = 1 - math.exp(-2.2 * step / plan.total_steps)
    noise = dice.gauss(0, 0.02)
    entropy = 0.9 - 0.5 * done + noise
    split = {
        "rrm/entropy_right": entropy - 0.1,
        "rrm/entropy_wrong": entropy + 0.18 + noise,
        "rrm/clip_right": 0.02,
        "rrm/clip_wrong": max(0.0, 0.14 - 0.1 * done + noise),
    }
    return {
        "critic/score/mean": 0.5 + 0.35 * plan.skill * done + noise,
        "actor/entropy": entropy,
        "actor/kl_loss": 0.0004 + 0.02 * done * done + abs(noise) / 40,
        "actor/pg_clipfrac": max(0.0, 0.004 + noise / 20),
        "response_length/mean": 240 + 90 * done + 200 * noise,
        "response_length/clip_ratio": max(0.0, 0.08 - 0.06 * done + noise / 4),
        "timing_s/step": 9.5 + dice.random() + (6 if step % plan.evaluate_every == 0 else 0),
        "perf/throughput": 2100.0,
        "training/rollout_probs_diff_max": 2e-6 * (1 + dice.random()),
        "rrm/acc": 0.2 + 0.7 * plan.skill * done,
        "rrm/parse_ok": min(1.0, 0.9 + 0.08 * done + noise / 4),
        "rrm/truncated": max(0.0, 0.08 - 0.06 * done + noise / 4),
        "rrm/zero_variance_share": 0.1 + 0.3 * done + noise,
        **(split if plan.has_split else {}),
    }


def write_answers(path: Path, plan: Plan, step: int, *, rows: list[dict[str, Any]]) -> dict[str, float]:
    dice = random.Random(f"{plan.seed}-answers-{step}")
    done = 1 - math.exp(-2.2 * step / plan.total_steps)
    table = [_answer(plan, row, dice, done) for row in rows for _ in range(plan.answers_per_row)]
    columns = [{name: row.get(name) for name in SCHEMA.names} for row in table]
    pq.write_table(pa.Table.from_pylist(columns, schema=SCHEMA), path)
    names = ScoredRow.__dataclass_fields__
    known = [{name: row[name] for name in names if name in row} for row in table]
    return judge_metrics([ScoredRow(**row) for row in known], plan.scale)


def _answer(plan: Plan, row: dict[str, Any], dice: random.Random, done: float) -> dict[str, Any]:
    scale, label = plan.scale, row["label"]
    is_read = dice.random() < 0.9 + 0.08 * done
    guess = dice.choice(scale.values)
    near = min(max(int(label) + dice.choice((-1, 0, 0, 1)), scale.low), scale.high)
    luck = dice.random()
    value = int(label) if luck < plan.skill * done else near if luck < 1.4 * plan.skill * done else guess
    prediction = float(value) if is_read else float(scale.worst_for(label))
    thought = "The answer says what was asked" + dice.choice(
        (" and not a word more.", ", and then says it again.")
    )
    tag = (
        f"<preference>{'A' if value < 0 else 'B' if value > 0 else 'tie'}</preference>"
        if plan.is_pairwise
        else f"<score>{value}</score>"
    )
    distance = abs(prediction - label)
    right = float(is_read and distance == 0)
    reward = right if plan.is_pairwise else (math.exp(-2 * distance / scale.range) if is_read else 0.0)
    return {
        **{name: row[name] for name in ("row_id", "prompt_group", "pair_id", "label")},
        "prediction": prediction,
        "reward": reward,
        "strength": 1.0,
        "reward_error": False,
        "swap_consistent": right if plan.is_pairwise else None,
        "answer_swapped": f"<preference>{'BA'[value > 0]}</preference>" if plan.is_pairwise else None,
        "parse_ok": is_read,
        "truncated": not is_read,
        "acc": right,
        "abs_err": distance,
        "answer": f"<think>{thought}{plan.hostile}" + (f"</think>\n{tag}" if is_read else ""),
    }
