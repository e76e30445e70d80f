"""Trying a reward: right, wrong, unreadable, cut and empty answers to each row."""

import json
from typing import Any, Final

from rrm.plugins.reward_form import reward_call
from rrm.plugins.rewards import UserOutcome, UserReward, ground_truth_of
from rrm.plugins.trials.trial import Material, Trial
from rrm.reasoning import RULES
from rrm.sample import Judged
from rrm.templates import Template
from rrm.templates.pairwise import PairwiseTemplate
from rrm.templates.pointwise import PointwiseTemplate
from rrm_api.spec_train import Method, Reasoning

_LETTERS: Final = {-1.0: "A", 0.0: "tie", 1.0: "B"}
_SLOW_SECONDS: Final = 0.1
_DIGITS: Final = 4
UNREADABLE: Final = {
    "unreadable": "I would rather not say.",
    "cut": "<think>The answer seems",
    "empty": "",
}
"""What no verdict can be read out of."""


def try_reward(name: str, function: Any, material: Material) -> Trial:
    """Return what a function says about made-up answers to the rows.

    Raises:
        PluginFailed: If it has not verl's signature.
    """
    trial = Trial(name, "reward")
    reward = UserReward(name, reward_call(function, name=name))
    template = _template(material)
    for judged in material.judged:
        earned: dict[str, float] = {}
        for what, text in answers_to(judged, material).items():
            outcome = _score(trial, reward, judged, text, material=material, template=template)
            if outcome is not None:
                earned[what] = outcome.score
                _compare(
                    trial,
                    what,
                    outcome,
                    again=_again(reward, judged, text, material=material, template=template),
                )
        _judge(trial, judged, earned)
    if trial.median_seconds > _SLOW_SECONDS:
        trial.remark(
            f"a call takes {trial.median_seconds:.2f} s; every answer of every step is scored, "
            "while the GPUs wait for the last"
        )
    return trial


def answers_to(judged: Judged, material: Material) -> dict[str, str]:
    """Return made-up answers about a row, by what they are."""
    scale = material.scale
    wrong = float(scale.worst_for(judged.label))
    return {"right": _said(judged.label, material), "wrong": _said(wrong, material), **UNREADABLE}


def _said(verdict: float, material: Material) -> str:
    if material.method is Method.PAIRWISE:
        letter = _LETTERS[verdict]
        return f"<think>Compared.</think><better>{letter}</better><preference>{letter}</preference>"
    return f"<think>Weighed.</think><score>{verdict:g}</score>"


def _template(material: Material) -> Template:
    rule = RULES[Reasoning.NATIVE]
    if material.method is Method.PAIRWISE:
        return PairwiseTemplate(label=None, reasoning=rule)
    return PointwiseTemplate(label=material.label, scale=material.scale, reasoning=rule)


def _again(
    reward: UserReward, judged: Judged, text: str, *, material: Material, template: Template
) -> UserOutcome:
    return reward.score(
        text,
        data_source=judged.sample.source or "check",
        ground_truth=ground_truth_of(judged.label, material.method),
        extra_info=json.loads(judged.sample.model_dump_json()),
        label=judged.label,
        scale=material.scale,
        template=template,
        strength=judged.strength,
    )


def _score(
    trial: Trial, reward: UserReward, judged: Judged, text: str, *, material: Material, template: Template
) -> UserOutcome | None:
    outcome = trial.call(lambda: _again(reward, judged, text, material=material, template=template))
    if not isinstance(outcome, UserOutcome):
        trial.violate(str(outcome))
        return None
    if outcome.error:
        said = f"{outcome.error}: such an answer earns 0 and counts as reward_error"
        trial.violate(said, at=f"; first seen for {text!r}")
        return None
    extras = "".join(f", {key} {value:g}" for key, value in outcome.extras)
    trial.shown.append(
        (f"label {judged.label:g}, {text!r}", f"score {round(outcome.score, _DIGITS):g}{extras}")
    )
    return outcome


def _compare(trial: Trial, what: str, outcome: UserOutcome, *, again: UserOutcome) -> None:
    if again.score != outcome.score:
        trial.violate(
            f"the same {what} answer earned {outcome.score:g} and then {again.score:g}: a resumed training "
            "could not be compared with one that was not interrupted"
        )


def _judge(trial: Trial, judged: Judged, earned: dict[str, float]) -> None:
    """Note what can be said about the scores of one row only by comparing them."""
    if "right" not in earned:
        return
    right, label = earned["right"], f"label {judged.label:g}"
    for what in UNREADABLE:
        if earned.get(what, right - 1) >= right:
            trial.remark(
                f"the {what} answer earns no less than the right one: a judge can learn to write nothing",
                at=f"; first seen for {label}: {earned[what]:g} and {right:g}",
            )
    if earned.get("wrong", right - 1) >= right:
        trial.remark(
            "the wrong answer earns no less than the right one; does the function read <score>, <better> or "
            "<preference>?",
            at=f" First seen for {label}: {earned['wrong']:g} and {right:g}",
        )
