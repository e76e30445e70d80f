"""How preparing grows: rows a second and peak memory for 2,000 and 200,000 rows of about 2 kB each.

Prints a table and asserts no time; the memory has a bound, because a data set must not need a bigger machine.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table
from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast

SAMPLES = Path(__file__).parents[1] / "data/helpsteer2"
SIZES = (2_000, 200_000)
CHARACTERS = 1_800
MOST_GIB = 1.0
# VmHWM and not getrusage: that one also counts what the parent held before this program was started.
PREPARE = """
import sys
from rrm.cli import main
code = main(sys.argv[1:])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print("PEAK", int(status["VmHWM"].split()[0]) * 1024)
sys.exit(code)
"""

pytestmark = pytest.mark.bench


@dataclass(frozen=True)
class Measured:
    """One run of `rrm prepare`: rows read, wall time, peak resident memory, bytes of its input."""

    rows: int
    seconds: float
    peak_gib: float
    input_mb: float


def write_claim(claims: Path) -> list[dict[str, object]]:
    """Write a tokenizer trained on the sample rows; return the rows."""
    rows = [
        json.loads(line)
        for name in ("train.jsonl", "eval.jsonl")
        for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()
    ]
    (claims / "c/model").mkdir(parents=True)
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator((str(row["response"]) for row in rows), vocab_size=8192, show_progress=False)
    bpe.save(str(claims / "c/bpe.tokenizer"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(claims / "c/bpe.tokenizer"))
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    tokenizer.save_pretrained(str(claims / "c/model"))
    (claims / "c/model/config.json").write_text("{}")
    (claims / "c/model/model.safetensors").touch()
    return rows


def write_rows(path: Path, rows: list[dict[str, object]], number: int) -> None:
    """Write as many different rows, each answer made of several answers of the samples."""
    with path.open("w", encoding="utf-8") as file:
        for i in range(number):
            row, answer, step = rows[i % len(rows)], "", 0
            while len(answer) < CHARACTERS - len(str(row["prompt"])):
                answer += f"{rows[(7 * i + step) % len(rows)]['response']}\n"
                step += 1
            text = {"prompt": f"{i // 2}: {row['prompt']}", "response": f"{i}. {answer}"}
            file.write(json.dumps(row | text) + "\n")


def training(folder: Path, number: int) -> Path:
    document = {
        "apiVersion": "training.rrm.dev/v1alpha1",
        "kind": "RewardModelTraining",
        "metadata": {"name": f"scale-{number}"},
        "spec": {
            "method": "Pointwise",
            "model": {"name": "tiny", "volume": {"claimName": "c", "path": "model"}, "reasoning": "Prompted"},
            "data": {"train": [{"format": "helpsteer2_pointwise", "uri": f"pvc://c/{number}.jsonl"}]},
            "workers": {"nodes": 1},
            "checkpoints": {"volume": {"size": "1Gi"}},
        },
    }
    path = folder / f"training-{number}.json"
    path.write_text(json.dumps(document))
    return path


def measure(folder: Path, number: int) -> Measured:
    arguments = ("--volume", str(folder / "volume"), "--claims", str(folder / "claims"))
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, "prepare", str(training(folder, number)), *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1"},
    )
    seconds = time.perf_counter() - start
    assert done.returncode == 0, done.stderr
    peak = int(done.stdout.rpartition("PEAK ")[2])
    size = (folder / f"claims/c/{number}.jsonl").stat().st_size
    return Measured(number, seconds, peak / 2**30, size / 1e6)


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    rows = write_claim(tmp_path / "claims")
    table = Table("rows", "input", "time", "rows a second", "peak memory", title="rrm prepare")
    measured = []
    for number in SIZES:
        write_rows(tmp_path / f"claims/c/{number}.jsonl", rows, number)
        measured.append(one := measure(tmp_path, number))
        rate = f"{one.rows / one.seconds:,.0f}"
        memory = f"{one.peak_gib:.2f} GiB"
        table.add_row(f"{number:,}", f"{one.input_mb:.0f} MB", f"{one.seconds:.1f} s", rate, memory)
    Console(width=100).print(table)
    for one in measured:
        report = json.loads((tmp_path / f"volume/scale-{one.rows}/data/data.json").read_text())
        assert report["prepared"]["readRows"] == one.rows
        assert one.peak_gib <= MOST_GIB
