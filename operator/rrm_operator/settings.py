"""What an administrator may choose: read once from the environment (`RRM_...`) by the composition root.

Names equal the chart's values in snake case (`defaultImage` is `default_image` is `RRM_DEFAULT_IMAGE`);
lists and mappings are written as JSON.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rrm_api.spec_pods import ImagePullPolicy, PodTemplate, Resources
from rrm_operator.assess.checks import pod_template_faults


class RayReach(StrEnum):
    """How the operator reaches the Ray job API."""

    SERVICE = "service"
    """By the head service's name: the operator runs in the cluster."""
    POD_IP = "pod-ip"
    """By the head pod's address: the operator runs on a node, without the cluster's DNS."""
    PROXY = "proxy"
    """Through the API server's service proxy: development only, needs the right `services/proxy`."""


class LogFormat(StrEnum):
    """How log lines are written."""

    JSON = "json"
    TEXT = "text"


Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """The operator's settings; each docstring is the documentation of the chart value of the same name."""

    model_config = SettingsConfigDict(
        env_prefix="RRM_", frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    default_image: Annotated[str, Field(min_length=1)]
    """Trainer image of trainings that name none."""
    default_image_pull_policy: ImagePullPolicy | None = None
    """Pull policy of trainings that name none; absent = Kubernetes' own rule by tag."""
    default_pod_template: PodTemplate = {}
    """Partial pod template, merged below every training's own."""
    head_resources: Resources = Resources(requests={"cpu": "1", "memory": "4Gi"}, limits={"memory": "8Gi"})
    """Resources of Ray heads whose training names none."""
    worker_resources: Resources = Resources(
        requests={"cpu": "8", "memory": "64Gi"}, limits={"memory": "512Gi"}
    )
    """Resources of Ray workers whose training names none; accelerators are added."""
    cpu_worker_resources: Resources = Resources(
        requests={"cpu": "200m", "memory": "4Gi"}, limits={"memory": "10Gi"}
    )
    """The same with `accelerator: CPU`, which is for small models."""
    jobs_resources: Resources = Resources(requests={"cpu": "1", "memory": "4Gi"}, limits={"memory": "32Gi"})
    """Resources of prepare pods whose training names none in `spec.jobs.resources`."""
    export_resources: Resources = Resources(
        requests={"cpu": "2", "memory": "48Gi"}, limits={"memory": "96Gi"}
    )
    """The same for export pods, which hold the whole model in fp32 and a copy of one shard (8B: 31 GiB and
    more); 14B and 32B need more, via `spec.jobs.resources`."""
    cpu_export_resources: Resources = Resources(
        requests={"cpu": "200m", "memory": "1Gi"}, limits={"memory": "8Gi"}
    )
    """The same with `accelerator: CPU`, which is for small models."""
    shared_memory: str = "32Gi"
    """Size of /dev/shm in workers whose training names none."""
    pod_grace_seconds: Annotated[int, Field(ge=0)] = 10
    """Termination grace of Ray pods that need not save (`checkpoints.saveGraceSeconds: 0`); others get that
    and 30 s more, as a bound: they go once the training has saved."""
    ray_version: str = "2.60.0"
    """Ray's version in the trainer image: decides which probes and tokens KubeRay uses."""
    ray_reach: RayReach = RayReach.SERVICE
    """How the operator reaches the Ray job API."""
    ray_url: str | None = None
    """Base address of every Ray job API, with `{namespace}`, `{cluster}` and `{service}` filled in;
    overrides `ray_reach`, for gateways in front of Ray."""
    ray_timeout_seconds: Seconds = 10
    """Longest wait for one answer of the Ray job API."""
    ray_poll_seconds: Seconds = 15
    """How often the Ray job API is asked while the trainer reports nothing."""
    cluster_domain: str = "cluster.local"
    """DNS domain of the cluster."""
    keys_folder: Path = Path("/etc/rrm/keys")
    """Folder of the keys that Ray tokens are derived from; file name = fingerprint."""
    operator_namespace: str = "rrm-system"
    """Namespace the operator runs in; named in the commands it prints."""
    watched_namespaces: tuple[str, ...] = ()
    """Namespaces that are served; empty = all."""
    workers: Annotated[int, Field(ge=1, le=64)] = 16
    """Trainings that are worked on at the same time."""
    request_timeout_seconds: Seconds = 15
    """Longest wait for one answer of the API server."""
    probe_seconds: Seconds = 30
    """How often it is looked whether a needed kind came or went, and how often the keys are read again."""
    relist_seconds: Seconds = 300
    """How often the store is compared with a list of names, to find what a broken watch has missed."""
    watch_seconds: Annotated[int, Field(ge=30)] = 600
    """Longest life of one watch request."""
    leader_election: bool = True
    """Whether only the holder of a Lease works, so that further replicas can stand by; without it there must
    never be two operators."""
    lease_name: str = "rrm-operator"
    """Name of that Lease, in the operator's namespace."""
    lease_seconds: Annotated[int, Field(ge=5, le=120)] = 10
    """After how long an operator that has vanished is replaced."""
    http_address: str = "0.0.0.0"
    """Address of the health and metrics server."""
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port of /healthz, /readyz and /metrics."""
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    """Least severe log lines that are written."""
    log_format: LogFormat = LogFormat.JSON
    """`json` for machines, `text` for people."""

    @field_validator("default_pod_template")
    @classmethod
    def _can_be_merged(cls, template: PodTemplate) -> PodTemplate:
        if faults := list(pod_template_faults("defaultPodTemplate", template)):
            raise ValueError("; ".join(faults))
        return template

    @field_validator("ray_url")
    @classmethod
    def _has_no_unknown_place(cls, url: str | None) -> str | None:
        if url is not None:
            try:
                url.format(namespace="n", cluster="c", service="s")
            except (LookupError, AttributeError) as error:
                raise ValueError(
                    f"only {{namespace}}, {{cluster}} and {{service}} are known, found {error}"
                ) from error
        return url
