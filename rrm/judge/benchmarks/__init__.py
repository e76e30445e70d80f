"""Scoring rules of published benchmarks, pure: a number compares only with others under the same rule."""
