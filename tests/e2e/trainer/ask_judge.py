"""Runs in the trainer's environment: loads an exported judge with transformers alone and lets it answer rows.

usage: ask_judge.py EXPORT_FOLDER VALIDATION_PARQUET [SAMPLES]; prints the answers as JSON: the likeliest to
each row or, with a number of samples, so many rounds of answers drawn at temperature 1.
"""

import json
import sys

import pyarrow.parquet as pq
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, rows = sys.argv[1], pq.read_table(sys.argv[2]).to_pylist()
config = json.load(open(f"{folder}/judge.json"))
tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
model = AutoModelForCausalLM.from_pretrained(folder).float().eval()
texts = [
    tokenizer.apply_chat_template(
        row["messages"], tokenize=False, add_generation_prompt=True, **config["chatTemplateArguments"]
    )
    for row in rows
]
batch = tokenizer(texts, add_special_tokens=False, return_tensors="pt", padding=True)
torch.manual_seed(0)
samples = int(sys.argv[3]) if len(sys.argv) > 3 else 0
how = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0} if samples else {"do_sample": False}
answers = []
with torch.no_grad():
    for _ in range(samples or 1):
        output = model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=16,
            **how,
        )
        new = output[:, batch["input_ids"].shape[1] :]
        answers += tokenizer.batch_decode(new, skip_special_tokens=True)
sys.stdout.write("ANSWERS " + json.dumps(answers) + "\n")
