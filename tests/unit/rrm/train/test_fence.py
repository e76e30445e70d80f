"""Who may still write into a training's folder."""

from pathlib import Path

import pytest

from rrm.data import identity
from rrm.train.attempt import Attempt
from rrm.train.errors import TrainerCrashed
from rrm.train.fence import require_current
from rrm_api.run import Intent, Layout

HOOK = Path(__file__).parents[4] / "rrm" / "train" / "hooks" / "trainer.py"


def claim_identity(intent: Intent, layout: Layout) -> None:
    identity.claim_identity(intent, layout, identity.Found("sha256:1"))


def test_the_newest_attempt_of_the_owner_may_write(attempt: Attempt) -> None:
    claim_identity(attempt.run.intent, attempt.layout)
    require_current(attempt)


def test_an_attempt_may_not_write_once_a_later_one_has_begun(attempt: Attempt) -> None:
    attempt.layout.attempt(2).mkdir()
    with pytest.raises(TrainerCrashed, match="attempt 2 has begun"):
        require_current(attempt)


def test_an_attempt_of_a_predecessor_may_not_write_for_its_successor(attempt: Attempt) -> None:
    claim_identity(attempt.run.intent, attempt.layout)
    claim_identity(attempt.run.intent.model_copy(update={"uid": "2"}), attempt.layout)
    with pytest.raises(TrainerCrashed, match="another training of this name"):
        require_current(attempt)


def test_attempt_1_of_a_recreated_training_may_write(attempt: Attempt) -> None:
    claim_identity(attempt.run.intent.model_copy(update={"uid": "0"}), attempt.layout)
    attempt.layout.attempt(4).mkdir()
    claim_identity(attempt.run.intent, attempt.layout)
    require_current(attempt)


def test_the_trainer_asks_before_it_saves() -> None:
    save = HOOK.read_text().partition("def _save_checkpoint")[2]
    assert save.index("require_current(self._attempt)") < save.index("super()._save_checkpoint()")
