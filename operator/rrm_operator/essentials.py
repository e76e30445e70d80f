"""A status without the words of others: what is left to be told when the API server refuses the whole.

It holds all that is read back and decided upon; pure.
"""

from typing import Final

from rrm_operator.facts import Manifest

UNTOLD: Final = (
    "not told: the API server refused the words of this status; the operator's log names the field"
)

_OURS: Final = (
    "observedGeneration",
    "stage",
    "attempt",
    "startTime",
    "completionTime",
    "gpuSeconds",
    "active",
    "lastHandledRetry",
)
_OURS_WITHIN: Final = {"resolved": ("image", "requestedImage"), "checkpoints": ("latestStep",)}
_OF_THE_TRAINER: Final = frozenset({"message", "fromStep", "toStep"})
"""Members of an attempt that nothing is decided upon."""


def essentials(old: Manifest, new: Manifest) -> Manifest:
    """Return a status that is new in what is decided upon, and in all else what was accepted before.

    >>> essentials({"base": [1]}, {"stage": "Training", "base": [2], "conditions": []})
    {'base': [1], 'stage': 'Training', 'conditions': []}
    """
    told = {name: part for name, part in old.items() if name in new}
    told |= {name: new[name] for name in _OURS if name in new}
    told["conditions"] = [{**it, "message": UNTOLD if it.get("message") else ""} for it in new["conditions"]]
    if "attempts" in new:
        told["attempts"] = [_without(_OF_THE_TRAINER, it) for it in new["attempts"]]
    if "failure" in new:
        told["failure"] = {**_without(frozenset({"exitCode", "logTail"}), new["failure"]), "message": UNTOLD}
    for part, names in _OURS_WITHIN.items():
        if ours := {name: new[part][name] for name in names if name in new.get(part, {})}:
            told[part] = {**old.get(part, {}), **ours}
    return told


def _without(names: frozenset[str], document: Manifest) -> Manifest:
    return {name: it for name, it in document.items() if name not in names}
