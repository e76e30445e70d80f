"""What is known now: the store's facts, completed by what Ray and the API server said to us last.

Reads only. The answers remembered here may be lost at any time: after a restart Ray is simply asked again.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.assess import FRESH_SECONDS, ray_question_seconds
from rrm_operator.assess.signs_of_life import SignOfLife, sign_of_life
from rrm_operator.assess.situation import Situation
from rrm_operator.errors import RayUnavailable
from rrm_operator.facts import Key, RayClusterFact, RayJobFact, RayJobState, Snapshot
from rrm_operator.keys import RayKeys
from rrm_operator.named_claims import NamedClaims
from rrm_operator.plan.names import submission_id
from rrm_operator.plan.ray_job import endpoint_of
from rrm_operator.ports import Clock, RayJobs
from rrm_operator.repairs import Repairs
from rrm_operator.settings import Settings

REGROW_SECONDS: Final = 300.0
"""How often a claim is asked again to grow to a size that was forbidden."""
_ENDED = frozenset({RayJobState.SUCCEEDED, RayJobState.FAILED, RayJobState.STOPPED})


@dataclass(frozen=True)
class _Answer:
    fact: RayJobFact
    asked_at: float


@dataclass(frozen=True)
class _Refusal:
    generation: int
    words: str


@dataclass(frozen=True)
class _NoGrowth:
    size: str
    words: str
    tried_at: float


@dataclass
class Observer:
    """Remembers the last answers by training."""

    ray: RayJobs
    clock: Clock
    settings: Settings
    keys: RayKeys
    claims: NamedClaims
    _answers: dict[Key, _Answer] = field(default_factory=dict)
    _refusals: dict[Key, _Refusal] = field(default_factory=dict)
    _forbidden: dict[Key, str] = field(default_factory=dict)
    _not_submitted: dict[Key, str] = field(default_factory=dict)
    _cut_off: dict[Key, float] = field(default_factory=dict)
    _stopped: dict[Key, str] = field(default_factory=dict)
    _no_growths: dict[Key, _NoGrowth] = field(default_factory=dict)
    _signs: dict[Key, SignOfLife] = field(default_factory=dict)
    _repairs: dict[Key, Repairs] = field(default_factory=dict)

    async def observe(self, key: Key, training: RewardModelTraining, seen: Snapshot) -> Situation:
        """Return a training with all that is known about it; asks Ray only when nobody else tells."""
        snapshot = replace(
            seen, refused=self._refusal_words(key, training), forbidden=self._forbidden_words(key)
        )
        snapshot = await self.claims.with_named_claim(key, training, snapshot, now=self.clock.now())
        image, poll_seconds = self.settings.default_image, self.settings.ray_poll_seconds
        situation = Situation(
            training, snapshot, self.clock.now(), image, poll_seconds, self._cut_off.get(key, 0.0)
        )
        situation = self._with_sign_of_life(key, situation)
        cluster = situation.cluster
        has_ended = situation.is_over or situation.train_record is not None
        if cluster is None or not situation.submitted or has_ended:
            self._answers.pop(key, None)
            self._not_submitted.pop(key, None)
            return situation
        job = await self._job(key, situation, cluster)
        if job is not None and job.state is not RayJobState.ABSENT and job.unreachable_since is None:
            self._not_submitted.pop(key, None)
        snapshot = replace(snapshot, ray_job=job, not_submitted=self._not_submitted.get(key))
        return replace(situation, snapshot=snapshot, now=self.clock.now())

    def _with_sign_of_life(self, key: Key, situation: Situation) -> Situation:
        status, now = situation.training.status, situation.now
        sign = sign_of_life(situation.progress, self._signs.get(key), status, now=now)
        if sign is None:
            self._signs.pop(key, None)
            return situation
        self._signs[key] = sign
        return replace(situation, sign_of_life=sign)

    def cut_off(self, key: Key) -> None:
        """Note that the API server could not be reached."""
        self._cut_off[key] = self.clock.now()

    def submitted(self, key: Key, id_: str) -> None:
        """Note a submission that Ray accepted."""
        now = self.clock.now()
        self._not_submitted.pop(key, None)
        self._answers[key] = _Answer(RayJobFact(id_, RayJobState.PENDING, "", seen_at=now), asked_at=now)

    def stopped(self, key: Key, id_: str) -> None:
        """Note that Ray was told to stop a job; what it says of it is asked for anew."""
        self._stopped[key] = id_
        self._answers.pop(key, None)

    def was_stopped(self, key: Key, id_: str) -> bool:
        """Return whether Ray was told to stop a job."""
        return self._stopped.get(key) == id_

    def not_submitted(self, key: Key, words: str) -> None:
        """Note that Ray could not be reached to hand the job in."""
        self._not_submitted[key] = words
        # It may have arrived all the same: that Ray did not know the job before says nothing any more.
        self._answers.pop(key, None)

    def forbidden(self, key: Key, words: str) -> None:
        """Note that the API server forbade a write."""
        self._forbidden[key] = words

    def allowed(self, key: Key) -> bool:
        """Note that nothing was forbidden; return whether that is news."""
        return self._forbidden.pop(key, None) is not None

    def growth_wait(self, key: Key, size: str) -> float:
        """Return after how many seconds a claim may be asked to grow to a size, 0 = now."""
        refusal = self._no_growths.get(key)
        if refusal is None or refusal.size != size:
            return 0.0
        return max(0.0, refusal.tried_at + REGROW_SECONDS - self.clock.now())

    def not_grown(self, key: Key, size: str, words: str) -> bool:
        """Note that a claim may not grow to a size; return whether that is news."""
        before = self._no_growths.get(key)
        self._no_growths[key] = _NoGrowth(size, words, self.clock.now())
        return before is None or before.words != words

    def grown(self, key: Key) -> bool:
        """Note that a claim is as large as wanted; return whether that is news."""
        return self._no_growths.pop(key, None) is not None

    def repairs(self, key: Key) -> Repairs:
        """Return what is remembered of the objects of a training that others have changed."""
        return self._repairs.setdefault(key, Repairs(self.clock))

    def refused(self, key: Key, generation: int, words: str) -> bool:
        """Note that an object was refused; return whether that is news."""
        refusal = _Refusal(generation, words)
        news = self._refusals.get(key) != refusal
        self._refusals[key] = refusal
        return news

    def forget(self, key: Key) -> None:
        """Forget a training that is gone."""
        self.claims.forget(key)
        for memory in (
            self._answers,
            self._refusals,
            self._forbidden,
            self._not_submitted,
            self._stopped,
            self._cut_off,
            self._no_growths,
            self._signs,
            self._repairs,
        ):
            memory.pop(key, None)

    def _refusal_words(self, key: Key, training: RewardModelTraining) -> str | None:
        """Return the words of a refusal that stands: until the spec is edited, or a person tries again."""
        refusal, asked = self._refusals.get(key), training.metadata.retry
        if refusal is None or refusal.generation != training.metadata.generation:
            return None
        if asked not in (None, training.status.last_handled_retry):
            del self._refusals[key]
            return None
        return refusal.words

    def _forbidden_words(self, key: Key) -> str | None:
        no_growth, repairs = self._no_growths.get(key), self._repairs.get(key)
        not_repaired = repairs.refusal if repairs is not None else ""
        return (
            self._forbidden.get(key) or not_repaired or (no_growth.words if no_growth is not None else None)
        )

    async def _job(self, key: Key, situation: Situation, cluster: RayClusterFact) -> RayJobFact | None:
        id_ = submission_id(situation.training.metadata.uid, situation.counted)
        known = self._answers.get(key)
        if known is not None and known.fact.submission_id != id_:
            known = None
        if self._is_due(situation, known):
            known = _Answer(await self._ask(situation, cluster, known), asked_at=self.clock.now())
            self._answers[key] = known
        return known.fact if known is not None else None

    def _is_due(self, situation: Situation, known: _Answer | None) -> bool:
        fresh = situation.seen_at is not None and situation.now - situation.seen_at < FRESH_SECONDS
        if fresh and not situation.head_is_suspect:
            return False
        if known is None:
            return True
        waited = situation.now - known.asked_at
        return known.fact.state not in _ENDED and waited >= ray_question_seconds(situation)

    async def _ask(self, situation: Situation, cluster: RayClusterFact, known: _Answer | None) -> RayJobFact:
        """Return Ray's answer, or the last known one with the time since which Ray is silent."""
        owner, now = situation.training.metadata, situation.now
        id_ = submission_id(owner.uid, situation.counted)
        try:
            return await self.ray.look(endpoint_of(owner, cluster, self.keys), id_)
        except RayUnavailable as error:
            if known is None:
                # Counted, so handed in as far as anyone can tell; the first answer will say.
                known_fact = RayJobFact(id_, RayJobState.PENDING, str(error), seen_at=now)
            else:
                known_fact = known.fact
            since, seen_at = known_fact.unreachable_since, situation.seen_at
            if since is None or (seen_at is not None and seen_at > since):
                since = now  # A trainer that has reported since then was no silence.
            return replace(known_fact, unreachable_since=since, silence=str(error))
