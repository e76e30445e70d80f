"""What a training costs, and how long it was active: meters that are read on when their rate changes.

Between two writes the rate is constant, so that an unchanged world needs no write and loses no second.
"""

from typing import Final

from rrm_api.conditions import Reason, Stage
from rrm_api.spec_pods import Accelerator
from rrm_api.status import ActiveTime, GPUSeconds
from rrm_operator.assess.deadlines import is_revived
from rrm_operator.assess.moments import seconds_of, written
from rrm_operator.assess.situation import Situation
from rrm_operator.assess.standing import Standing
from rrm_operator.facts import PodRole

_RESTS: Final = frozenset({Stage.SUSPENDED, Stage.STALLED, Stage.FAILED, Stage.SUCCEEDED})


def gpu_seconds(situation: Situation, standing: Standing) -> GPUSeconds | None:
    """Return what was held and used up to now; None before the first GPU, and where none are used."""
    workers, before = situation.training.spec.workers, situation.training.status.gpu_seconds
    if workers.accelerator is Accelerator.CPU:
        return None
    pods = situation.pods(PodRole.WORKER)
    placed = [it for it in pods if it.scheduled_time and it.phase not in ("Succeeded", "Failed")]
    holding = len(placed) * workers.gpus_per_node
    busy = holding if standing.stage is Stage.TRAINING else 0
    if before is None:
        return GPUSeconds(holding=holding, busy=busy, time=written(situation.now)) if holding else None
    if (holding, busy) == (before.holding, before.busy):
        return before
    passed = max(0, round(situation.now - (seconds_of(before.time) or situation.now)))
    return GPUSeconds(
        held=before.held + passed * before.holding,
        training=before.training + passed * before.busy,
        holding=holding,
        busy=busy,
        time=written(situation.now),
    )


def active_time(situation: Situation, standing: Standing) -> ActiveTime:
    """Return how long the training was active, and since when it is."""
    before = situation.training.status.active or ActiveTime()
    rests = standing.stage in _RESTS or standing.reason is Reason.QUOTA_PENDING
    if is_revived(situation) and not rests:
        return ActiveTime(since=written(situation.now))
    if is_revived(situation) and standing.stage is Stage.SUSPENDED:
        return ActiveTime()  # Its deadline has passed: with the old count it would fail again.
    since = seconds_of(before.since)
    if rests:
        # Rounded down: what rests just before its deadline has not passed it.
        passed = max(0, int(situation.now - since)) if since is not None else 0
        return ActiveTime(seconds=before.seconds + passed)
    return before if since is not None else ActiveTime(seconds=before.seconds, since=written(situation.now))
