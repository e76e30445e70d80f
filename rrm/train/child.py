"""The heavy child of `python -m rrm.train`: run file -> overrides -> the installed verl with our hooks.

Started by the parent, never by people. Says how it ended in `attempt-N/ending.json` and by its exit code;
whatever kills it before that, the parent reports.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rrm.data.written import require_rows_of
from rrm.errors import RrmError
from rrm.train import cpu04
from rrm.train.attempt import Attempt, attempt_of, write_json
from rrm.train.checkpoints import Start, decide_start, list_checkpoints
from rrm.train.engine import DEFAULT, Engine, installed_engine
from rrm.train.environment import add_environment
from rrm.train.errors import TrainerCrashed, TrainingRefused
from rrm.train.log import Masker
from rrm.train.overrides import RayPlace, overrides_for
from rrm.train.users_dataset import upstream_dataset_of
from rrm.train.validations import read_validations
from rrm.train.weights import provide_weights
from rrm_api.conditions import Reason
from rrm_api.run import ExitCode


def main() -> int:
    """Train one attempt; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rrm.train.child", description=__doc__)
    for name in ("--volume", "--claims", "--training", "--attempt"):
        parser.add_argument(name, required=True)
    parser.add_argument("--ray-address")
    parser.add_argument("--ray-temp", type=Path)
    arguments = parser.parse_args()
    attempt = attempt_of(vars(arguments))
    try:
        reason, message, code = _train(attempt, arguments.ray_address, arguments.ray_temp)
    except RrmError as error:
        reason, message, code = told_by(error)
    message = Masker(os.environ).mask(message)
    write_json(attempt.ending, {"reason": reason.value, "message": message, "exit_code": int(code)})
    return int(code)


def told_by(error: RrmError) -> tuple[Reason, str, ExitCode]:
    """Return reason, words and exit code of an error of ours, also of one that came through Ray.

    There it is an instance of both classes, whose text is a traceback and which has none of its own values;
    the error itself is its cause.
    """
    own: RrmError = getattr(error, "cause", error)
    return own.reason, str(own), own.exit_code


def _train(attempt: Attempt, address: str | None, temp: Path | None) -> tuple[Reason, str, ExitCode]:
    start = decide_start(list_checkpoints(attempt.layout.checkpoints), attempt.run.prepared.total_steps)
    if start.is_complete:
        return Reason.SUCCEEDED, f"already complete at step {start.step}", ExitCode.DONE
    sys.stdout.write(f"{start.told()}\n")
    require_rows_of(attempt.layout.data, attempt.run.prepared.data.digest)
    provide_weights(attempt)
    engine = installed_engine() or DEFAULT
    place = RayPlace(address, temp, environment=add_environment(attempt.run.intent, os.environ))
    overrides = overrides_for(
        attempt,
        start=start,
        evaluate_first=evaluates_first(attempt, start),
        ray=place,
        engine=engine,
        upstream_dataset=upstream_dataset_of(attempt.run.intent),
    )
    (attempt.folder / "overrides.txt").write_text("\n".join(overrides) + "\n")
    stopped_at = _run_verl(overrides)
    if stopped_at is not None:
        return Reason.CHECKPOINT_SAVED, f"stopped on request after step {stopped_at}", ExitCode.STOPPED
    return Reason.SUCCEEDED, f"trained to step {attempt.run.prepared.total_steps}", ExitCode.DONE


def evaluates_first(attempt: Attempt, start: Start) -> bool:
    """Tell whether the untrained model is still to be measured; its numbers outlive attempts."""
    return start.resume_from is None and 0 not in read_validations(attempt.validations)


def _run_verl(overrides: list[str]) -> int | None:
    """Run verl; returns the step at which it left on request, None if it went to the end."""
    # Imported here and below: verl reads the environment, our plug-in included, when it is imported.
    import ray.exceptions

    engine = installed_engine() or DEFAULT
    config = compose(overrides, engine)
    attempt = attempt_of(config.rrm)
    try:
        match engine:
            case Engine.VERL_09:
                _run09(config, attempt)
            case Engine.VERL_04:
                _run04(config)
    except RrmError:
        raise  # Before Ray's own errors, as one that comes through Ray is an instance of both.
    except ray.exceptions.RayError as error:
        raise TrainerCrashed(f"Ray: {last_line(str(error))}") from error
    stopped_at = json.loads(attempt.outcome.read_text())["stopped_at"]
    return None if stopped_at is None else int(stopped_at)


def _run09(config: Any, attempt: Attempt) -> None:
    from verl.trainer.main_ppo import run_ppo

    from rrm.train.hooks.runner import RrmTaskRunner

    if answers_per_session(attempt) > 1:
        # After the check, which compares prompts with prompts and would refuse it.
        config.actor_rollout_ref.actor.ppo_mini_batch_size *= answers_per_session(attempt)
    run_ppo(config, task_runner_class=RrmTaskRunner)


def _run04(config: Any) -> None:
    from rrm.train.verl04.runner import run

    run(config)


def answers_per_session(attempt: Attempt) -> int:
    """Return 2 where a pair is judged both ways round, else 1."""
    pairwise = attempt.run.intent.reward.pairwise
    return 2 if pairwise is not None and float(pairwise.swap_consistency_weight) > 0 else 1


def compose(overrides: list[str], engine: Engine = DEFAULT) -> Any:
    """Return verl's configuration, checked by verl itself.

    Raises:
        TrainingRefused: an override does not fit, or verl's own check says no.
    """
    if engine is Engine.VERL_04:
        cpu04.install()
    import verl
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    folder = Path(verl.__file__).parent / "trainer" / "config"  # in the older one it is no package
    try:
        with initialize_config_dir(config_dir=str(folder), version_base=None):
            config = hydra_compose(config_name="ppo_trainer", overrides=overrides)
        match engine:
            case Engine.VERL_09:
                _check(config)
            case Engine.VERL_04:
                _check04(config)
    except (HydraException, OmegaConfBaseException, AssertionError, ValueError, NotImplementedError) as error:
        raise TrainingRefused(
            f"the trainer refuses its configuration: {last_line(str(error))}; if a key of "
            "spec.training.overrides is at fault, correct it"
        ) from error
    return config


def _check(config: Any) -> None:
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config
    from verl.utils.device import auto_set_device

    auto_set_device(config)
    validate_config(
        config=config,
        use_reference_policy=need_reference_policy(config),
        use_critic=need_critic(config),
    )


def _check04(config: Any) -> None:
    from verl.trainer.ppo.ray_trainer import RayPPOTrainer

    # A method there, which wants no more of its trainer than this.
    uses_kl = config.actor_rollout_ref.actor.use_kl_loss
    RayPPOTrainer._validate_config(
        SimpleNamespace(config=config, use_reference_policy=uses_kl, use_critic=False)
    )


def last_line(text: str) -> str:
    r"""Return the last line that says something, secrets masked, at most 500 characters.

    >>> last_line("Traceback\n  File x\nValueError: no\n\n")
    'ValueError: no'
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return Masker(os.environ).mask(lines[-1])[:500] if lines else "no message"


if __name__ == "__main__":
    sys.exit(main())
