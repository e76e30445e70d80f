"""Health: a stream of metrics goes in, findings that a person should know come out (`Monitor`)."""

from rrm.health.monitor import Expectations, Monitor

__all__ = ["Expectations", "Monitor"]
