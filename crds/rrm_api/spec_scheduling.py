"""`spec.scheduling`: who decides when and where the Ray pods run."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from rrm_api.fields import DNS_SUBDOMAIN, ApiModel, at_most_one
from rrm_api.rules import Rule

LabelValue = Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_SUBDOMAIN)]
LabelKey = Annotated[str, Field(min_length=1, max_length=317)]


class Scheduler(StrEnum):
    """Who admits or places all pods of a RayCluster together."""

    DEFAULT = "Default"
    KUEUE = "Kueue"
    VOLCANO = "Volcano"
    YUNIKORN = "YuniKorn"


class Topology(ApiModel):
    """All workers within one domain, such as a rack; the value is the label that nodes carry for it."""

    rules: ClassVar[tuple[Rule, ...]] = (
        at_most_one(
            "spec.scheduling.topology needs at most one of required and preferred",
            required="required",
            preferred="preferred",
        ),
    )

    required: LabelKey | None = None
    """The workers wait until one domain has room for all of them."""
    preferred: LabelKey | None = None
    """The workers are spread where no domain has room for all."""


class Scheduling(ApiModel):
    """Queue, priority and place of the Ray pods."""

    # `has`: the API server also evaluates the rules on the default `{}` of the whole, before filling it.
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.scheduler) || self.scheduler != 'Kueue' || has(self.queueName)",
            message="spec.scheduling.queueName is required with scheduler Kueue: the LocalQueue to wait in",
            holds=lambda it: it.scheduler is not Scheduler.KUEUE or it.queue_name is not None,
        ),
        Rule(
            cel="(has(self.scheduler) && self.scheduler != 'Default') || !has(self.queueName)",
            message="spec.scheduling.queueName needs a scheduler that has queues: Kueue, Volcano or YuniKorn",
            holds=lambda it: it.scheduler is not Scheduler.DEFAULT or it.queue_name is None,
        ),
        Rule(
            cel="(has(self.scheduler) && self.scheduler == 'Kueue') || !has(self.workloadPriorityClass)",
            message="spec.scheduling.workloadPriorityClass is Kueue's; with other schedulers use "
            "priorityClassName",
            holds=lambda it: it.scheduler is Scheduler.KUEUE or it.workload_priority_class is None,
        ),
        Rule(
            cel="!has(self.scheduler) || self.scheduler != 'YuniKorn' || !has(self.topology) || "
            "!has(self.topology.required)",
            message="spec.scheduling.topology.required cannot be kept by YuniKorn: its placeholders stand "
            "anywhere; use preferred",
            holds=lambda it: (
                it.scheduler is not Scheduler.YUNIKORN or it.topology is None or it.topology.required is None
            ),
        ),
    )

    scheduler: Scheduler = Scheduler.DEFAULT
    """`Kueue` waits for quota and may preempt; `Volcano` and `YuniKorn` place all pods or none; KubeRay must
    be told of those two when it is installed."""
    queue_name: LabelValue | None = None
    """Kueue's LocalQueue, or the queue of Volcano or YuniKorn."""
    priority_class_name: LabelValue | None = None
    """PriorityClass of the Ray pods."""
    workload_priority_class: LabelValue | None = None
    """Kueue's WorkloadPriorityClass: decides who is admitted and who preempted."""
    topology: Topology | None = None
    """Keep the workers together."""
