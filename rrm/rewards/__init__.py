"""Rewards: an answer and its label go in, an `Outcome` of plain numbers comes out (`score_answer`)."""

from rrm.rewards.outcome import Outcome, score_answer

__all__ = ["Outcome", "score_answer"]
