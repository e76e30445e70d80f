"""How fast the light trainer is: import, help, 2,000 rows, one answer; prints, asserts no time."""

import json
import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table
from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast

from rrm.reasoning import RULES
from rrm.rewards import score_answer
from rrm.sample import ChatMessage, DataOutput, DataSample, Step
from rrm.scales import PREFERENCE, Scale
from rrm.templates.pairwise import PairwiseTemplate
from rrm.templates.pointwise import PointwiseTemplate
from rrm.templates.verdict import ParseFailure
from rrm_api.spec_data import ExponentialReward, PairwiseReward, Reward
from rrm_api.spec_train import Reasoning

SAMPLES = Path(__file__).parents[1] / "data/helpsteer2"
ROWS = 2_000
LIMITS_SECONDS = {"import rrm": 0.5, "rrm --help": 0.5, f"rrm prepare, {ROWS} rows": 10.0}
LIMIT_MICROSECONDS = 10.0
LENGTHS = (10_000, 100_000)
"""Characters of adversarial text; ten times the text takes about ten times as long, not a hundred times."""
ADVERSARIAL = {
    "open tags": ("", "<score>", ""),
    "closing tags": ("", "</score>", ""),
    "nested scores": ("", "<score><score>3</score>", ""),
    "thinking tags": ("", "<think></think>", ""),
    "brackets": ("", "<", ""),
    "one long number": ("<score>", "3", "</score>"),
    "blanks before a head's colon": ("\nAnswer", " ", ":"),
    "heads": ("", "\nAnswer:", ""),
    "an example's head": ("\nExample ", "1", " question:"),
    "brackets and blanks": ("", "< /", ""),
}

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


def microseconds(call: Callable[[], object], *, times: int = 1_000) -> float:
    """Return the best mean time of a call, of our own process: other work on the machine does not count."""
    return min(timeit.Timer(call, timer=time.process_time).repeat(5, times)) / times * 1e6


def microseconds_to_pay(answer: str) -> tuple[float, float]:
    """Return the best mean times to read and pay one answer: as a score, and as a preference."""
    rule, scale = RULES[Reasoning.NATIVE], Scale(0, 4)
    score = partial(
        score_answer,
        template=PointwiseTemplate(label="helpfulness", scale=scale, reasoning=rule),
        scale=scale,
        reward=Reward(exponential=ExponentialReward()),
    )
    prefer = partial(
        score_answer,
        template=PairwiseTemplate(rule),
        scale=PREFERENCE,
        reward=Reward(pairwise=PairwiseReward(strength_weight="0.5")),
    )
    pair = answer.replace("score>3", "better>A").replace("score>", "better>")[-len(answer) :]
    return microseconds(lambda: score(answer, 3.0)), microseconds(lambda: prefer(pair, -1.0, strength=0.5))


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
        score, preference = microseconds_to_pay(answer)
        table.add_row(name, f"{score:.1f} us", f"{LIMIT_MICROSECONDS:.0f} us")
        table.add_row(f"{name}, a pair", f"{preference:.1f} us", f"{LIMIT_MICROSECONDS:.0f} us")
    Console(width=100).print(table)
    report = json.loads((tmp_path / "volume/bench/data/data.json").read_text())
    assert report["prepared"]["readRows"] == ROWS


def test_adversarial_text_is_read_and_quoted_in_linear_time() -> None:
    template = PointwiseTemplate(label="helpfulness", scale=Scale(0, 4), reasoning=RULES[Reasoning.NONE])
    table = Table(
        "text", "read 10 kB", "100 kB", "ratio", "quoted 10 kB", "100 kB", "ratio", title="Adversarial"
    )
    for name, (before, piece, after) in ADVERSARIAL.items():
        texts = [before + piece * (length // len(piece)) + after for length in LENGTHS]
        samples = [
            DataSample(unique_id="x", input=(ChatMessage(),), output=(DataOutput(answer=Step(content=text)),))
            for text in texts
        ]
        read = [microseconds(partial(template.parse, text), times=20) for text in texts]
        quoted = [microseconds(partial(template.format, sample), times=2) for sample in samples]
        cells = [f"{value:.0f} us" for value in (*read, *quoted)]
        ratios = [f"{long / short:.1f}" for short, long in (read, quoted)]
        table.add_row(name, *cells[:2], ratios[0], *cells[2:], ratios[1])
        assert all(isinstance(template.parse(text), ParseFailure) for text in texts)
    Console(width=120).print(table)
