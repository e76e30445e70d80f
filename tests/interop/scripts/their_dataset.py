"""Dataset classes of a user on parquet files, alone and through our adapter; one answer per question."""

import importlib
import json
import sys
from pathlib import Path

from omegaconf import OmegaConf
from transformers import AutoTokenizer

from rrm.errors import RrmError
from rrm.train.hooks.upstream_dataset import SETTING, UpstreamRows

asked = json.loads(Path(sys.argv[1]).read_text())
tokenizer = AutoTokenizer.from_pretrained(asked["tokenizer"])


def plain(item):
    return {
        "raw_prompt_ids": [int(token) for token in item["raw_prompt_ids"]],
        "ground_truth": item["reward_model"]["ground_truth"],
        "data_source": item["data_source"],
        "raw_prompt": item.get("raw_prompt"),
        "keys": sorted(item),
        "rrm": item.get("rrm"),
    }


def answer(question):
    config = OmegaConf.create({"max_prompt_length": 4096, "truncation": "right"})
    answered = {}
    if "file" in question:
        module, _, name = question["entry_point"].partition(":")
        alone = getattr(importlib.import_module(module), name)(question["file"], tokenizer, config)
        answered["alone"] = [plain(alone[i]) for i in range(len(alone))]
    if "prepared" in question:
        config[SETTING] = question["entry_point"]
        try:
            rows = UpstreamRows(
                data_files=[question["prepared"]],
                tokenizer=tokenizer,
                config=config,
                processor=None,
                max_samples=question.get("max_samples", -1),
                is_train=True,
            )
            answered["adapted"] = [plain(rows[i]) for i in range(len(rows))]
        except RrmError as error:
            answered["error"] = [int(error.exit_code), str(error)]
    return answered


Path(sys.argv[2]).write_text(json.dumps([answer(question) for question in asked["questions"]]))
