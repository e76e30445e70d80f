"""`rrm plan`: what a training will do, need and roughly cost, without starting anything (`plan`)."""

from rrm.plan.plan import Plan, Question, plan

__all__ = ["Plan", "Question", "plan"]
