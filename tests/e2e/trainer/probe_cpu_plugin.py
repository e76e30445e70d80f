"""Runs in the trainer's environment with the CPU variables set; prints what the plug-in changed, as JSON."""

import importlib.metadata
import json
import os
import sys

import torch
import torch.distributed as dist
import torch.distributed.fsdp
import verl  # noqa: F401  (loads the plug-in that VERL_USE_EXTERNAL_MODULES names)
from verl.plugin.platform import get_platform

os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": sys.argv[1]}
platform = get_platform()
vllm_was_imported = any(name.split(".")[0] == "vllm" for name in sys.modules)
dist.init_process_group("cpu:gloo,cpu:gloo", rank=0, world_size=1)
total = torch.ones(2)
dist.all_reduce(total)

import vllm.model_executor.layers.utils as linear  # noqa: E402

layer = torch.nn.Linear(2, 2)
weight = layer.weight
linear.dispatch_cpu_unquantized_gemm(layer, remove_weight=True)
facts = {
    "platform": type(platform).__name__,
    "device": str(platform.current_device()),
    "resource": platform.ray_resource_name(),
    "ipc": platform.is_ipc_supported(),
    "memory": platform.device_module.memory_allocated() > 0,
    "vllm": importlib.metadata.version("vllm"),
    "vllm_was_imported": vllm_was_imported,
    "reduced": total.tolist(),
    "pinned": torch.distributed.fsdp.CPUOffloadPolicy(pin_memory=True).pin_memory,
    "keeps_weight": layer.weight is weight,
    "is_plain_linear": layer.cpu_linear is torch.nn.functional.linear,
}
sys.stdout.write("FACTS " + json.dumps(facts) + "\n")
