"""Ask an exported judge about validation rows, in the trainer's environment: FOLDER ROWS COUNT.

Run by its path, as that environment has none of this distribution's packages. Prints one JSON document: how
many rows were asked, how many answers could be read, and the first answer.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from rrm.reasoning import resolve_reasoning
from rrm.scales import Scale
from rrm.templates.verdict import Verdict, parse_verdict
from rrm_api.run import RunFile

MAX_NEW_TOKENS = 16


def main(folder: Path, rows: Path, run: Path, count: int) -> dict[str, object]:
    """Load the model, answer greedily, and count what could be read."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model.eval()
    reasoning = resolve_reasoning(RunFile.model_validate_json(run.read_text()).intent.model)
    table = pq.read_table(rows).slice(0, count).to_pylist()
    answers = [answer(model, tokenizer, row["messages"], reasoning.chat_template_kwargs) for row in table]
    readable = [
        isinstance(
            parse_verdict(text, Scale(int(row["scale_low"]), int(row["scale_high"])), reasoning), Verdict
        )
        for text, row in zip(answers, table, strict=True)
    ]
    return {"asked": len(answers), "readable": sum(readable), "first": answers[0]}


def answer(
    model: Any,
    tokenizer: Any,
    messages: list[dict[str, str]],
    template_arguments: dict[str, bool],
) -> str:
    """Return the judge's greedy answer to one prompt."""
    prompt = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True, **template_arguments
    )
    with torch.no_grad():
        ids = model.generate(**prompt, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
    new = ids[0, prompt["input_ids"].shape[1] :]
    return str(tokenizer.decode(new, skip_special_tokens=True))


if __name__ == "__main__":
    folder_, rows_, run_, count_ = sys.argv[1:5]
    sys.stdout.write(json.dumps(main(Path(folder_), Path(rows_), Path(run_), int(count_))) + "\n")
