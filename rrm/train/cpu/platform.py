"""verl's own extension point for accelerators: the platform named `cpu`.

Importing the module registers it.
"""

import types
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from verl.plugin.platform import PlatformBase, PlatformRegistry

from rrm.train.cpu.device_module import CPU_DEVICE


@PlatformRegistry.register(platform="cpu")
class CpuPlatform(PlatformBase):  # type: ignore[misc]
    """Answers verl's questions about the accelerator; what has no meaning on a CPU does nothing."""

    @property
    def device_name(self) -> str:
        """Device type as torch names it."""
        return "cpu"

    @property
    def vendor_name(self) -> str:
        """No vendor."""
        return "generic"

    @property
    def device_module(self) -> types.ModuleType:
        """What verl uses in place of `torch.cuda`."""
        return CPU_DEVICE

    def is_available(self) -> bool:
        """There is always a CPU."""
        return True

    def current_device(self) -> torch.device:
        """Return a device and no index, since verl calls `tensor.to(...)` with it."""
        return torch.device("cpu")

    def device_count(self) -> int:
        """One device per process."""
        return 1

    def set_device(self, device_index: int) -> None:
        """Nothing to choose."""

    def synchronize(self, device_index: int | None = None) -> None:
        """CPU kernels are synchronous."""

    def manual_seed(self, seed: int) -> None:
        """Seed torch."""
        torch.manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        """Seed torch."""
        torch.manual_seed(seed)

    def set_allocator_settings(self, settings: str) -> None:
        """No caching allocator."""

    def empty_cache(self) -> None:
        """No caching allocator."""

    def get_device_capability(self, device_index: int = 0) -> tuple[int | None, int | None]:
        """No compute capability."""
        return None, None

    def communication_backend_name(self) -> str:
        """Backend of torch.distributed."""
        return "gloo"

    def visible_devices_envvar(self) -> str:
        """Return the variable that verl clears and sets; it is harmless here."""
        return "CUDA_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        """No profiler ranges."""
        yield

    def profiler_start(self) -> None:
        """No device profiler."""

    def profiler_stop(self) -> None:
        """No device profiler."""

    def ray_resource_name(self) -> str:
        """Ray is started with a logical number of GPUs, by which verl places its workers."""
        return "GPU"

    def ray_noset_envvars(self) -> list[str]:
        """Keep Ray from hiding devices."""
        return ["RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES"]

    def is_ipc_supported(self) -> bool:
        """No CUDA IPC: verl then syncs weights to vLLM over POSIX shared memory."""
        return False

    def cudart(self) -> None:
        """No CUDA runtime."""
