"""The unmodified verl 0.4.0 on a CPU: without a plug-in hook, each process calls `install` when it starts.

Ray does that in its workers (`worker_process_setup_hook`, see `rrm.train.verl04.runner`), the child by
itself. Nothing happens unless `VERL_PLATFORM` is `cpu`, which `rrm.train.environment` sets: a GPU run that
merely has the package on its path stays untouched.
"""

import os


def install() -> None:
    """Make verl in this process use the CPU; before it is imported. Calling it again changes nothing."""
    if os.environ.get("VERL_PLATFORM") != "cpu":
        return
    from rrm.train.cpu04 import shims

    shims.answer_for_the_device()
    shims.stand_still_for_cuda()
    shims.speak_gloo()
    shims.never_pin_memory()
    shims.compute_in_float32()
    shims.attend_without_flash()
