"""The one submission of an attempt, and where it goes."""

from rrm_api.run import RUN_KEY, RUN_MOUNT
from rrm_api.v1alpha1 import ObjectMeta
from rrm_operator.facts import RayClusterFact
from rrm_operator.keys import RayKeys
from rrm_operator.plan.names import submission_id
from rrm_operator.ports import RayEndpoint, Submission


def endpoint_of(owner: ObjectMeta, cluster: RayClusterFact, keys: RayKeys) -> RayEndpoint:
    """Return where the Ray job API of a RayCluster answers."""
    return RayEndpoint(
        namespace=owner.namespace,
        cluster=cluster.name,
        head_service=cluster.head_service or f"{cluster.name}-head-svc",
        head_pod_ip=cluster.head_pod_ip,
        token=keys.token(owner.uid, cluster.ray_key),
    )


def plan_submission(owner: ObjectMeta, cluster: RayClusterFact, keys: RayKeys, *, attempt: int) -> Submission:
    """Return the job of an attempt, for the RayCluster that it runs on."""
    command = f"python -m rrm.train --run {RUN_MOUNT}/{RUN_KEY} --attempt {attempt} --digest {cluster.digest}"
    return Submission(
        endpoint=endpoint_of(owner, cluster, keys),
        submission_id=submission_id(owner.uid, attempt),
        entrypoint=command,
        metadata=(("training", f"{owner.namespace}/{owner.name}"), ("attempt", str(attempt))),
    )
