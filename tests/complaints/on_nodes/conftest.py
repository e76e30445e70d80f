"""The operator as a process beside real KubeRay on fake nodes: the fixtures of tests/e2e/operator."""

from tests.e2e.operator import conftest as e2e

# Fixtures are found by their name in this module.
ray, make_world, world, manifest = e2e.ray, e2e.make_world, e2e.world, e2e.manifest
