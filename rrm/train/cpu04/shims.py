"""Six answers to what verl 0.4.0 takes for granted. Each function names what it answers and why.

All touch pinned versions (verl 0.4.0, torch 2.13.0, transformers 4.51.3). Each marks what it put in place,
so a second call finds it done.
"""

import functools
from collections.abc import Callable
from typing import Any

OURS = "is_rrms_answer"


def _put(owner: Any, name: str, answer: Callable[..., Any]) -> None:
    answer.__dict__[OURS] = True
    setattr(owner, name, answer)


def _is_done(owner: Any, name: str) -> bool:
    # Of the object itself: a class inherits the mark of its parent, but is not the answer.
    return OURS in getattr(getattr(owner, name, None), "__dict__", {})


def answer_for_the_device() -> None:
    """Give `torch.cpu` the functions of `torch.cuda` that verl calls on whatever device there is.

    Memory is what this process holds and what the machine has, in bytes.
    """
    import psutil
    import torch

    def held(*_: Any) -> int:
        return int(psutil.Process().memory_info().rss)

    def free_and_total(*_: Any) -> tuple[int, int]:
        memory = psutil.virtual_memory()
        return int(memory.available), int(memory.total)

    answers: dict[str, Callable[..., Any]] = {
        "memory_allocated": held,
        "memory_reserved": held,
        "max_memory_allocated": held,
        "max_memory_reserved": held,
        "mem_get_info": free_and_total,
        "empty_cache": lambda: None,
        "get_device_name": lambda *_: "cpu",
    }
    for name, answer in answers.items():
        if not hasattr(torch.cpu, name):
            setattr(torch.cpu, name, answer)


def stand_still_for_cuda() -> None:
    """Let `torch.cuda.current_device` name the CPU and `torch.cuda.set_device` do nothing.

    Answers: `fsdp_utils` moves tensors to `torch.cuda.current_device()` without asking what device there is.
    """
    import torch

    if not _is_done(torch.cuda, "current_device"):
        _put(torch.cuda, "current_device", lambda: torch.device("cpu"))
        _put(torch.cuda, "set_device", lambda device: None)


def speak_gloo() -> None:
    """Start process groups on gloo whatever accelerator's backend is asked for.

    Answers: where there is no CUDA, verl asks for `hccl`, the backend of another vendor's accelerator.
    """
    import torch.distributed

    original = torch.distributed.init_process_group
    if _is_done(torch.distributed, "init_process_group"):
        return

    @functools.wraps(original)
    def init_process_group(backend: str | None = None, *arguments: Any, **keywords: Any) -> Any:
        is_foreign = backend is not None and any(name in backend for name in ("nccl", "hccl"))
        return original("cpu:gloo" if is_foreign else backend, *arguments, **keywords)

    _put(torch.distributed, "init_process_group", init_process_group)


def never_pin_memory() -> None:
    """Make FSDP2's `CPUOffloadPolicy` use ordinary memory.

    Answers: with a reference policy verl asks for pinned memory; without an accelerator torch dies with
    "Cannot access accelerator device when none is available".
    """
    import torch.distributed.fsdp

    original = torch.distributed.fsdp.CPUOffloadPolicy
    if OURS in vars(original):
        return

    class UnpinnedCPUOffloadPolicy(original):  # type: ignore[misc, valid-type]
        def __init__(self, pin_memory: bool = False) -> None:
            super().__init__(pin_memory=False)

    setattr(UnpinnedCPUOffloadPolicy, OURS, True)
    torch.distributed.fsdp.CPUOffloadPolicy = UnpinnedCPUOffloadPolicy


def compute_in_float32() -> None:
    """Switch automatic casting off.

    Answers: the actor computes under `torch.autocast(..., bfloat16)` whatever the configured precision is,
    so on a CPU it would judge answers in another precision than the rollout that gave them.
    """
    import torch

    original = torch.autocast
    if OURS in vars(original):
        return

    class DisabledAutocast(original):  # type: ignore[misc, valid-type]
        def __init__(
            self, device_type: str, dtype: Any = None, enabled: bool = True, **keywords: Any
        ) -> None:
            super().__init__("cpu", dtype=dtype, enabled=False, **keywords)

    setattr(DisabledAutocast, OURS, True)
    torch.autocast = DisabledAutocast


def attend_without_flash() -> None:
    """Load models with torch's own attention where flash attention is asked for.

    Answers: verl hard-wires `flash_attention_2`, which needs a GPU.
    """
    from transformers import AutoConfig

    original = AutoConfig.from_pretrained
    if OURS in getattr(original, "__dict__", {}):
        return

    @functools.wraps(original)
    def from_pretrained(*arguments: Any, **keywords: Any) -> Any:
        if keywords.get("attn_implementation") == "flash_attention_2":
            keywords["attn_implementation"] = "sdpa"
        return original(*arguments, **keywords)

    _put(AutoConfig, "from_pretrained", from_pretrained)
