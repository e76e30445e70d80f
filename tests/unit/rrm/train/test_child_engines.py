"""How the child hands a configuration to the engine that is installed; the engines are played by modules."""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from rrm.train import child
from rrm.train.attempt import Attempt, write_json
from rrm.train.engine import Engine
from rrm.train.errors import TrainerCrashed, Unhealthy
from rrm_api.spec_data import PairwiseReward, Reward


class RayError(Exception):
    """As Ray's own."""


@pytest.fixture
def ran(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What an engine was given; `error` is raised by it, `stopped_at` left behind."""
    found: dict[str, Any] = {"error": None, "stopped_at": None}

    def run(config: Any, **keywords: Any) -> None:
        found.update(config=config, **keywords)
        if found["error"] is not None:
            raise found["error"]
        write_json(attempt.outcome, {"stopped_at": found["stopped_at"]})

    def put(name: str, **members: Any) -> None:
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)

    put("ray.exceptions", RayError=RayError)
    put("ray", exceptions=sys.modules["ray.exceptions"])
    put("verl")
    put("verl.trainer")
    put("verl.trainer.main_ppo", run_ppo=run)
    put("rrm.train.hooks.runner", RrmTaskRunner="ours")
    put("rrm.train.verl04.runner", run=run)
    actor = SimpleNamespace(ppo_mini_batch_size=8)
    config = SimpleNamespace(rrm=attempt.settings(), actor_rollout_ref=SimpleNamespace(actor=actor))
    monkeypatch.setattr(child, "compose", lambda overrides, engine: config)
    write_json(attempt.run_copy, attempt.run.manifest())
    return found


@pytest.fixture(params=Engine)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    chosen: Engine = request.param
    monkeypatch.setattr(child, "installed_engine", lambda: chosen)
    return chosen


def test_each_engine_is_run_its_own_way(ran: dict[str, Any], engine: Engine) -> None:
    assert child._run_verl([]) is None
    assert ran.get("task_runner_class") == ("ours" if engine is Engine.VERL_09 else None)
    assert ran["config"].actor_rollout_ref.actor.ppo_mini_batch_size == 8


def test_the_step_of_a_stop_comes_back(ran: dict[str, Any], engine: Engine) -> None:
    ran["stopped_at"] = 7
    assert child._run_verl([]) == 7


def test_rays_own_errors_are_crashes_and_ours_stay_what_they_are(ran: dict[str, Any], engine: Engine) -> None:
    ran["error"] = RayError("Traceback\nActorDiedError: a worker died\n")
    with pytest.raises(TrainerCrashed, match="Ray: ActorDiedError: a worker died"):
        child._run_verl([])
    ran["error"] = Unhealthy("sick")
    with pytest.raises(Unhealthy, match="sick"):
        child._run_verl([])


@pytest.mark.parametrize(("weight", "answers"), [("0", 1), ("0.5", 2)])
def test_pairs_judged_both_ways_round_double_the_answers_of_an_update(
    attempt: Attempt,
    ran: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    weight: str,
    answers: int,
) -> None:
    reward = Reward(pairwise=PairwiseReward(swap_consistency_weight=weight))
    intent = attempt.run.intent.model_copy(update={"reward": reward})
    pairs = replace(attempt, run=attempt.run.model_copy(update={"intent": intent}))
    assert child.answers_per_session(pairs) == answers
    write_json(attempt.run_copy, pairs.run.manifest())
    monkeypatch.setattr(child, "installed_engine", lambda: Engine.VERL_09)
    child._run_verl([])
    assert ran["config"].actor_rollout_ref.actor.ppo_mini_batch_size == 8 * answers
