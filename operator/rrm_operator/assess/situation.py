"""What a snapshot means for the spec of now: the newest attempt, its RayCluster, what is prepared.

Read once per look; `stage`, `failures`, `conditions` and `plan` only ask it. All that is read back from
`status` is the newest attempt (its number, its generation, how it ended) and the image that was resolved.
"""

from dataclasses import dataclass
from functools import cached_property

from pydantic import ValidationError

from rrm_api.conditions import Stage
from rrm_api.fields import SHORT_CHARS
from rrm_api.run import Intent, Prepared, Progress, Record, Result, Role, RunFile, Trained, intent_of
from rrm_api.status import AttemptStatus
from rrm_api.v1alpha1 import RewardModelTraining
from rrm_operator.assess.checks import MAIN_CONTAINERS, names_image
from rrm_operator.assess.inputs import export_input_of, identity_of, prepare_input_of, shape_of
from rrm_operator.assess.signs_of_life import SignOfLife
from rrm_operator.assess.volumes import has_lost_volume
from rrm_operator.facts import (
    JobFact,
    ObjectFact,
    PodFact,
    PodRole,
    ProgressFact,
    RayClusterFact,
    Snapshot,
)

RAY_ROLES = frozenset({PodRole.HEAD, PodRole.WORKER})


@dataclass(frozen=True)
class Situation:
    """A training, what is seen of it, and the moment of looking."""

    training: RewardModelTraining
    snapshot: Snapshot
    now: float
    """Seconds since the epoch."""
    default_image: str
    """Trainer image of trainings that name none."""
    ray_poll_seconds: float
    """How often Ray is asked while the trainer reports nothing."""
    cut_off_at: float = 0.0
    """When the API server was last out of reach: what the trainer wrote meanwhile is not seen yet."""
    sign_of_life: SignOfLife | None = None
    """The last report of any attempt, and when it was seen."""

    @cached_property
    def intent(self) -> Intent:
        """What is wanted now."""
        return intent_of(self.training)

    @cached_property
    def shape(self) -> str:
        """Digest of all that shapes the Ray pods or the run of an attempt for the spec of now."""
        return shape_of(self.training)

    @cached_property
    def inherited(self) -> tuple[ObjectFact, ...]:
        """Children of a deleted training of the same name that Kubernetes has not removed yet."""
        uid = self.training.metadata.uid
        return tuple(it for it in self.snapshot.objects if it.owner not in ("", uid))

    @cached_property
    def answers(self) -> ProgressFact:
        """What the processes of this training, not of its namesake, have written."""
        progress = self.snapshot.progress
        return progress if progress.owner in ("", self.training.metadata.uid) else ProgressFact()

    @property
    def progress(self) -> Progress | None:
        """What an attempt, not always the newest, reported last."""
        return self.answers.progress

    @cached_property
    def prepare_job(self) -> JobFact | None:
        """The prepare Job made for the spec of now."""
        return self._job(Role.PREPARE, prepare_input_of(self.training))

    @cached_property
    def prepare_record(self) -> Record | None:
        """The answer to the intent of now, from the ConfigMap or from the pod's last words."""
        digest = self.intent.digest()
        found = (self.answers.record(Role.PREPARE), self._last_words(self.prepare_job))
        return next((it for it in found if it is not None and it.input_digest == digest), None)

    @cached_property
    def prepared(self) -> Prepared | None:
        """What preparing resolved; an attempt that runs on or has finished keeps it whatever is edited."""
        record = self.prepare_record
        if self.trained is not None or (self.submitted and not self.is_over and self.keeps_cluster):
            record = record or self.answers.record(Role.PREPARE)
        elif self._is_rewriting or has_lost_volume(self.training, self.snapshot):
            return None
        return record.prepared if record is not None and record.result is Result.DONE else None

    @cached_property
    def _is_rewriting(self) -> bool:
        """Whether a prepare Job of another spec, or its pod, can still write: into the same folder."""
        ours = self.prepare_job
        own = ours.name if ours is not None else None
        jobs = (it for it in self.snapshot.jobs if it.role is Role.PREPARE and not it.finished_time)
        pods = (pod for pod in self.pods(PodRole.PREPARE) if pod.phase not in ("Succeeded", "Failed"))
        return any(it.name != own for it in jobs) or any(pod.owner != own for pod in pods)

    @cached_property
    def run(self) -> RunFile | None:
        """What the next process reads; None until the data is prepared."""
        return None if self.prepared is None else RunFile(intent=self.intent, prepared=self.prepared)

    @cached_property
    def train_record(self) -> Record | None:
        """How the newest attempt ended, in its own words."""
        record = self.answers.record(Role.TRAIN)
        return record if record is not None and 0 < record.attempt == self.counted else None

    @cached_property
    def trained(self) -> Trained | None:
        """What the newest attempt left behind, if it reached the last step with a whole checkpoint."""
        record = self.train_record
        if record is None or record.result is not Result.DONE or record.trained is None:
            return None
        saved = record.trained.checkpoints.latest_step or 0
        return record.trained if saved >= record.trained.total_steps else None

    @cached_property
    def counted(self) -> int:
        """Number of the newest attempt that was begun or given up, 0 = none: status, records, progress."""
        record = self.answers.record(Role.TRAIN)
        return max(
            self.training.status.attempt or 0,
            record.attempt if record is not None else 0,
            self.progress.attempt if self.progress is not None else 0,
        )

    @cached_property
    def cluster(self) -> RayClusterFact | None:
        """The RayCluster that the newest attempt was submitted to, or one that was made for the next."""
        alive = [it for it in self.snapshot.clusters if not it.deleting and self._is_current(it)]
        return max(alive, key=lambda it: it.attempt, default=None)

    def _is_current(self, cluster: RayClusterFact) -> bool:
        remembered = self.counted_status
        hosts = remembered is None or remembered.cluster == cluster.name
        return cluster.attempt > self.counted or hosts

    @property
    def submitted(self) -> bool:
        """Whether the newest attempt was submitted to this cluster; it may be over."""
        return self.cluster is not None and self.cluster.attempt <= self.counted

    @property
    def has_next_cluster(self) -> bool:
        """Whether the RayCluster was made for an attempt that is not counted yet: the next one has begun."""
        return self.cluster is not None and not self.submitted

    @property
    def is_over(self) -> bool:
        """Whether it is written down how the newest attempt ended: nothing brings it back."""
        remembered = self.counted_status
        return remembered is not None and bool(remembered.end_time and remembered.reason)

    @property
    def attempt(self) -> int:
        """Number of the attempt that is being worked on or came last; 0 before the first cluster."""
        return max(self.counted, self.cluster.attempt if self.cluster is not None else 0)

    @property
    def has_ended(self) -> bool:
        """Whether the last look found that a person must act."""
        return self.training.status.stage in (Stage.FAILED, Stage.STALLED)

    @property
    def retried(self) -> bool:
        """Whether a person has asked to try again, and nothing has answered yet."""
        return self.training.metadata.retry not in (None, self.training.status.last_handled_retry)

    @property
    def seen_at(self) -> float | None:
        """When the last report of the newest attempt was seen, seconds since the epoch; None without one."""
        sign = self.sign_of_life
        return sign.seen_at if sign is not None and self.progressed else None

    @property
    def stepped(self) -> bool:
        """Whether the newest attempt has made a step of its own."""
        progress = self.progress
        return progress is not None and self.progressed and progress.step > progress.from_step

    @property
    def progressed(self) -> bool:
        """Whether the newest attempt has reported anything."""
        return self.progress is not None and 0 < self.progress.attempt == self.counted

    @property
    def head_is_suspect(self) -> bool:
        """Whether the head may have lost the job: then Ray is asked, whatever was reported."""
        if self.cluster is None:
            return False
        heads = self.pods(PodRole.HEAD, owner=self.cluster.name)
        return not self.cluster.head_ready or any(pod.restarts for pod in heads)

    @cached_property
    def counted_status(self) -> AttemptStatus | None:
        """What status remembers of the newest attempt."""
        attempts = self.training.status.attempts
        return next((it for it in attempts if it.number == self.counted), None)

    @cached_property
    def edited_since(self) -> bool:
        """Whether the spec was changed after the newest attempt was made: then it may be tried again."""
        if self.counted == 0:
            return False
        remembered = self.counted_status
        if remembered is not None and remembered.shape is not None:
            return remembered.shape != self.shape
        if self.cluster is not None and self.submitted:
            return self.cluster.shape != self.shape
        record = self.train_record
        if record is None or not record.input_digest or self.trained is not None:
            return self.prepared is None
        return self.run is None or self.run.digest() != record.input_digest

    @cached_property
    def keeps_cluster(self) -> bool:
        """Whether the spec still wants what the cluster was made for.

        Before the submission any edit of pods or run replaces it; after it, only one that makes its rows or
        checkpoints useless: all else takes effect at the next attempt.
        """
        if self.cluster is None:
            return False
        if self.submitted:
            return self.cluster.identity == identity_of(self.training)
        return self.cluster.shape == self.shape

    @cached_property
    def export_job(self) -> JobFact | None:
        """The export Job made for the finished attempt and the spec of now."""
        return self._job(Role.EXPORT, self.export_input)

    @cached_property
    def export_input(self) -> str:
        """Digest of what the export Job is made for."""
        record = self.train_record
        digest = record.input_digest if record is not None else ""
        return export_input_of(self.training, attempt=self.counted, run_digest=digest)

    @cached_property
    def export_record(self) -> Record | None:
        """How exporting ended, from the ConfigMap or from the pod's last words."""
        return self.answers.record(Role.EXPORT) or self._last_words(self.export_job)

    @cached_property
    def image(self) -> str:
        """The trainer image in force: resolved once, then kept until the spec is edited."""
        resolved, asked = self.training.status.resolved, self.training.spec.image
        # Not the operator's default of now: an upgrade must not change a training that runs.
        if resolved is not None and resolved.image and resolved.requested_image == asked:
            return resolved.image
        return self._seen_image() or asked or self.default_image

    def pods(self, *roles: PodRole, owner: str | None = None) -> tuple[PodFact, ...]:
        """Return the pods of some roles, optionally of one Job or RayCluster."""
        return tuple(
            pod for pod in self.snapshot.pods if pod.role in roles and (owner is None or pod.owner == owner)
        )

    def _job(self, role: Role, digest: str) -> JobFact | None:
        jobs = self.snapshot.jobs
        return next((it for it in jobs if it.role is role and it.digest == digest and not it.deleting), None)

    def _last_words(self, job: JobFact | None) -> Record | None:
        if job is None or not job.finished_time:
            return None
        for pod in self.pods(PodRole(job.role.value), owner=job.name):
            try:
                return Record.model_validate_json(pod.termination_message or "")
            except ValidationError:
                continue
        return None

    def _seen_image(self) -> str | None:
        """Return the image of the prepare pod by digest, where the node knows one."""
        if self.prepare_job is None or self.prepared is None:
            return None
        # That image is the jobs' own: what trains shall not get it by its digest either.
        if names_image(self.training.spec.jobs.pod_template or {}, MAIN_CONTAINERS[PodRole.PREPARE]):
            return None
        ids = (pod.image_id for pod in self.pods(PodRole.PREPARE, owner=self.prepare_job.name))
        names = (it.removeprefix("docker-pullable://") for it in ids if it and "@sha256:" in it)
        return next((it for it in names if len(it) <= SHORT_CHARS), None)
