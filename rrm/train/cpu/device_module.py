"""A module with the functions of `torch.cuda` that verl calls, answered for a CPU.

Memory figures are those of the process; streams and synchronisation do nothing, since CPU kernels are
synchronous.
"""

import types
from typing import Any, Final, Self

import psutil
import torch


class Stream:
    """A stream that is always done."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def wait_stream(self, *_: Any) -> None:
        """Return at once."""

    def wait_event(self, *_: Any) -> None:
        """Return at once."""

    def synchronize(self) -> None:
        """Return at once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


def _nothing(*_: Any, **__: Any) -> None:
    """Stand for a call that has no meaning on a CPU."""


def _resident_bytes(*_: Any) -> int:
    return int(psutil.Process().memory_info().rss)


def _free_and_total_bytes(*_: Any) -> tuple[int, int]:
    memory = psutil.virtual_memory()
    return int(memory.available), int(memory.total)


def build() -> types.ModuleType:
    """Return the module; each name is one that verl's workers look up on `torch.cuda`."""
    module = types.ModuleType("rrm_cpu_device")
    module.__dict__.update(
        is_available=lambda: True,
        device_count=lambda: 1,
        current_device=lambda: 0,
        set_device=_nothing,
        synchronize=_nothing,
        empty_cache=_nothing,
        ipc_collect=_nothing,
        reset_peak_memory_stats=_nothing,
        memory_allocated=_resident_bytes,
        memory_reserved=_resident_bytes,
        max_memory_allocated=_resident_bytes,
        max_memory_reserved=_resident_bytes,
        memory_stats=lambda *_, **__: {},
        mem_get_info=_free_and_total_bytes,
        set_per_process_memory_fraction=_nothing,
        manual_seed=torch.manual_seed,
        manual_seed_all=torch.manual_seed,
        get_rng_state=lambda *_: torch.get_rng_state(),
        set_rng_state=lambda state, *_: torch.set_rng_state(state),
        Stream=Stream,
        stream=lambda *_: Stream(),
        current_stream=lambda *_: Stream(),
        default_stream=lambda *_: Stream(),
        get_device_name=lambda *_: "cpu",
        get_device_capability=lambda *_: (0, 0),
    )
    return module


CPU_DEVICE: Final = build()
