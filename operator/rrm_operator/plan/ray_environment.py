"""Environment variables of Ray pods, by accelerator."""

from typing import Final

from rrm_api.run import SECRET_VARIABLES_ENV
from rrm_api.spec_pods import Accelerator
from rrm_api.v1alpha1 import RewardModelTrainingSpec

_RAY: Final = {
    # A worker that lost its head goes on writing checkpoints until it gives up; the default is 60 s.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "15",
    # From SIGTERM to SIGKILL when a job is stopped, 3 s by default: the trainer's parent still has to report.
    "RAY_JOB_STOP_WAIT_TIME_S": "25",
    "RAY_DEDUP_LOGS": "0",
    "HYDRA_FULL_ERROR": "1",
    "VLLM_NO_USAGE_STATS": "1",
}
_NVIDIA: Final = {
    # What RM-Gallery's recipes set for every run.
    "TORCH_NCCL_AVOID_RECORD_STREAMS": "1",
    "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:False",
}
_CPU: Final = {
    # Ray's own start takes longer than its defaults allow where many processes share few cores.
    "RAY_raylet_start_wait_time_s": "180",
    "RAY_agent_register_timeout_ms": "180000",
    "RAY_worker_register_timeout_seconds": "180",
    "RAY_memory_monitor_refresh_ms": "0",
    "VERL_PLATFORM": "cpu",
    # verl registers its FSDP engines for accelerators only.
    "VERL_ENGINE_DEVICE": "cuda",
    "VERL_USE_EXTERNAL_MODULES": "rrm.train.cpu",
    # GiB.
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    # vLLM compiles its sampler otherwise, which wants a C++ compiler in the image.
    "TORCHDYNAMO_DISABLE": "1",
}


def ray_environment(spec: RewardModelTrainingSpec) -> tuple[tuple[str, str], ...]:
    """Return the environment of head and workers."""
    accelerator = _CPU if spec.workers.accelerator is Accelerator.CPU else _NVIDIA
    # Rows are prepared and weights are on a volume: nothing may go to a hub while GPUs wait.
    offline = {"HF_HUB_OFFLINE": "1"} if spec.model.volume is not None else {}
    return tuple({**_RAY, **accelerator, **offline, **secret_variables(spec)}.items())


def secret_variables(spec: RewardModelTrainingSpec) -> dict[str, str]:
    """Return which variables hold secrets though their names do not tell: the trainer masks their values."""
    names = [entry.name for entry in spec.env if entry.value_from is not None]
    return {SECRET_VARIABLES_ENV: ",".join(names)} if names else {}
