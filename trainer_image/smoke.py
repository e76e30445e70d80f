"""Run inside the image while it is built: can the user who will run it import everything a training needs?

Exits with 1 and one line per problem; a broken image is never tagged.
"""

import importlib
import os
import sys

IMPORTS = (
    "torch",
    "transformers",
    "tensordict",
    "ray",
    "vllm",
    "verl",
    "transfer_queue",
    "rrm.cli",
    "rrm_api.run",
)


def main() -> int:
    """Import everything, do one multiplication, and return the exit code."""
    problems = [problem for name in IMPORTS if (problem := import_problem(name))]
    if os.getuid() == 0:
        problems.append("expected a numeric user other than 0; found root: add USER 1000:1000")
    if not problems:
        import torch

        assert float((torch.ones(2, 2) @ torch.ones(2, 2)).sum()) == 8.0
        # vLLM's distribution has another name in each profile; its module has not.
        versions = (f"{name} {sys.modules[name].__version__}" for name in ("torch", "vllm", "verl", "ray"))
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
