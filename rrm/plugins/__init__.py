"""Own datasets, templates and rewards: found by entry point, adapted where they were written for others."""

from rrm.plugins.load import load_entry_point

__all__ = ["load_entry_point"]
