"""Reward functions, called alone and by our `UserReward`, on the same answers."""

import copy
import importlib
import json
import math
import sys
from pathlib import Path

from rrm.plugins.reward_form import settled
from rrm.plugins.rewards import user_reward
from rrm.reasoning import RULES
from rrm.scales import PREFERENCE, Scale
from rrm.templates.pairwise import PairwiseTemplate
from rrm.templates.pointwise import PointwiseTemplate

asked = json.loads(Path(sys.argv[1]).read_text())
scale = Scale(0, 4)
templates = {
    "pointwise": PointwiseTemplate(label="helpfulness", scale=scale, reasoning=RULES["Native"]),
    "pairwise": PairwiseTemplate(label=None, reasoning=RULES["Native"]),
}


def alone(function, arguments, is_plural):
    try:
        if is_plural:
            names = ("data_sources", "solution_strs", "ground_truths", "extra_infos")
            found = function(**{name: [value] for name, value in zip(names, arguments, strict=True)})[0]
        else:
            found = settled(function(*copy.deepcopy(arguments)))
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}"
    return found["score"] if isinstance(found, dict) else found


answered = []
for case in asked["cases"]:
    module, _, name = case["entry_point"].partition(":")
    function = getattr(importlib.import_module(module), name)
    reward = user_reward(case["entry_point"])
    arguments = ["helpsteer2", case["text"], case["ground_truth"], case["extra_info"]]
    outcome = reward.score(
        case["text"],
        data_source="helpsteer2",
        ground_truth=case["ground_truth"],
        extra_info=case["extra_info"],
        label=case["label"],
        scale=PREFERENCE if case["method"] == "pairwise" else scale,
        template=templates[case["method"]],
    )
    metrics = {k: (None if math.isnan(v) else v) for k, v in outcome.as_metrics().items()}
    answered.append(
        {
            "alone": alone(function, arguments, name.endswith("_batch")),
            "metrics": metrics,
            "extras": dict(outcome.extras),
            "error": outcome.error,
        }
    )
Path(sys.argv[2]).write_text(json.dumps(answered))
