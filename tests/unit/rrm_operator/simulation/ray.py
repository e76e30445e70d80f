"""Ray's job API on each head, and the trainer that a submission starts: steps, saves, answers, and dies."""

import json
from dataclasses import dataclass, field

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode, Result
from rrm_operator.errors import RayUnavailable
from rrm_operator.facts import Kind, Manifest, RayJobState
from rrm_operator.ports import Submission

from .api_server import ApiServer
from .kuberay import is_ready
from .trainer import (
    ANSWER_SECONDS,
    BEGIN_SECONDS,
    SAVE_EVERY,
    SAVE_SECONDS,
    STEP_SECONDS,
    TOTAL_STEPS,
    Ending,
    Process,
    Volume,
    progress_of,
    record_of,
)


@dataclass
class Ray:
    """The job APIs of all heads; a head's restart makes its own forget everything."""

    api: ApiServer
    volumes: dict[str, Volume] = field(default_factory=dict)
    jobs: dict[str, dict[str, Process]] = field(default_factory=dict)
    """By uid of the head pod and restarts, then by submission id."""
    processes: list[Process] = field(default_factory=list)
    worked: set[str] = field(default_factory=set)
    """Ids of the submissions whose trainer has begun to work."""
    clock_error: float = 0.0
    """Seconds by which the trainers' clock is ahead of the world's."""

    # --- the job API ---------------------------------------------------------------------------------------
    def reach(self, cluster: str) -> None:
        """Raise `RayUnavailable` unless the head of a RayCluster listens."""
        if self._head(cluster) is None:
            raise RayUnavailable(f"no head of {cluster} listens")

    def state(self, cluster: str, id_: str) -> RayJobState:
        """Return Ray's word about a submission."""
        process = self._known(cluster).get(id_)
        return RayJobState.ABSENT if process is None else process.state

    def submit(self, submission: Submission) -> None:
        """Start a trainer, unless the id is known."""
        cluster = submission.endpoint.cluster
        if submission.submission_id in self._known(cluster):
            return
        manifest = self.api.get(Kind.RAY_CLUSTER, cluster)
        head = self._head(cluster)
        assert manifest is not None
        assert head is not None
        words = submission.entrypoint.split()
        training = manifest["metadata"]["labels"][group.LABEL_TRAINING]
        volume = self.volumes.setdefault(training, Volume())
        process = Process(
            id=submission.submission_id,
            training=training,
            attempt=int(words[words.index("--attempt") + 1]),
            cluster=cluster,
            cluster_uid=manifest["metadata"]["uid"],
            head_uid=_memory(head),
            digest=words[words.index("--digest") + 1],
            volume=volume,
        )
        self._known(cluster)[process.id] = process
        self.processes.append(process)
        self.api.timeline.after(BEGIN_SECONDS, lambda: self._begin(process))

    def is_known(self, submission: Submission) -> bool:
        """Return whether the head that a submission goes to knows its id."""
        return submission.submission_id in self._known(submission.endpoint.cluster)

    def stop(self, cluster: str, id_: str) -> None:
        """Let Ray end a trainer, which may still say so."""
        process = self._known(cluster).get(id_)
        if process is None or not process.alive:
            return
        self.end(process, RayJobState.STOPPED, "stopped by Ray")
        if process.attempt % 2:
            record = self._record(
                process, Result.STOPPED, Reason.CHECKPOINT_SAVED, "stopped", ExitCode.STOPPED
            )
            self.api.timeline.after(2.0, lambda: self._answer(process, record, ANSWER_SECONDS))

    # --- the trainer ---------------------------------------------------------------------------------------
    def running(self, training: str | None = None) -> list[Process]:
        """Return the trainers that are at work, oldest first."""
        return [it for it in self.processes if it.alive and training in (None, it.training)]

    def end(self, process: Process, state: RayJobState, why: str) -> None:
        """Let a trainer end without a word."""
        if process.alive:
            process.alive, process.state, process.outcome = False, state, why
            process.ended_at = self.api.timeline.now
            self.api.timeline.tell(f"trainer {process.id} ends: {why}")
            self.processes = [
                it for it in self.processes if it.alive or it.ended_at > self.api.timeline.now - 900
            ]

    def fail(self, process: Process, reason: Reason, code: int, *, words: str, recorded: bool = True) -> None:
        """Let a trainer end with an error and, if it can, a record."""
        if not process.alive:
            return
        self.end(process, RayJobState.FAILED, f"{reason} {code} {words}")
        if recorded:
            record = self._record(process, Result.FAILED, reason, words, code)
            self._answer(process, record, ANSWER_SECONDS)

    def told(self, kind: str, manifest: Manifest, deleted: bool) -> None:
        """Take in what happens to pods: the trainer dies with its head, and fails without a worker."""
        if kind != Kind.POD or manifest["metadata"]["labels"].get("ray.io/node-type") is None:
            return
        uid, phase = manifest["metadata"]["uid"], manifest["status"]["phase"]
        if deleted:
            self.jobs = {memory: it for memory, it in self.jobs.items() if not memory.startswith(uid)}
        gone = deleted or phase in ("Failed", "Succeeded")
        owner = manifest["metadata"]["ownerReferences"][0]["uid"]
        for process in self.processes:
            if not process.alive or process.cluster_uid != owner:
                continue
            if process.head_uid.startswith(uid):
                if gone or _memory(manifest) != process.head_uid:
                    self.end(process, RayJobState.FAILED, "its head is gone")
            elif gone or _restarts(manifest) > 0:
                self._loses_worker(process)

    def _loses_worker(self, process: Process) -> None:
        words = "a worker died: ActorDiedError"
        self.api.timeline.after(
            4.0, lambda: self.fail(process, Reason.TRAINING_FAILED, ExitCode.INFRASTRUCTURE, words=words)
        )

    def _begin(self, process: Process) -> None:
        if not process.alive:
            return
        if process.volume.newest_attempt > process.attempt:
            self.end(process, RayJobState.FAILED, "a newer attempt has begun")
            return
        process.volume.newest_attempt = process.attempt
        self.worked.add(process.id)
        process.step = process.from_step = process.volume.saved
        if process.step >= TOTAL_STEPS:
            self._done(process)
            return
        self._report(process, "Starting")
        self.api.timeline.after(STEP_SECONDS, lambda: self._steps(process))

    def _steps(self, process: Process) -> None:
        if not process.alive or process.hangs:
            return
        if self._is_asked_to_stop(process) and not process.ignores_stop:
            self.api.timeline.after(SAVE_SECONDS, lambda: self.leave(process))
            return
        process.step += 1
        if process.step % SAVE_EVERY == 0 or process.step == TOTAL_STEPS:
            if not self._saves(process):
                return
        self._report(process, "Rollout")
        if process.step >= TOTAL_STEPS:
            self.api.timeline.after(SAVE_SECONDS, lambda: self._done(process))
        else:
            self.api.timeline.after(STEP_SECONDS, lambda: self._steps(process))

    def _saves(self, process: Process) -> bool:
        if process.volume.newest_attempt > process.attempt:
            self.end(process, RayJobState.FAILED, "a newer attempt has begun")
            return False
        process.volume.saved = max(process.volume.saved, process.step)
        return True

    def leave(self, process: Process) -> None:
        """Let a trainer that was asked to stop save, and leave."""
        if process.alive and self._saves(process):
            self.end(process, RayJobState.FAILED, "stopped on request")
            words = f"stopped on request after step {process.step}"
            record = self._record(process, Result.STOPPED, Reason.CHECKPOINT_SAVED, words, ExitCode.STOPPED)
            self._answer(process, record, ANSWER_SECONDS)

    def _done(self, process: Process) -> None:
        if process.alive:
            self.end(process, RayJobState.SUCCEEDED, "done")
            record = self._record(process, Result.DONE, Reason.SUCCEEDED, "trained", ExitCode.DONE)
            self._answer(process, record, ANSWER_SECONDS)

    def _is_asked_to_stop(self, process: Process) -> bool:
        live = self.api.get(Kind.CONFIG_MAP, f"{process.training}-progress")
        annotations = (live or {}).get("metadata", {}).get("annotations") or {}
        return bool(annotations.get(group.ANNOTATION_STOP_ATTEMPT) == str(process.attempt))

    def _report(self, process: Process, phase: str) -> None:
        if process.volume.newest_attempt <= process.attempt:
            now = self.api.timeline.now
            if self._write(process, "progress", progress_of(process, phase, now + self.clock_error)):
                process.reported_at = now

    def _record(self, process: Process, result: Result, reason: Reason, words: str, code: int) -> Manifest:
        ending = Ending(result, reason, words, int(code))
        return record_of(process, ending, self.api.timeline.now + self.clock_error)

    def _answer(self, process: Process, record: Manifest, patience: float) -> None:
        head = self._head(process.cluster)
        if head is None or _memory(head) != process.head_uid:
            return
        if not self._write(process, "train", record) and patience > 0:
            self.api.timeline.after(5.0, lambda: self._answer(process, record, patience - 5.0))

    def _write(self, process: Process, key: str, document: Manifest) -> bool:
        name = f"{process.training}-progress"
        if self.api.get(Kind.CONFIG_MAP, name) is None:
            return False
        self.api.change(Kind.CONFIG_MAP, name, {"data": {key: json.dumps(document)}})
        return True

    # --- heads ---------------------------------------------------------------------------------------------
    def _head(self, cluster: str) -> Manifest | None:
        manifest = self.api.get(Kind.RAY_CLUSTER, cluster)
        if manifest is None:
            return None
        pods = self.api.owned(manifest["metadata"]["uid"], Kind.POD)
        heads = (pod for pod in pods if pod["metadata"]["labels"].get("ray.io/node-type") == "head")
        return next((pod for pod in heads if pod["status"]["phase"] == "Running" and _has_started(pod)), None)

    def _known(self, cluster: str) -> dict[str, Process]:
        head = self._head(cluster)
        return {} if head is None else self.jobs.setdefault(_memory(head), {})


def _has_started(pod: Manifest) -> bool:
    return is_ready(pod) or "deletionTimestamp" in pod["metadata"]


def _restarts(pod: Manifest) -> int:
    return sum(int(it.get("restartCount", 0)) for it in pod["status"].get("containerStatuses", []))


def _memory(head: Manifest) -> str:
    """Return what tells one life of a head's container from another."""
    return f"{head['metadata']['uid']}/{_restarts(head)}"
