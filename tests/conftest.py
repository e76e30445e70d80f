"""Fixtures every test may use, and the last lines of a run: what was skipped, and why."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

from rrm_test_cluster import Cluster, Level, Missing

# No deadline for single examples: other builds may run on the same two cores.
settings.register_profile("rrm", deadline=None)
settings.load_profile("rrm")


def _started(level: Level, factory: pytest.TempPathFactory, **options: object) -> Iterator[Cluster]:
    """Start a cluster, or skip with what is missing; its logs stay in pytest's temporary folder."""
    try:
        starting = Cluster.start(level, factory.mktemp(f"cluster-{level}"), **options)
        with starting as cluster:
            yield cluster
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def api_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """etcd and the API server, shared by the run: use a namespace of your own."""
    yield from _started(Level.API, tmp_path_factory)


@pytest.fixture(scope="session")
def fake_nodes_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The control plane, KubeRay and 110 fake nodes of 8 GPUs, shared by the run."""
    yield from _started(Level.FAKE_NODES, tmp_path_factory, fake_nodes=110)


@pytest.fixture(scope="session")
def node_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The control plane, KubeRay and one real node with 8 fake GPUs, shared by all node tests of the run."""
    yield from _started(Level.NODE, tmp_path_factory)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests were skipped and each reason with its count, so that no gap stays unseen."""
    reasons = Counter(
        str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        for report in terminalreporter.stats.get("skipped", [])
    )
    terminalreporter.write_line(f"SKIPS: {sum(reasons.values())}")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"  {count} x {reason}")
