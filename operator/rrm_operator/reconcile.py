"""The operator's story on one page: parse, observe, assess, plan, report, apply.

Level-triggered: nobody knows what changed, every look does the same. Reporting comes before applying, since
an attempt is counted before it is submitted and its end is recorded before its GPUs are given back.
Errors of `errors` pass through to `handlers`, which alone decides when to look again.
"""

from dataclasses import dataclass, field

from rrm_operator.apply import apply, grow, own, stop, submit
from rrm_operator.assess import Assessment, assess, assess_unreadable
from rrm_operator.confirm import confirmed
from rrm_operator.errors import ClusterUnavailable, Forbidden, Refused
from rrm_operator.facts import Key, Snapshot
from rrm_operator.keys import RayKeys
from rrm_operator.named_claims import NamedClaims
from rrm_operator.observe import Observer
from rrm_operator.parse import Unreadable, parse
from rrm_operator.plan import Plan, plan
from rrm_operator.ports import Clock, Cluster, Facts, RayJobs
from rrm_operator.report import Reporter, Tell
from rrm_operator.settings import Settings


@dataclass
class Reconciler:
    """Brings one training at a time nearer to what its spec asks for."""

    facts: Facts
    cluster: Cluster
    ray: RayJobs
    clock: Clock
    settings: Settings
    keys: RayKeys
    tell: Tell = lambda *_: None
    """Told of every status that was written."""
    observer: Observer = field(init=False)
    reporter: Reporter = field(init=False)

    def __post_init__(self) -> None:
        """Make the two parts that remember something."""
        claims = NamedClaims(self.cluster)
        self.observer = Observer(self.ray, self.clock, self.settings, self.keys, claims)
        self.reporter = Reporter(self.cluster, self.clock, self.tell)

    def use_keys(self, keys: RayKeys) -> None:
        """Make new RayClusters with these keys, and reach those that run with them."""
        self.keys = self.observer.keys = keys

    async def reconcile(self, key: Key) -> float | None:
        """Look at a training; return after how many seconds to look again, None = only on events."""
        try:
            return await self._look(key)
        except ClusterUnavailable:
            self.observer.cut_off(key)
            raise

    async def _look(self, key: Key) -> float | None:
        seen = self.facts.snapshot(key)
        if seen is None or seen.manifest["metadata"].get("deletionTimestamp"):
            # Owner references remove the children; the claim stays.
            self.observer.forget(key)
            self.reporter.forget(key)
            return None
        assessment = await self._assess(key, seen)
        todo = plan(assessment, self.settings, self.keys)
        held_back = await self.reporter.report(key, seen.manifest, assessment)
        try:
            again = await self._carry_out(key, todo, seen)
        except Refused as error:
            generation = seen.manifest["metadata"].get("generation", 0)
            if not self.observer.refused(key, generation, str(error)):
                raise
            return 0.0  # The next look says so in the status.
        if self.observer.allowed(key):
            return 0.0  # The next look takes it back in the status.
        waits = (held_back, assessment.next_look_seconds, *again)
        return min((it for it in waits if it is not None), default=None)

    async def _carry_out(self, key: Key, todo: Plan, seen: Snapshot) -> tuple[float | None, ...]:
        """Do what was planned; return after how many seconds what was postponed is tried again."""
        try:
            postponed = await apply(todo, seen, self.cluster, self.observer.repairs(key))
            await stop(todo, key, self.ray, self.observer)
            await submit(todo, key, self.ray, self.observer)
            await own(todo, seen.claim, self.cluster, uid=seen.manifest["metadata"].get("uid", ""))
            return postponed, await grow(todo, seen.claim, self.cluster, self.observer, key=key)
        except Forbidden as error:
            # The next look, after a while, says so in the status and tries again.
            if not error.terminating:
                self.observer.forbidden(key, str(error))
            raise

    async def _assess(self, key: Key, seen: Snapshot) -> Assessment:
        match parse(seen.manifest):
            case Unreadable(status, message):
                return assess_unreadable(seen, status, message=message, now=self.clock.now())
            case training:
                situation = await self.observer.observe(key, training, seen)
                return assess(await confirmed(situation, self.cluster))
