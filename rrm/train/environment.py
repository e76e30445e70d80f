"""Environment variables that every process of a run needs, on whichever node it is."""

from collections.abc import MutableMapping
from typing import Final

from rrm_api.run import Intent
from rrm_api.spec_pods import Accelerator

QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HYDRA_FULL_ERROR": "1",
    "PYTHONUNBUFFERED": "1",
}
"""No calls home, whole errors, and lines that arrive when they are written."""

CPU: Final = {
    # Ray's own start takes longer than its defaults allow where many processes share few cores.
    "RAY_raylet_start_wait_time_s": "180",
    "RAY_agent_register_timeout_ms": "180000",
    "RAY_worker_register_timeout_seconds": "180",
    # It kills workers by the whole machine's memory, page cache included.
    "RAY_memory_monitor_refresh_ms": "0",
    "VERL_PLATFORM": "cpu",
    # The FSDP engines are registered for cuda and npu only; this makes the registry hand them out here too.
    "VERL_ENGINE_DEVICE": "cuda",
    "VERL_USE_EXTERNAL_MODULES": "rrm.train.cpu",
    # GiB for vLLM's cache; its default takes half of the machine.
    "VLLM_CPU_KVCACHE_SPACE": "1",
    # Pinning threads to cores fights with the other processes of the run on a small machine.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    # Else the queue warns thousands of times that it must not use the 8 threads of its default.
    "TQ_NUM_THREADS": "1",
    # vLLM's sampler is compiled with inductor otherwise, which wants a C++ compiler in the image.
    "TORCHDYNAMO_DISABLE": "1",
}
"""What the plug-in `rrm.train.cpu` and vLLM on a CPU are switched on by."""


def environment_for(intent: Intent) -> dict[str, str]:
    """Return the variables of a run."""
    is_cpu = intent.accelerator is Accelerator.CPU
    is_offline = intent.model.volume is not None
    return {**QUIET, **(CPU if is_cpu else {}), **({"HF_HUB_OFFLINE": "1"} if is_offline else {})}


def add_environment(intent: Intent, environ: MutableMapping[str, str]) -> dict[str, str]:
    """Set the variables that are not set yet and return those: Ray has to bring them to the other nodes."""
    added = {name: value for name, value in environment_for(intent).items() if name not in environ}
    environ.update(added)
    return added
