"""A template class of a user, called by RM-Gallery's reward module and by our adapter."""

import importlib
import json
import sys
from pathlib import Path

from rm_gallery.core.data.schema import DataSample as TheirSample
from rm_gallery.core.reward.base import BaseListWiseRubricReward, BasePointWiseRubricReward

from rrm.datasets import data_sample
from rrm.plugins.templates import adapt_template
from rrm.reasoning import RULES
from rrm.scales import PREFERENCE, Scale

asked = json.loads(Path(sys.argv[1]).read_text())
module, _, name = asked["entry_point"].partition(":")
cls = getattr(importlib.import_module(module), name)
is_pair = asked["method"] == "pairwise"
base = BaseListWiseRubricReward if is_pair else BasePointWiseRubricReward
reward = base(name="r", desc=asked["task"], rubrics=asked["rubrics"], template=cls, llm=None)
answered = {"prompts": {}, "verdicts": []}
for kind in ("Native", "Prompted", "None"):
    template = adapt_template(
        cls,
        scale=PREFERENCE if is_pair else Scale(0, 4),
        reasoning=RULES[kind],
        task=asked["task"],
        rubrics=asked["rubrics"],
    )
    for record in asked["samples"]:
        theirs = reward._before_evaluate(sample=TheirSample.model_validate(record))
        (message,) = template.format(data_sample.convert(record)[0])
        answered["prompts"].setdefault(kind, []).append(
            {
                "ours": message,
                "theirs": {str(flag): cls.format(**theirs, enable_thinking=flag) for flag in (False, True)},
            }
        )
for text in asked["answers"]:
    try:
        read = cls.parse(text)
        theirs = getattr(read, "preference", None) or getattr(read, "score", None)
    except Exception as error:  # noqa: BLE001
        theirs = type(error).__name__
    ours = template.parse(text)
    answered["verdicts"].append([theirs, getattr(ours, "score", None), getattr(ours, "kind", None)])
Path(sys.argv[2]).write_text(json.dumps(answered))
