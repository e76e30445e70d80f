"""`report.json`: the same as the page, for programs. Numbers are numbers; absent ones are null, never text.

The shape is documented in `docs/guides/report.md` and named by `schema`: a field may be added under the same
name, none is renamed or removed.
"""

from dataclasses import asdict
from typing import Any, Final

from rrm.judge.lift import Lift
from rrm.report.answers import Example, Sheet
from rrm.report.attempts import AttemptSeen
from rrm.report.gather import Report

SCHEMA: Final = "rrm.report/v1"


def document_of(report: Report) -> dict[str, Any]:
    """Return the document of a report."""
    return {
        "schema": SCHEMA,
        "written": report.written,
        "training": _training(report),
        "state": _state(report),
        "verdict": _verdict(report),
        "floors": {
            name: {"reward": reward, **report.judged.floors.get(name, {})}
            for name, reward in report.floors.items()
        },
        "validations": [{"step": step, **numbers} for step, numbers in report.validations.items()],
        "steps": [{"step": step, **numbers} for step, numbers in report.steps.items()],
        "answers": None if report.sheet is None else _sheet(report.sheet),
        "untrainedAnswers": None if report.base_sheet is None else _sheet(report.base_sheet),
        "data": dict(report.data),
        "attempts": [_attempt(attempt) for attempt in report.attempts],
        "findings": [
            {"reason": f.reason, "step": f.step, "message": f.message, "isCurrent": f.is_current}
            for f in report.findings
        ],
        "configuration": {
            "hyperparameters": report.setup.hyperparameters,
            "spec": report.setup.spec,
            "overrides": list(report.setup.overrides),
        },
        "versions": {"isRecorded": report.setup.is_versions_recorded, "packages": report.setup.versions},
        "cost": _cost(report),
        "notes": list(report.gaps),
    }


def _training(report: Report) -> dict[str, Any]:
    intent, prepared = report.run.intent, report.run.prepared
    return {
        "name": intent.name,
        "method": intent.method.value,
        "model": intent.model.name,
        "modelRevision": prepared.model_revision,
        "preset": prepared.preset,
        "runDigest": report.run.digest(),
    }


def _state(report: Report) -> dict[str, Any]:
    newest = report.newest
    return {
        "attempt": newest.number,
        "phase": newest.phase,
        "step": report.step,
        "totalSteps": report.run.prepared.total_steps,
        "etaSeconds": None if newest.is_over else newest.eta_seconds,
        "lastSign": newest.last_sign,
        "isOver": newest.is_over,
    }


def _cost(report: Report) -> dict[str, Any]:
    cost = report.cost
    return {
        "processes": cost.processes,
        "isGPU": cost.is_gpu,
        "wallSeconds": cost.wall_seconds,
        "processorSeconds": cost.processor_seconds,
        "stepSeconds": cost.step_seconds,
        "redoneSeconds": cost.redone_seconds,
    }


def verdict_word(lift: Lift | None, *, is_over: bool) -> str:
    """Return the verdict in a few words; while a run goes on nothing is held against it."""
    if lift is None:
        return "NO VERDICT" if is_over else "NO VERDICT YET"
    if not lift.is_learning and not is_over:
        return "NO LIFT YET"
    return "LEARNING" if lift.is_learning else "NOT LEARNING"


def _verdict(report: Report) -> dict[str, Any]:
    judged = report.judged
    return {
        "word": verdict_word(judged.lift, is_over=report.newest.is_over),
        "step": judged.step,
        "isCheckpoint": judged.is_checkpoint,
        "wholeCheckpoints": list(judged.whole),
        "lift": None if judged.lift is None else asdict(judged.lift),
        "ranking": [asdict(lift) for lift in judged.ranking],
    }


def _attempt(attempt: AttemptSeen) -> dict[str, Any]:
    ending = attempt.ending
    return {
        "number": attempt.number,
        "fromStep": attempt.from_step,
        "lastStep": attempt.last_step,
        "firstSign": attempt.first_sign,
        "lastSign": attempt.last_sign,
        "seconds": attempt.seconds,
        "ending": ending
        and {"reason": ending.reason, "message": ending.message, "exitCode": ending.exit_code},
    }


def _sheet(sheet: Sheet) -> dict[str, Any]:
    return {
        "step": sheet.step,
        "count": sheet.count,
        "confusion": {
            "classes": list(sheet.confusion.names),
            "columns": [*sheet.confusion.names, "unreadable"],
            "counts": [list(row) for row in sheet.confusion.counts],
        },
        "examples": [_example(example) for example in sheet.examples],
    }


def _example(example: Example) -> dict[str, Any]:
    return {
        "kind": example.kind.value,
        "rowId": example.row_id,
        "label": example.label,
        "prediction": example.prediction,
        "reward": example.reward,
        "isTruncated": example.is_truncated,
        "whyUnread": example.why_unread,
        "prompt": [{"role": role, "content": content} for role, content in example.prompt],
        "answer": example.answer,
        "answerSwapped": example.swapped,
        "isConsistent": example.is_consistent,
        "untrainedAnswer": example.untrained,
    }
