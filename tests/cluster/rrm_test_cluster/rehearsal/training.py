"""A training whose attempts rehearse: real operator, pods, Ray, prepare Job, parent; another child."""

from pathlib import Path
from typing import Any, Final

import yaml

from rrm.train.parent import CHILD_MODULE_VARIABLE
from rrm_test_cluster.client import Manifest
from rrm_test_cluster.demo.places import EXAMPLE
from rrm_test_cluster.rehearsal import child, orders
from rrm_test_cluster.rehearsal.orders import Rehearsal

PLUGINS: Final = "rehearsal"
"""ConfigMap with the child, in the namespace of the training."""
MODULE: Final = "rrm_rehearsal_child"
"""What the child is called in the pods."""
_ORDERS: Final = "rrm_rehearsal_orders"


def rehearsal_plugins() -> Manifest:
    """Return the ConfigMap that the training names as its plug-ins; to be made before it."""
    # Keys of a ConfigMap are file names: there is no package around them.
    source = Path(child.__file__).read_text().replace(orders.__name__, _ORDERS)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": PLUGINS},
        "data": {f"{MODULE}.py": source, f"{_ORDERS}.py": Path(orders.__file__).read_text()},
    }


def rehearsal_training(
    name: str,
    *,
    rehearsal: Rehearsal = Rehearsal(),  # noqa: B008 - frozen
    steps: int = 12,
    save_every: int = 2,
    nodes: int = 1,
    **changes: Any,
) -> Manifest:
    """Return the demo's training as a rehearsal, without a namespace and without an export.

    Its rows and tokenizer come from the claim `demo`, as those of the demo: the prepare Job is the real one.

    Args:
        name: Name of the training.
        rehearsal: Speed and faults.
        steps: Steps in all.
        save_every: Steps between checkpoints, and between validations.
        nodes: Worker pods.
        **changes: Top-level fields of the spec, such as `policy`; a mapping is merged one level deep.
    """
    manifest: Manifest = yaml.safe_load(EXAMPLE.read_text())
    spec: Manifest = manifest["spec"]
    manifest["metadata"]["name"] = name
    spec["training"] |= {"maxSteps": steps, "evaluateEverySteps": save_every}
    spec["data"]["validation"]["sources"][0]["limit"] = 8
    spec["checkpoints"] |= {"everySteps": save_every, "saveGraceSeconds": 60}
    spec["workers"]["nodes"] = nodes
    spec["export"] = {"enabled": False}
    spec["plugins"] = {"configMapName": PLUGINS}
    spec["env"] = [
        {"name": CHILD_MODULE_VARIABLE, "value": MODULE},
        {"name": orders.VARIABLE, "value": rehearsal.text()},
    ]
    for key, value in changes.items():
        known = spec.get(key)
        spec[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
    return manifest
