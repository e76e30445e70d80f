"""Runs in the environment of verl 0.4.0 with the CPU variables set; prints what its pieces do, as JSON.

usage: probe_verl04.py WORK_FOLDER
"""

# ruff: noqa: E402 - the answers come before verl is imported

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rrm.train import cpu04

cpu04.install()
cpu04.install()  # twice, as the child and a worker in one process would

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import torch.distributed as dist
import torch.distributed.fsdp
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen3Config
from verl import DataProto

from rrm.train.hooks.dataset import COLUMNS
from rrm.train.verl04 import merge
from rrm.train.verl04.dataset import PaddedRows
from rrm.train.verl04.worker import SEED, SeededRollout

WORK = Path(sys.argv[1])
VOCABULARY = ["<pad>", "<end>", "<start>", *"abcdefgh"]


def make_model(folder: Path) -> None:
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(VOCABULARY)}, unk_token="a"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>", pad_token="<pad>")
    tokenizer.chat_template = "{% for m in messages %}<start> {{ m['content'] }}{% endfor %}"
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(VOCABULARY),
        hidden_size=20,
        intermediate_size=14,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=10,
        tie_word_embeddings=True,
        initializer_range=0.5,
        eos_token_id=1,
        pad_token_id=0,
        bos_token_id=None,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)


def shims() -> dict[str, Any]:
    with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    meeting = f"file://{WORK}/alone"  # no port that somebody else might take
    dist.init_process_group("cpu:gloo,npu:hccl", init_method=meeting, rank=0, world_size=1)
    total = torch.ones(2)
    dist.all_reduce(total)
    config = AutoConfig.from_pretrained(WORK / "model", attn_implementation="flash_attention_2")
    return {
        "autocast": str(product.dtype),
        "all_reduce": total.tolist(),
        "attention": config._attn_implementation,
        "device": str(torch.cuda.current_device()),
        "pins": torch.distributed.fsdp.CPUOffloadPolicy(pin_memory=True).pin_memory,
        "memory": torch.cpu.max_memory_allocated() > 1_000_000 and torch.cpu.mem_get_info()[0] > 0,
    }


def tokenizer() -> Any:
    return PreTrainedTokenizerFast.from_pretrained(WORK / "model", padding_side="left")


def dataset() -> dict[str, Any]:
    row = dict.fromkeys(COLUMNS) | {
        "row_id": "r",
        "messages": [{"role": "user", "content": "a b c"}],
        "label": 3.0,
        "scale_low": 0,
        "scale_high": 4,
    }
    pq.write_table(pa.Table.from_pylist([row]), WORK / "train.parquet")

    def read(length: int) -> Any:
        config = SimpleNamespace(max_prompt_length=length, get=lambda _: None)
        return PaddedRows(str(WORK / "train.parquet"), tokenizer(), config)[0]

    try:
        read(3)
    except ValueError as error:
        refusal = str(error)
    found = read(6)
    tensors = {name: value.tolist() for name, value in found.items() if isinstance(value, torch.Tensor)}
    return {**tensors, "raw": found["raw_prompt_ids"], "label": found["rrm"]["label"], "refusal": refusal}


class Settings(dict[str, Any]):
    """As verl's configuration: by name and by `get`."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def rollout() -> dict[str, Any]:
    ids = [[3, 4, 5], [6, 7], [8, 9, 10, 3], [4, 4], [5, 6, 7]]

    def prompts(width: int, meta: dict[str, Any]) -> DataProto:
        padded = torch.tensor([[0] * (width - len(row)) + row for row in ids])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in ids])
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        batch = {"input_ids": padded, "attention_mask": mask, "position_ids": positions}
        return DataProto.from_dict(batch, meta_info={"eos_token_id": [1], "pad_token_id": 0, **meta})

    config = Settings(
        do_sample=True,
        temperature=1.0,
        response_length=6,
        n=2,
        micro_batch_size=2,
        val_kwargs=Settings(top_k=0, top_p=1.0, temperature=1.0),
    )
    module = AutoModelForCausalLM.from_pretrained(WORK / "model")
    sampler = SeededRollout(module, config)

    def answers(width: int = 6, **meta: Any) -> list[list[int]]:
        found: list[list[int]] = sampler.generate_sequences(prompts(width, meta)).batch["responses"].tolist()
        return found

    before = torch.random.get_rng_state()
    first = answers(**{SEED: 1})
    return {
        "count": len(first),
        "same seed": first == answers(**{SEED: 1}),
        "other seed": first == answers(**{SEED: 2}),
        "own numbers untouched": bool(torch.equal(before, torch.random.get_rng_state())),
        "padding is not seen": answers(4, do_sample=False) == answers(9, do_sample=False),
    }


def save_shard(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/pair", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,), mesh_dim_names=("fsdp",))
    state = AutoModelForCausalLM.from_pretrained(folder + "/model").state_dict()
    split = {name: distribute_tensor(tensor, mesh, [Shard(0)]) for name, tensor in state.items()}
    torch.save(split, f"{folder}/actor/model_world_size_2_rank_{rank}.pt")
    dist.destroy_process_group()


def merging() -> dict[str, Any]:
    actor = WORK / "actor"
    actor.mkdir()
    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        (actor / name).write_bytes((WORK / "model" / name).read_bytes())
    torch.multiprocessing.spawn(save_shard, (str(WORK),), nprocs=2)
    merge.merge(actor, WORK / "merged")
    whole = AutoModelForCausalLM.from_pretrained(WORK / "model").state_dict()
    found = AutoModelForCausalLM.from_pretrained(WORK / "merged").state_dict()
    (actor / "model_world_size_2_rank_1.pt").unlink()
    try:
        merge.merge(actor, WORK / "half")
    except ValueError as error:
        refusal = str(error)
    return {
        "equal": all(np.array_equal(found[n].float(), whole[n].bfloat16().float()) for n in whole),
        "names": sorted(found) == sorted(whole),
        "refusal": refusal,
    }


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    make_model(WORK / "model")
    facts = {part.__name__: part() for part in (shims, dataset, rollout, merging)}
    sys.stdout.write("FACTS " + json.dumps(facts) + "\n")
