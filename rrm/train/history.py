"""The metrics of a training's steps across its attempts: what each logged, as far as it still counts."""

import json
from pathlib import Path
from typing import Any

from rrm_api.run import Layout

Steps = dict[int, dict[str, Any]]
"""Step -> metric -> value."""


def read_steps(layout: Layout, *, up_to: int | None = None) -> Steps:
    """Return what was logged of each step; a later attempt's word replaces an earlier one's.

    Args:
        layout: Where the training lies.
        up_to: Last step that counts: what an attempt did after the checkpoint it was resumed from is undone.
    """
    attempts = {
        int(folder.name.removeprefix("attempt-")): folder
        for folder in layout.root.glob("attempt-*")
        if folder.name.removeprefix("attempt-").isdigit()
    }
    steps: Steps = {}
    for number in sorted(attempts):
        own = read_attempt(attempts[number] / "metrics.jsonl")
        if own:
            # It began after the step it was resumed from; whatever came later before it was not kept.
            steps = {step: metrics for step, metrics in steps.items() if step < min(own)}
        steps.update(own)
    return {step: steps[step] for step in sorted(steps) if up_to is None or step <= up_to}


def read_attempt(metrics: Path) -> Steps:
    """Return what one attempt logged; a last line that is half written does not count."""
    if not metrics.is_file():
        return {}
    steps: Steps = {}
    for line in metrics.read_text().rpartition("\n")[0].splitlines():
        document = json.loads(line)
        steps.setdefault(int(document["step"]), {}).update(document["data"])
    return steps
