"""The CPU accelerator: a plug-in that lets the unmodified verl 0.9.1 and vLLM train without a GPU.

verl imports the modules named by `VERL_USE_EXTERNAL_MODULES` in each of its processes, vLLM's workers
included; importing this one installs the platform and the shims. Nothing happens unless `VERL_PLATFORM` is
`cpu`, so a GPU run that merely has the package on its path stays untouched. `environment()` is what the
processes need to be started with.
"""

import os
from typing import Final

PLATFORM_VARIABLE: Final = "VERL_PLATFORM"


def environment() -> dict[str, str]:
    """Return the environment variables of every process of a CPU run, as pods and `rrm run` set them."""
    return {
        PLATFORM_VARIABLE: "cpu",
        # The FSDP engines are registered for cuda and npu only; this makes the registry hand them out here
        # too.
        "VERL_ENGINE_DEVICE": "cuda",
        "VERL_USE_EXTERNAL_MODULES": __name__,
        # GiB for vLLM's cache; its default takes half of the machine.
        "VLLM_CPU_KVCACHE_SPACE": "1",
        # Pinning threads to cores fights with the other processes of the run on a small machine.
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": "1",
        # vLLM's sampler is compiled with inductor otherwise, which wants a C++ compiler in the image.
        "TORCHDYNAMO_DISABLE": "1",
    }


if os.environ.get(PLATFORM_VARIABLE) == "cpu":
    from rrm.train.cpu.install import install

    install()
