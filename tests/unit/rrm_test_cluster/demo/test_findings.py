from dataclasses import replace
from typing import Any

import pytest

from rrm.data.parts import ALSO_IN_VALIDATION, OVER_LIMIT, TOO_LONG
from rrm_api.run import Prepared, RunFile
from rrm_api.status import DataStatus, DroppedRows
from rrm_test_cluster.demo.findings import examine
from rrm_test_cluster.demo.results import Results, agreements_in

SUCCEEDED = {"status": {"conditions": [{"type": "Succeeded", "status": "True"}]}}


def results(**changes: Any) -> Results:
    rows = {OVER_LIMIT: 164, ALSO_IN_VALIDATION: 2, TOO_LONG: 21}
    dropped = [DroppedRows(reason=reason, rows=number) for reason, number in rows.items()]
    data = DataStatus(train=252, validation=64, digest="d", dropped=dropped)
    prepared = Prepared(
        data=data,
        read_rows=503,
        total_steps=24,
        evaluate_every_steps=6,
        save_every_steps=12,
        preset="p",
        floors=[],
    )
    fine = Results(
        run=RunFile.model_construct(prepared=prepared),
        agreements={step: 2e-6 for step in range(1, 25)},
        validations={step: {"reward": 0.5 + step / 200, "parse_rate": 0.93} for step in (0, 6, 12, 18, 24)},
        whole_steps=(12, 24),
        asked=16,
        readable=15,
    )
    return replace(fine, **changes)


def failing(**changes: Any) -> list[str]:
    return [finding.claim for finding in examine(SUCCEEDED, results(**changes)) if not finding.holds]


def test_every_claim_holds_for_a_training_as_it_should_be() -> None:
    assert failing() == []


def test_a_training_that_did_not_succeed_fails_the_first_claim() -> None:
    assert not examine({"status": {}}, results())[0].holds


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        pytest.param(
            {"agreements": {step: 2e-6 for step in range(1, 24)}}, "agree", id="a step without a line"
        ),
        pytest.param({"agreements": {step: 2e-4 for step in range(1, 25)}}, "agree", id="too far apart"),
        pytest.param({"agreements": {}}, "agree", id="an empty log"),
        pytest.param({"whole_steps": (24,)}, "checkpoints", id="one checkpoint"),
        pytest.param(
            {"validations": {0: {"reward": 0.5, "parse_rate": 0.9}, 24: {"reward": 0.57, "parse_rate": 0.9}}},
            "reward up",
            id="too little gained",
        ),
        pytest.param(
            {"validations": {0: {"reward": 0.5, "parse_rate": 0.9}, 24: {"reward": 0.7, "parse_rate": 0.8}}},
            "readable",
            id="too many unreadable",
        ),
        pytest.param(
            {"validations": {0: {"reward": 0.5, "parse_rate": 1.0}}}, "validated", id="one validation"
        ),
        pytest.param({"readable": 13}, "exported", id="the exported judge cannot be read"),
        pytest.param({"asked": 0, "readable": 0}, "exported", id="the exported judge was asked nothing"),
    ],
)
def test_a_broken_claim_is_the_only_one_that_fails(changes: dict[str, Any], word: str) -> None:
    (claim,) = failing(**changes)
    assert word in claim


def test_agreements_are_read_from_lines_between_others() -> None:
    log = (
        "(TaskRunner pid=7) step:1 - global_seqlen/min:9 - training/rollout_probs_diff_max:1.19e-06 - x:2\n"
        "noise training/rollout_probs_diff_max:9\n"
        "step:2 - a:1 - training/rollout_probs_diff_max:np.float64(3e-06) - b:1\n"
    )
    assert agreements_in(log) == {1: 1.19e-06, 2: 3e-06}
