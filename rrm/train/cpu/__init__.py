"""The CPU accelerator: a plug-in that lets the unmodified verl 0.9.1 and vLLM train without a GPU.

verl imports the modules named by `VERL_USE_EXTERNAL_MODULES` in each of its processes, vLLM's workers
included; importing this one installs the platform and the shims. Nothing happens unless `VERL_PLATFORM` is
`cpu`, so a GPU run that merely has the package on its path stays untouched. `rrm.train.environment` sets both
variables; nobody may import this package before they are set, for Python imports it only once.
"""

import os

if os.environ.get("VERL_PLATFORM") == "cpu":
    from rrm.train.cpu.install import install

    install()
