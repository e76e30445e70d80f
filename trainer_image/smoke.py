"""Run inside the image while it is built: can the user who will run it import everything a training needs?

Exits with 1 and one line per problem; a broken image is never tagged.
"""

import importlib
import os
import sys
from importlib.metadata import version

IMPORTS = ("torch", "transformers", "tensordict", "ray", "verl", "rrm.cli", "rrm_api.run")
NEWER_ENGINE = ("vllm", "transfer_queue")
"""What verl 0.4.0 has no use for on a CPU, where its rollout is the trainer's own."""


def main() -> int:
    """Import everything, do one multiplication, and return the exit code."""
    is_older = version("verl").startswith("0.4.")
    names = IMPORTS if is_older else (*IMPORTS, *NEWER_ENGINE)
    problems = [problem for name in names if (problem := import_problem(name))]
    if os.getuid() == 0:
        problems.append("expected a numeric user other than 0; found root: add USER 1000:1000")
    if not problems:
        import torch

        assert float((torch.ones(2, 2) @ torch.ones(2, 2)).sum()) == 8.0
        # vLLM's distribution has another name in each profile; its module has not.
        told = [name for name in ("torch", "vllm", "verl", "ray") if name in sys.modules]
        versions = (f"{name} {sys.modules[name].__version__}" for name in told)
        sys.stdout.write(f"smoke test passed: {', '.join(versions)}\n")
    for problem in problems:
        sys.stderr.write(f"smoke test: {problem}\n")
    return 1 if problems else 0


def import_problem(name: str) -> str | None:
    """Import a module and return what went wrong, None if nothing did."""
    try:
        importlib.import_module(name)
    except ImportError as error:
        return f"import {name}: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main())
