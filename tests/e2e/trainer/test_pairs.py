"""Pairs judged both ways round by the real verl: joint rewards, all four cells, filtered groups."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
import yaml

from rrm.reasoning import RULES
from rrm.scales import PREFERENCE
from rrm.templates.pairwise import PairwiseTemplate
from rrm.templates.verdict import Verdict

pytestmark = pytest.mark.verl
SAMPLES = Path(__file__).parents[2] / "data" / "helpsteer2"
LONGEST = 1100
"""Characters of prompt and both answers."""
STEPS = 2
ROWS = 24
"""Validated pairs."""
CONSISTENCY = 0.5
TRAINING = {
    "apiVersion": "training.rrm.dev/v1alpha1",
    "kind": "RewardModelTraining",
    "metadata": {"name": "tiny-pairs"},
    "spec": {
        "method": "Pairwise",
        "preset": "pairwise-v1-8b",  # dynamic batches, groups filtered
        "model": {
            "name": "tiny-qwen3",
            "volume": {"claimName": "demo", "path": "pair-model"},
            "reasoning": "None",
        },
        "data": {
            "train": [{"format": "helpsteer2_pairwise", "uri": "pvc://demo/pairs/train.jsonl"}],
            "validation": {
                "sources": [
                    {"format": "helpsteer2_pairwise", "uri": "pvc://demo/pairs/eval.jsonl", "limit": ROWS}
                ]
            },
            "maxPromptTokens": 600,
            "maxResponseTokens": 16,
        },
        "template": {"task": "Which answer is longer?"},
        "reward": {"pairwise": {"swapConsistencyWeight": str(CONSISTENCY)}},
        "training": {
            "maxSteps": STEPS,
            "batchSize": 4,
            "miniBatchSize": 4,
            "rolloutsPerPrompt": 4,
            "learningRate": "5e-4",
            "klCoefficient": "0",
            "evaluateEverySteps": STEPS,
            "overrides": {
                "actor_rollout_ref.rollout.val_kwargs.n": "4",
                "actor_rollout_ref.rollout.val_kwargs.do_sample": "True",
                "actor_rollout_ref.rollout.val_kwargs.temperature": "1.0",
            },
        },
        "workers": {"nodes": 1, "gpusPerNode": 1, "accelerator": "CPU"},
        "checkpoints": {"volume": {"size": "1Gi"}, "everySteps": STEPS},
        "export": {"enabled": False},
    },
}


class PairRun(NamedTuple):
    """A finished run over pairs."""

    folder: Path
    rollouts: Path
    exit_code: int
    printed: str


def write_pairs(target: Path, name: str) -> None:
    """Make preference rows of the committed ratings: the more verbose answer is preferred."""
    answers: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in (SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        answers[row["prompt"]].append(row)
    lines = []
    for prompt, rated in answers.items():
        if len(rated) == 2 and len(prompt) + sum(len(row["response"]) for row in rated) <= LONGEST:
            strength = max(-3, min(3, rated[1]["verbosity"] - rated[0]["verbosity"]))
            texts = {f"response_{number}": row["response"] for number, row in enumerate(rated, 1)}
            words = {"preference_statement": "", "preference_elaboration": ""}
            lines.append(json.dumps({"prompt": prompt, **texts, "preference_strength": strength, **words}))
    target.mkdir(parents=True, exist_ok=True)
    (target / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def run(
    trainer_python: Path, tmp_path_factory: pytest.TempPathFactory, rrm_command: Callable[..., Any]
) -> PairRun:
    """Two steps over pairs, about three minutes."""
    claims, volume = tmp_path_factory.mktemp("claims"), tmp_path_factory.mktemp("runs")
    for name in ("train", "eval"):
        write_pairs(claims / "demo" / "pairs", name)
    training = claims / "training.yaml"
    rollouts = volume / "rollouts"
    TRAINING["spec"]["training"]["overrides"]["trainer.rollout_data_dir"] = str(rollouts)  # type: ignore[index]
    training.write_text(yaml.safe_dump(TRAINING))
    made = rrm_command(
        "tiny-model",
        claims / "demo" / "pair-model",
        "--training",
        training,
        "--claims",
        claims,
        "--steps",
        "240",
    )
    assert made.returncode == 0, made.stdout
    done = rrm_command("run", training, "--volume", volume, "--claims", claims)
    return PairRun(volume / "tiny-pairs", rollouts, done.returncode, done.stdout)


def is_right(answer: str, label: float) -> bool:
    """Whether an answer names the better one, by the template's own reading."""
    verdict = PairwiseTemplate(reasoning=RULES["None"]).parse(answer)
    return isinstance(verdict, Verdict) and verdict.score == label


def joint(right: bool, right_swapped: bool) -> float:
    """What both orders earn together, worked out by hand from the documented formula."""
    return (1 - CONSISTENCY) * (right + right_swapped) / 2 + CONSISTENCY * (right and right_swapped)


def test_it_goes_to_the_end(run: PairRun) -> None:
    assert run.exit_code == 0, run.printed[-4000:]


def test_each_pair_is_one_row_with_a_prompt_for_either_order(run: PairRun) -> None:
    rows = pq.read_table(run.folder / "data" / "train.parquet").to_pylist()
    assert len({row["pair_id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["messages_swapped"] is not None
        assert row["messages"] != row["messages_swapped"]


def validated(run: PairRun) -> list[dict[str, Any]]:
    """All sessions of both validations."""
    files = [run.folder / "attempt-1" / f"validation-{step}.parquet" for step in (0, STEPS)]
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def trained_on(run: PairRun) -> list[list[dict[str, Any]]]:
    """Both answers of every training session, in order."""
    sessions: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for step in range(1, STEPS + 1):
        for line in (run.rollouts / f"{step}.jsonl").read_text().splitlines():
            answer = json.loads(line)
            sessions[step, answer["uid"].rpartition("_")[0]].append(answer)
    return list(sessions.values())


def cell(answer: str, swapped: str, label: float) -> tuple[bool, bool]:
    return is_right(answer, label), is_right(swapped, -label)


def test_every_validated_session_earns_what_its_cell_should(run: PairRun) -> None:
    rows = validated(run)
    assert len(rows) == 2 * ROWS * 4
    for row in rows:
        assert row["reward"] == pytest.approx(
            joint(*cell(row["answer"], row["answer_swapped"], row["label"]))
        )


def test_both_answers_of_a_training_session_earn_its_joint_reward(run: PairRun) -> None:
    sessions = trained_on(run)
    assert len(sessions) >= STEPS * 4 * 4
    for first, second in sessions:
        assert first["input"] != second["input"], "the other order is another prompt"
        earned = joint(*cell(first["output"], second["output"], float(first["gts"])))
        assert first["score"] == second["score"] == pytest.approx(earned)


def test_all_four_cells_of_right_and_wrong_occur(run: PairRun) -> None:
    cells = Counter(cell(row["answer"], row["answer_swapped"], row["label"]) for row in validated(run))
    cells.update(cell(a["output"], b["output"], float(a["gts"])) for a, b in trained_on(run))
    assert set(cells) == {(True, True), (True, False), (False, True), (False, False)}, cells


def test_no_group_that_teaches_nothing_is_trained_on(run: PairRun) -> None:
    lines = (run.folder / "attempt-1" / "metrics.jsonl").read_text().splitlines()
    steps = [line["data"] for line in map(json.loads, lines) if line["step"] > 0]
    assert len(steps) == STEPS
    for step in steps:
        assert step["rrm/zero_variance_share"] == 0
        assert step["rrm/refilled_prompts"] >= 0
        assert step["training/rollout_probs_diff_max"] < 1e-4


def test_the_pair_scale_is_the_one_of_preferences(run: PairRun) -> None:
    row = pq.read_table(run.folder / "data" / "validation.parquet").to_pylist()[0]
    assert (row["scale_low"], row["scale_high"]) == (PREFERENCE.low, PREFERENCE.high)
