"""The run ConfigMap: `intent.json` for preparing, `run.json` for all that comes after."""

from rrm_api.run import INTENT_KEY, RUN_KEY
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import Manifest
from rrm_operator.plan.names import metadata_of, run_name


def plan_run_config(situation: Situation) -> Manifest:
    """Return the ConfigMap that every pod of a training mounts at `/etc/rrm`."""
    data = {INTENT_KEY: situation.intent.model_dump_json(by_alias=True, exclude_none=True, indent=1)}
    if situation.run is not None:
        data[RUN_KEY] = situation.run.model_dump_json(by_alias=True, exclude_none=True, indent=1)
    training = situation.training.metadata
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata_of(training, run_name(training.name), "run"),
        "data": data,
    }
