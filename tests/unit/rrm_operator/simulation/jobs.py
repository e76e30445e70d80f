"""The Job controller, and the prepare and export processes in its pods."""

import json
from dataclasses import dataclass, field

from rrm_api import group
from rrm_api.conditions import Reason
from rrm_api.run import Intent, RunFile, fingerprint
from rrm_operator.facts import Kind, Manifest

from .api_server import ApiServer, merged, written
from .kuberay import Nodes
from .ray import Ray
from .trainer import SAVE_EVERY, TOTAL_STEPS, Volume

POD_SECONDS = 0.5
WORK_SECONDS = 4.0


@dataclass
class Jobs:
    """Runs each Job's one pod once."""

    api: ApiServer
    nodes: Nodes
    ray: Ray
    faults: list[tuple[Reason, int, bool]] = field(default_factory=list)
    """How the next pods end: reason, exit code, whether they say so in a record."""
    hangs: int = 0
    """How many of the next pods never end by themselves."""
    _begun: set[str] = field(default_factory=set)

    def told(self, kind: str, manifest: Manifest, deleted: bool) -> None:
        """Take in a change of a Job or of its pod."""
        uid = manifest["metadata"]["uid"]
        if kind == Kind.JOB and not deleted and uid not in self._begun:
            self._begun.add(uid)
            self.api.timeline.after(POD_SECONDS, lambda: self._make_pod(manifest))
        elif kind == Kind.JOB and deleted:
            self._begun.discard(uid)
        elif kind == Kind.POD:
            owner: Manifest = next(iter(manifest["metadata"].get("ownerReferences") or ()), {})
            if owner.get("kind") != Kind.JOB:
                return
            if manifest["status"]["phase"] == "Running" and uid not in self._begun and not deleted:
                self._begun.add(uid)
                self.api.timeline.after(WORK_SECONDS, lambda: self._works(owner["name"], manifest))
            elif deleted:
                self._begun.discard(uid)
                self._lost(owner["name"], owner["uid"])

    def _make_pod(self, job: Manifest) -> None:
        name = job["metadata"]["name"]
        live = self.api.get(Kind.JOB, name)
        if live is not None and live["metadata"]["uid"] == job["metadata"]["uid"]:
            role = job["metadata"]["labels"][group.LABEL_ROLE]
            self.nodes.make_pod(job, role, name=name, labels={})

    def _works(self, job: str, pod: Manifest) -> None:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        live, owner = self.nodes.pod(name, uid), self.api.get(Kind.JOB, job)
        if live is None or owner is None:
            return
        training, role = (
            owner["metadata"]["labels"][group.LABEL_TRAINING],
            pod["metadata"]["labels"][group.LABEL_ROLE],
        )
        config = self.api.get(Kind.CONFIG_MAP, f"{training}-run")
        if config is None:
            self.api.timeline.after(WORK_SECONDS, lambda: self._works(job, pod))
            return
        if self.hangs:
            self.hangs -= 1
            seconds = owner["spec"]["activeDeadlineSeconds"]
            self.api.timeline.after(seconds, lambda: self._is_overdue(job, name, uid))
            return
        reason, code, recorded = self.faults.pop(0) if self.faults else (Reason.SUCCEEDED, 0, True)
        data, answer = config["data"], None
        if role == "prepare":
            reason, code, answer = self._prepares(training, data, reason, code)
        elif "run.json" in data:
            answer = self._exports(data, reason, code)
        if recorded and answer is not None and self.api.get(Kind.CONFIG_MAP, f"{training}-progress"):
            self.api.change(Kind.CONFIG_MAP, f"{training}-progress", {"data": {role: json.dumps(answer)}})
        self._ends(live, job, code, answer if recorded else None)

    def _prepares(
        self, training: str, data: Manifest, reason: Reason, code: int
    ) -> tuple[Reason, int, Manifest]:
        intent = Intent.model_validate_json(data["intent.json"])
        volume = self.ray.volumes.setdefault(training, Volume())
        identity = json.dumps(fingerprint(intent), sort_keys=True)
        if code == 0 and volume.saved and volume.identity not in ("", identity):
            reason, code = Reason.CHECKPOINT_MISMATCH, 11
        if code == 0:
            volume.identity = identity
        answer = self._record("prepare", intent.digest(), reason, code)
        if code == 0:
            answer["prepared"] = {
                "data": {"train": 254, "validation": 64, "dropped": [], "digest": "d"},
                "readRows": 503,
                "totalSteps": TOTAL_STEPS,
                "evaluateEverySteps": SAVE_EVERY,
                "saveEverySteps": SAVE_EVERY,
                "preset": "pointwise-v1",
                "floors": [{"name": "constant", "value": "0.768"}],
            }
        return reason, code, answer

    def _exports(self, data: Manifest, reason: Reason, code: int) -> Manifest:
        run = RunFile.model_validate_json(data["run.json"])
        answer = self._record("export", run.digest(), reason, code)
        return {**answer, "exported": {"path": "judge/export", "step": TOTAL_STEPS}} if code == 0 else answer

    def _record(self, role: str, digest: str, reason: Reason, code: int) -> Manifest:
        return {
            "role": role,
            "inputDigest": digest,
            "result": "Failed" if code else "Done",
            "reason": reason.value,
            "message": f"{role} ended with {reason}",
            "exitCode": code,
            "finishedTime": written(self.api.timeline.now),
        }

    def _ends(self, pod: Manifest, job: str, code: int, answer: Manifest | None) -> None:
        last = {"exitCode": code, "reason": "Error" if code else "Completed"}
        if answer is not None:
            last["message"] = json.dumps(answer)
        status = {
            "phase": "Failed" if code else "Succeeded",
            "containerStatuses": [{"name": "main", "state": {"terminated": last}}],
        }
        self.api.put({**pod, "status": {**pod["status"], **status}})
        self._conclude(job, "Failed" if code else "Complete")

    def _is_overdue(self, job: str, pod: str, uid: str) -> None:
        if self.nodes.pod(pod, uid) is not None:
            self.api.delete(Kind.POD, pod)
            self._conclude(job, "Failed", reason="DeadlineExceeded")

    def _lost(self, job: str, uid: str) -> None:
        live = self.api.get(Kind.JOB, job)
        if live is not None and live["metadata"]["uid"] == uid and "status" not in live:
            self._conclude(job, "Failed")

    def _conclude(self, job: str, how: str, *, reason: str = "") -> None:
        def conclude() -> None:
            live = self.api.get(Kind.JOB, job)
            if live is not None and "status" not in live:
                time = written(self.api.timeline.now)
                ended = {"type": how, "status": "True", "reason": reason, "message": "it ended"}
                ended["lastTransitionTime"] = time
                self.api.put(merged(live, {"status": {"conditions": [ended]}}))

        self.api.timeline.after(POD_SECONDS, conclude)
