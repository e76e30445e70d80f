"""Reads a RayCluster anew where what its watch has told may be too old to decide upon."""

from dataclasses import replace

from rrm_operator.assess.doubts import doubted_cluster
from rrm_operator.assess.situation import Situation
from rrm_operator.ports import Cluster


async def confirmed(situation: Situation, cluster: Cluster) -> Situation:
    """Return a situation with the RayCluster as it is now, if the one that is known is in doubt.

    One that is gone, or whose namesake was made since, says nothing: its watch will tell.
    """
    name = doubted_cluster(situation)
    if name is None:
        return situation
    fresh = await cluster.get_ray_cluster(situation.training.metadata.namespace, name)
    if fresh is None:
        return situation
    snapshot = situation.snapshot
    clusters = tuple(fresh if it.uid == fresh.uid else it for it in snapshot.clusters)
    is_ahead = clusters != snapshot.clusters
    return replace(situation, snapshot=replace(snapshot, clusters=clusters, is_ahead=is_ahead))
