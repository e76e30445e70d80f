"""The embedded cluster as the ground of the demo: brought up, furnished, taken down or kept for a person."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from rrm_test_cluster.cluster import Cluster
from rrm_test_cluster.demo.ground import Ground, furnish
from rrm_test_cluster.demo.places import Places
from rrm_test_cluster.demo.telling import Teller
from rrm_test_cluster.level import Level
from rrm_test_cluster.state import State
from rrm_test_cluster.teardown import tear_down


@contextmanager
def embedded_ground(places: Places, tell: Teller, *, keep: bool) -> Iterator[Ground]:
    """Start the cluster with a real node, and furnish it."""
    _clear(places)
    with _cluster(places, tell, keep=keep) as cluster:
        with tell.step("images into the node, namespace, claims"):
            ground = furnish(cluster, places.claim, tell)
        yield ground


@contextmanager
def _cluster(places: Places, tell: Teller, *, keep: bool) -> Iterator[Cluster]:
    with ExitStack() as stack:
        with tell.step("a control plane, KubeRay and a node, all real (20 s)"):
            if keep:
                cluster = Cluster.start_detached(Level.NODE, places.cluster)
                stack.callback(_say_how_to_end, cluster, tell)
            else:
                cluster = stack.enter_context(Cluster.start(Level.NODE, places.cluster))
        yield cluster


def _say_how_to_end(cluster: Cluster, tell: Teller) -> None:
    tell(f"the cluster stays: export KUBECONFIG={cluster.kubeconfig}")
    tell("take it down with: make cluster-down")


def _clear(places: Places) -> None:
    """Take down what an interrupted demo left, and forget the results of the last one."""
    with suppress(FileNotFoundError):
        tear_down(State.load(places.cluster))
    shutil.rmtree(places.demo, ignore_errors=True)
    places.demo.mkdir(parents=True)
