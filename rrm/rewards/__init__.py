"""Rewards: an answer and its label go in, an `Outcome` of plain numbers comes out (`score_answer`)."""

from rrm.rewards.joint import joint_outcome
from rrm.rewards.outcome import Outcome, score_answer
from rrm.rewards.payment import minimum_of

__all__ = ["Outcome", "joint_outcome", "minimum_of", "score_answer"]
