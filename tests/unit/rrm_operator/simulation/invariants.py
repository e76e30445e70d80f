"""What holds for every act of the operator, and as time passes; `status_rules` are for its words."""

from collections.abc import Callable
from dataclasses import dataclass, field

from rrm_api import group
from rrm_api.conditions import Reason, Stage
from rrm_api.run import Role
from rrm_operator.facts import Kind, Manifest
from rrm_operator.ports import Submission

from .api_server import ApiServer
from .ray import Ray
from .status_rules import STATUS_RULES, TERMINAL
from .trainer import Process

FREED_SECONDS = 90.0
"""Within so long of any end the GPUs are given back, while nothing is in the way."""
HELD_SECONDS = 900.0
"""No RayCluster is held so long without a trainer, or with one that hangs: above the longest back-off, the
deadlines of start and stall, and the time for which a node is lost."""


class Violation(AssertionError):
    """The operator broke a rule."""


@dataclass
class Invariants:
    """Knows the truth of the world, and judges what the operator does to it."""

    api: ApiServer
    ray: Ray
    disturbed_at: float = 0.0
    """When anything last kept the operator from seeing or acting."""
    clock_jumped_at: float = 0.0
    """When the operator's clock was last set."""
    is_blind: Callable[[], bool] = lambda: False
    """Whether events are on their way, or lost until the next list: then nobody can know of pods."""
    is_watching_time: bool = True
    """Whether `time_passes` judges; it looks at every RayCluster each time."""
    _idle_since: dict[str, float] = field(default_factory=dict)
    _most_restarts: dict[str, int] = field(default_factory=dict)

    def disturb(self) -> None:
        """Note that something is in the operator's way now."""
        self.disturbed_at = self.api.timeline.now

    def clock_jumps(self) -> None:
        """Note that the operator's clock is set now."""
        self.clock_jumped_at = self.api.timeline.now
        self.disturb()

    def forget(self) -> None:
        """Forget the trainings of the past."""
        self._most_restarts.clear()

    # --- status --------------------------------------------------------------------------------------------
    def writes_status(self, before: Manifest, after: Manifest) -> None:
        """Judge a status that is about to be written."""
        self._tell(before, after)
        for rule in STATUS_RULES:
            try:
                rule(before, after)
            except (AssertionError, ValueError) as error:
                raise Violation(f"{rule.__name__}: {rule.__doc__}\n{error}") from error
        self.restarts_stay_within_the_budget(after)
        self.nothing_of_a_suspended_training_runs(after)
        self.who_reports_does_not_hang(before, after)
        self.a_preemption_is_no_failure(before, after)

    def restarts_stay_within_the_budget(self, after: Manifest) -> None:
        """`restarts` of an attempt is never above `maxRestarts`, whichever was the largest."""
        uid, policy = after["metadata"]["uid"], after["spec"].get("policy") or {}
        allowed = max(self._most_restarts.get(uid, 0), policy.get("maxRestarts", 5))
        self._most_restarts[uid] = allowed
        worst = max((it.get("restarts", 0) for it in after["status"].get("attempts", [])), default=0)
        self._holds(
            worst <= allowed + 1, self.restarts_stay_within_the_budget.__doc__, f"{worst} > {allowed}"
        )

    def nothing_of_a_suspended_training_runs(self, after: Manifest) -> None:
        """A training says Suspended only when none of its pods is left."""
        if after["status"]["stage"] == Stage.SUSPENDED and not self.is_blind():
            pods = [pod["metadata"]["name"] for pod in self._ray_pods(after["metadata"]["name"])]
            self._holds(not pods, self.nothing_of_a_suspended_training_runs.__doc__, str(pods))

    def who_reports_does_not_hang(self, before: Manifest, after: Manifest) -> None:
        """No trainer is stopped for a stall that has reported in time, whatever its clock says."""
        if self.is_blind():
            return
        known = {it["number"]: it for it in (before.get("status") or {}).get("attempts", [])}
        allowed = after["spec"]["policy"]["stallDeadlineSeconds"]
        for attempt in after["status"].get("attempts", []):
            was_asked = known.get(attempt["number"], {}).get("stopReason")
            if attempt.get("stopReason") != Reason.NO_PROGRESS or was_asked:
                continue
            for process in self.ray.running(after["metadata"]["name"]):
                seconds = self.api.timeline.now - process.reported_at
                has_stepped = process.step > process.from_step
                if process.attempt == attempt["number"] and has_stepped:
                    it_may = self.clock_jumped_at >= process.reported_at or seconds >= allowed - 1
                    words = f"attempt {process.attempt} reported {seconds:.0f} s ago"
                    self._holds(it_may, self.who_reports_does_not_hang.__doc__, words)

    def a_preemption_is_no_failure(self, before: Manifest, after: Manifest) -> None:
        """No attempt is told lost or crashed while Kueue suspends its RayCluster: that costs no restart."""
        known = {it["number"]: it for it in (before.get("status") or {}).get("attempts", [])}
        for attempt in after["status"].get("attempts", []):
            if attempt.get("reason") not in (Reason.CLUSTER_LOST, Reason.TRAINER_CRASHED):
                continue
            cluster = self.api.get(Kind.RAY_CLUSTER, attempt["cluster"]) or {}
            owners = [it["uid"] for it in cluster.get("metadata", {}).get("ownerReferences", [])]
            is_suspended = after["metadata"]["uid"] in owners and cluster["spec"].get("suspend")
            it_may = bool(known.get(attempt["number"], {}).get("reason")) or not is_suspended
            words = f"attempt {attempt['number']}: {attempt['reason']} on {attempt['cluster']}"
            self._holds(it_may, self.a_preemption_is_no_failure.__doc__, words)

    # --- acts ----------------------------------------------------------------------------------------------
    def creates(self, manifest: Manifest) -> None:
        """Judge the making of a Job or a RayCluster."""
        kind, labels = manifest["kind"], manifest["metadata"]["labels"]
        if kind not in (Kind.JOB, Kind.RAY_CLUSTER):
            return
        training = self.api.get(group.KIND, labels[group.LABEL_TRAINING])
        status = (training or {}).get("status") or {}
        owner = manifest["metadata"]["ownerReferences"][0]["uid"]
        if training is not None and training["metadata"]["uid"] == owner:
            self.what_rests_is_left_alone(manifest, status)
        if kind == Kind.RAY_CLUSTER:
            self.one_ray_cluster_at_a_time(manifest)

    def what_rests_is_left_alone(self, manifest: Manifest, status: Manifest) -> None:
        """Nothing is made for a training whose status says that it has ended, stalls, or is suspended."""
        rests = status.get("stage") in TERMINAL
        words = f"{manifest['metadata']['name']} for {status.get('stage')}"
        self._holds(not rests, self.what_rests_is_left_alone.__doc__, words)

    def one_ray_cluster_at_a_time(self, manifest: Manifest) -> None:
        """A RayCluster is made only when there is no other of the same training."""
        owner = manifest["metadata"]["ownerReferences"][0]["uid"]
        others = [it["metadata"]["name"] for it in self.api.owned(owner, Kind.RAY_CLUSTER)]
        self._holds(not others, self.one_ray_cluster_at_a_time.__doc__, str(others))

    def submits(self, submission: Submission) -> None:
        """Judge a submission that arrives at Ray."""
        cluster = self.api.get(Kind.RAY_CLUSTER, submission.endpoint.cluster)
        assert cluster is not None
        name = cluster["metadata"]["labels"][group.LABEL_TRAINING]
        if self.ray.is_known(submission):
            return
        self.an_attempt_is_counted_before_it_is_submitted(name, cluster, submission)
        self.a_submission_is_executed_once(submission)
        self.only_one_attempt_can_write(name, cluster)

    def an_attempt_is_counted_before_it_is_submitted(
        self, name: str, cluster: Manifest, submission: Submission
    ) -> None:
        """Status knows an attempt before Ray does."""
        training = self.api.get(group.KIND, name)
        if (
            training is None
            or training["metadata"]["uid"] != cluster["metadata"]["ownerReferences"][0]["uid"]
        ):
            return  # Deleted meanwhile: there is no status to be in.
        number = int(submission.submission_id.rpartition("-a")[2])
        attempts = {it["number"]: it for it in training.get("status", {}).get("attempts", [])}
        sentence = self.an_attempt_is_counted_before_it_is_submitted.__doc__
        self._holds(number in attempts, sentence, f"{number} not in {sorted(attempts)}")
        reason = attempts[number].get("reason")
        self._holds(not reason, "An attempt that is over is not submitted.", f"{number}: {reason}")

    def a_submission_is_executed_once(self, submission: Submission) -> None:
        """No submission is started again once its trainer has begun to work."""
        again = submission.submission_id in self.ray.worked
        self._holds(not again, self.a_submission_is_executed_once.__doc__, submission.submission_id)

    def only_one_attempt_can_write(self, name: str, cluster: Manifest) -> None:
        """Fencing: a job is handed in when no pod of an earlier RayCluster is left, and no other trainer."""
        pods = self._ray_pods(name)
        uid = cluster["metadata"]["uid"]
        others = [it["metadata"]["name"] for it in pods if it["metadata"]["ownerReferences"][0]["uid"] != uid]
        others += [it.id for it in self.ray.running(name)]
        self._holds(not others, self.only_one_attempt_can_write.__doc__, str(others))

    def deletes(self, manifest: Manifest) -> None:
        """A RayCluster whose attempt was counted is deleted only after status says how that ended."""
        if manifest["kind"] == Kind.JOB:
            self.what_a_job_leaves_is_kept(manifest)
        if manifest["kind"] != Kind.RAY_CLUSTER:
            return
        training = self.api.get(group.KIND, manifest["metadata"]["labels"][group.LABEL_TRAINING])
        if (
            training is None
            or training["metadata"]["uid"] != manifest["metadata"]["ownerReferences"][0]["uid"]
        ):
            return
        name = manifest["metadata"]["name"]
        for attempt in training.get("status", {}).get("attempts", []):
            if attempt["cluster"] == name:
                self._holds(bool(attempt.get("reason")), self.deletes.__doc__, f"attempt {attempt}")

    def what_a_job_leaves_is_kept(self, job: Manifest) -> None:
        """The Job that a success ends with stays, unless `ttlSecondsAfterFinished` says otherwise."""
        labels = job["metadata"]["labels"]
        training = self.api.get(group.KIND, labels[group.LABEL_TRAINING]) or {}
        limit = (training.get("spec", {}).get("policy") or {}).get("ttlSecondsAfterFinished")
        succeeded = training.get("status", {}).get("stage") == Stage.SUCCEEDED
        lost = succeeded and limit is None and labels[group.LABEL_ROLE] == Role.EXPORT
        self._holds(not lost, self.what_a_job_leaves_is_kept.__doc__, job["metadata"]["name"])

    # --- time ----------------------------------------------------------------------------------------------
    def time_passes(self) -> None:
        """Judge what is held; called after every look."""
        if not self.is_watching_time:
            return
        now = self.api.timeline.now
        clusters = {
            it["metadata"]["uid"]: it
            for (kind, _), it in self.api.objects.items()
            if kind == Kind.RAY_CLUSTER
        }
        self._idle_since = {uid: at for uid, at in self._idle_since.items() if uid in clusters}
        working = {it.cluster_uid for it in self.ray.running()}
        for uid, cluster in clusters.items():
            if uid in working or cluster["spec"].get("suspend"):
                self._idle_since.pop(uid, None)
                continue
            since = max(self._idle_since.setdefault(uid, now), self.disturbed_at)
            self.gpus_are_given_back(cluster, now - since)
        for process in self.ray.running():
            if process.hangs:
                self.a_hang_is_found(process, now - max(process.hung_at, self.disturbed_at))

    def a_hang_is_found(self, process: Process, seconds: float) -> None:
        """A trainer that hangs is stopped, whatever its clock says."""
        words = f"{process.id} hangs for {seconds:.0f} s"
        self._holds(seconds <= HELD_SECONDS, self.a_hang_is_found.__doc__, words)

    def gpus_are_given_back(self, cluster: Manifest, seconds: float) -> None:
        """A RayCluster without a trainer is given back: after its end at once, else in time."""
        training = self.api.get(group.KIND, cluster["metadata"]["labels"][group.LABEL_TRAINING])
        stage = (training or {}).get("status", {}).get("stage")
        uid = cluster["metadata"]["uid"]
        done = any(it.cluster_uid == uid and it.outcome == "done" for it in self.ray.processes)
        limit = FREED_SECONDS if stage in TERMINAL or done else HELD_SECONDS
        words = f"{cluster['metadata']['name']} is held for {seconds:.0f} s in stage {stage}"
        self._holds(seconds <= limit, self.gpus_are_given_back.__doc__, words)

    # --- help ----------------------------------------------------------------------------------------------
    def _ray_pods(self, training: str) -> list[Manifest]:
        return [
            it
            for (kind, _), it in self.api.objects.items()
            if kind == Kind.POD
            and it["metadata"]["labels"].get(group.LABEL_TRAINING) == training
            and "ray.io/node-type" in it["metadata"]["labels"]
        ]

    def _tell(self, before: Manifest, after: Manifest) -> None:
        old, new = before.get("status") or {}, after["status"]
        words = [str(new["stage"])]
        ready = next(it for it in new["conditions"] if it["type"] == "Ready")
        words.append(f"{ready['reason']}: {ready.get('message', '')[:200]}")
        for attempt in new.get("attempts", []):
            if attempt not in old.get("attempts", []):
                end = f" {attempt['reason']}" if attempt.get("reason") else ""
                words.append(f"[attempt {attempt['number']} restarts={attempt.get('restarts', 0)}{end}]")
        if old.get("stage") != new["stage"] or len(words) > 2 or ready not in old.get("conditions", ()):
            self.api.timeline.tell("STATUS " + " ".join(words))

    def _holds(self, it_does: bool, sentence: str | None, words: str) -> None:
        if not it_does:
            raise Violation(f"{sentence}\n{words}")
