"""Datasets of the user that were written for RM-Gallery: recognised by their hooks, without importing it."""

import inspect
from typing import Any, Final

HOOKS: Final = ("_build_messages", "_extract_ground_truth")
"""What the dataset classes of RM-Gallery and of OpenJudge have in common."""
RM_GALLERY_HOOKS: Final = ("_apply_chat_template", "_get_data_source")
OPENJUDGE_HOOKS: Final = ("_format_template",)


def is_upstream_dataset(thing: Any) -> bool:
    """Tell whether an entry point names a training dataset of RM-Gallery's or OpenJudge's kind.

    >>> is_upstream_dataset(dict)
    False
    """
    return inspect.isclass(thing) and _has(thing, HOOKS) and (_is_rm_gallery(thing) or reads_nested(thing))


def reads_nested(cls: type) -> bool:
    """Tell whether a dataset reads nested columns (OpenJudge) instead of JSON texts (RM-Gallery)."""
    return _has(cls, OPENJUDGE_HOOKS) and not _is_rm_gallery(cls)


def looks_upstream(thing: Any) -> bool:
    """Tell whether a class is meant to be such a dataset: it writes at least one of the common hooks."""
    return inspect.isclass(thing) and any(_has(thing, (hook,)) for hook in HOOKS)


def missing_hooks(cls: type) -> list[str]:
    """Return the hooks that a dataset still has to write: those that are abstract or not there at all.

    >>> missing_hooks(type("Mine", (), {"_build_messages": print, "_format_template": print}))
    ['_extract_ground_truth']
    """
    rest = OPENJUDGE_HOOKS if reads_nested(cls) else RM_GALLERY_HOOKS
    absent = {hook for hook in (*HOOKS, *rest) if not _has(cls, (hook,))}
    return sorted(absent | set(getattr(cls, "__abstractmethods__", ())))


def _is_rm_gallery(cls: type) -> bool:
    return _has(cls, RM_GALLERY_HOOKS)


def _has(cls: type, hooks: tuple[str, ...]) -> bool:
    return all(callable(getattr(cls, hook, None)) for hook in hooks)
