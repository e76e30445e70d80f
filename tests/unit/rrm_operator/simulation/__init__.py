"""The operator's world on a clock of its own: API server, KubeRay, Ray, trainer, people, and all faults.

Everything is deterministic: a life is a list of acts, so a failure shrinks to a short story.
"""
