"""How fast the light trainer is: import, help, 2,000 rows, one answer; prints, asserts no time."""

import json
import subprocess
import sys
import time
import timeit
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table
from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast

from rrm.reasoning import RULES
from rrm.rewards import score_answer
from rrm.scales import Scale
from rrm_api.spec_data import ExponentialReward, Reward
from rrm_api.spec_train import Reasoning

SAMPLES = Path(__file__).parents[1] / "data/helpsteer2"
ROWS = 2_000
LIMITS_SECONDS = {"import rrm": 0.5, "rrm --help": 0.5, f"rrm prepare, {ROWS} rows": 10.0}
LIMIT_MICROSECONDS = 100.0

pytestmark = pytest.mark.bench


def seconds(code: str, *arguments: str, repeats: int = 3) -> float:
    """Return the best wall time of a Python process."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def write_claim(claims: Path) -> None:
    """Write 2,000 different rows, made of the sample rows, and a tokenizer."""
    rows = [
        json.loads(line)
        for name in ("train.jsonl", "eval.jsonl")
        for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()
    ]
    many = [rows[i % len(rows)] | {"prompt": f"{i}: {rows[i % len(rows)]['prompt']}"} for i in range(ROWS)]
    (claims / "c/model").mkdir(parents=True)
    (claims / "c/train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in many), encoding="utf-8")
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator((row["response"] for row in rows), vocab_size=8192, show_progress=False)
    bpe.save(str(claims / "c/bpe.tokenizer"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(claims / "c/bpe.tokenizer"))
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    tokenizer.save_pretrained(str(claims / "c/model"))
    (claims / "c/model/config.json").write_text("{}")
    (claims / "c/model/model.safetensors").touch()


def training(folder: Path) -> Path:
    document = {
        "apiVersion": "training.rrm.dev/v1alpha1",
        "kind": "RewardModelTraining",
        "metadata": {"name": "bench"},
        "spec": {
            "method": "Pointwise",
            "model": {"name": "tiny", "volume": {"claimName": "c", "path": "model"}, "reasoning": "Prompted"},
            "data": {"train": [{"format": "helpsteer2_pointwise", "uri": "pvc://c/train.jsonl"}]},
            "workers": {"nodes": 1},
            "checkpoints": {"volume": {"size": "1Gi"}},
        },
    }
    path = folder / "training.json"
    path.write_text(json.dumps(document))
    return path


def microseconds(answer: str) -> float:
    """Return the best mean time to read and pay one answer."""
    reward, rule, scale = Reward(exponential=ExponentialReward()), RULES[Reasoning.NATIVE], Scale(0, 4)
    timer = timeit.Timer(lambda: score_answer(answer, 3.0, scale=scale, reward=reward, reasoning=rule))
    return min(timer.repeat(5, 1_000)) / 1_000 * 1e6


def test_the_light_trainer_is_measured(tmp_path: Path) -> None:
    write_claim(tmp_path / "claims")
    command = "import sys; from rrm.cli import main; sys.exit(main(sys.argv[1:]))"
    folders = ("--volume", str(tmp_path / "volume"), "--claims", str(tmp_path / "claims"))
    measured = {
        "import rrm": seconds("import rrm"),
        "rrm --help": seconds(command, "--help"),
        f"rrm prepare, {ROWS} rows": seconds(command, "prepare", str(training(tmp_path)), *folders),
    }
    answers = {
        "reward, 2 kB of thinking": "<think>" + "word " * 395 + "</think><score>3</score>",
        "reward, 2 kB of open tags": "<score>" * 290,
        "reward, 2 kB of thinking tags": "<think></think>" * 135,
        "reward, 2 kB beyond ASCII": "\u00dcber Den Satz " * 130 + "</think><score>3</score>",
    }
    table = Table("what", "measured", "limit", title="Light trainer")
    for name, value in measured.items():
        table.add_row(name, f"{value:.2f} s", f"{LIMITS_SECONDS[name]:.1f} s")
    for name, answer in answers.items():
        table.add_row(name, f"{microseconds(answer):.1f} us", f"{LIMIT_MICROSECONDS:.0f} us")
    Console(width=100).print(table)
    report = json.loads((tmp_path / "volume/bench/data/data.json").read_text())
    assert report["prepared"]["readRows"] == ROWS
