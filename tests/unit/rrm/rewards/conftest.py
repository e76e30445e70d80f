"""Rewards by name, and a judge that says one thing."""

from collections.abc import Callable
from typing import Any

import pytest

from rrm.reasoning import RULES
from rrm.rewards import Outcome, score_answer
from rrm.scales import PREFERENCE, Scale
from rrm.templates import Template
from rrm.templates.pairwise import PairwiseTemplate
from rrm.templates.pointwise import PointwiseTemplate
from rrm_api.spec_data import Reward
from rrm_api.spec_train import Reasoning

NONE = RULES[Reasoning.NONE]
SCALE = Scale(0, 4)


def _score(text: str, label: float | None, *, reward: Reward, scale: Scale = SCALE, **more: Any) -> Outcome:
    template: Template = PointwiseTemplate(label="helpfulness", scale=scale, reasoning=NONE)
    if reward.pairwise is not None:
        template, scale = PairwiseTemplate(NONE), PREFERENCE
    return score_answer(text, label, template=template, scale=scale, reward=reward, **more)


@pytest.fixture(scope="session")
def score() -> Callable[..., Outcome]:
    """Return what scores an answer that was asked for without reasoning, by the reward's own method."""
    return _score
