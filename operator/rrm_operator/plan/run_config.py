"""The run ConfigMap: `intent.json` for preparing, `run.json` for all that comes after."""

import json

from rrm_api.fields import ApiModel
from rrm_api.run import INTENT_KEY, RUN_KEY
from rrm_operator.assess.situation import Situation
from rrm_operator.facts import Manifest
from rrm_operator.plan.names import metadata_of, run_name


def plan_run_config(situation: Situation) -> Manifest:
    """Return the ConfigMap that every pod of a training mounts at `/etc/rrm`.

    Without defaults: a trainer image that is older than this operator knows all fields that are named.
    """
    data = {INTENT_KEY: _text(situation.intent)}
    if situation.run is not None:
        data[RUN_KEY] = _text(situation.run)
    training = situation.training.metadata
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata_of(training, run_name(training.name), "run"),
        "data": data,
    }


def _text(document: ApiModel) -> str:
    return json.dumps(document.manifest(with_defaults=False), indent=1, ensure_ascii=False)
