"""The model card: what the judge was made from, how it is asked, what it earns beside what needs no model.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rrm.datasets import label_of
from rrm.judge.baselines import Lift
from rrm.reasoning import resolve_reasoning
from rrm.scales import Scale
from rrm.templates.verdict import BETTER_TAG, SCORE_TAG
from rrm_api.run import Intent, RunFile
from rrm_api.spec_train import Method

_COLUMNS: Final = {
    Method.POINTWISE: (
        "reward", "exact", "balanced_accuracy", "qwk", "spearman", "mae", "untied", "parse_rate", "truncated",
    ),
    Method.PAIRWISE: (
        "reward", "accuracy", "accuracy_untied", "balanced_accuracy", "verdict_a", "swap_consistency",
        "both_orders_right", "parse_rate", "truncated",
    ),
}  # fmt: skip
_LEGEND: Final = {
    Method.POINTWISE: (
        "`untied` is the share of answer pairs to one prompt that are scored in the order of their labels, "
        "a tie being wrong. Unreadable answers count as the worst score for their label."
    ),
    Method.PAIRWISE: (
        "`accuracy` takes a tie as a third class; `accuracy_untied` leaves out pairs that people tied, and a "
        "predicted tie is wrong there. `verdict_a` is the share of verdicts for the first answer. Where both "
        "orders of a pair are asked at once, accuracies count both, `verdict_a` its own order. Unreadable "
        "answers count as wrong."
    ),
}


@dataclass(frozen=True)
class Numbers:
    """What was measured.

    Attributes:
        step: Step of the exported checkpoint.
        base: Validation metrics of the untrained model; empty if they were never measured.
        trained: Those of the exported checkpoint; empty if it was saved without a validation.
        lift: In the reward, over the best of base and floors; None if either side is missing or on other
            rows.
        ranking: Lifts in metrics that no prior can earn.
        floors: Metrics by floor; where empty, the rewards that preparing found are shown.
    """

    step: int
    base: Mapping[str, float]
    trained: Mapping[str, float]
    lift: Lift | None
    ranking: tuple[Lift, ...] = ()
    floors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def judge_config(run: RunFile, scale: Scale) -> dict[str, object]:
    """Return what one needs to ask the judge and to read its answer, as `judge.json` holds it."""
    rule = resolve_reasoning(run.intent.model)
    return {
        "method": run.intent.method.value,
        "template": run.intent.template.manifest(),
        "label": label_of(run.intent.data.train[0]),
        "scale": {"low": scale.low, "high": scale.high},
        "reasoning": {"kind": rule.kind.value, "tag": rule.tag},
        "chatTemplateArguments": rule.chat_template_kwargs,
        "answerTag": _answer_tag(run.intent),
        "reward": run.intent.reward.manifest(),
    }


def model_card(run: RunFile, numbers: Numbers, scale: Scale) -> str:
    """Return the README of the exported folder."""
    intent, data = run.intent, run.prepared.data
    revision = f" at `{run.prepared.model_revision}`" if run.prepared.model_revision else ""
    sources = "\n".join(
        f"- `{source.uri}` ({source.format.value}, label `{label_of(source)}`)"
        for source in intent.data.train
    )
    return f"""---
base_model: {intent.model.name}
tags: [reward-model, grpo]
---
# {intent.name}

A {intent.method.value.lower()} judge: {_duty(intent, scale)}
`judge.json` holds template, scale, reasoning and reward.

Made from `{intent.model.name}`{revision} by GRPO, step {numbers.step} of {run.prepared.total_steps}, preset
`{run.prepared.preset}`. Weights are bfloat16.

## Data
{sources}

{data.train} training and {data.validation} validation rows of {run.prepared.read_rows} read, digest
`{data.digest}`.

## Validation
These rows also chose the checkpoint: expect a little less on new ones. Floors look at no model: constants and
label shares of the training rows, and what length or surface features alone foretell.

{_table(run, numbers)}

{_LEGEND[intent.method]}

{_lifts(numbers)}

## Licence
Check the licences of base model and data before you pass this on; this training added none.
"""


def _duty(intent: Intent, scale: Scale) -> str:
    tag = _answer_tag(intent)
    if tag is None:
        return "its own template says how it is asked and how its answer is read."
    if intent.method is Method.PAIRWISE:
        return (
            f"it reads a question and two answers and names the better one as `<{tag}>A</{tag}>`, B or tie."
        )
    return (
        f"it reads a question and an answer and says a score from {scale.low} to {scale.high} as "
        f"`<{tag}>N</{tag}>`."
    )


def _answer_tag(intent: Intent) -> str | None:
    """Return the tag of the verdict; None where the user's own template reads answers."""
    if intent.template.entry_point is not None:
        return None
    return BETTER_TAG if intent.method is Method.PAIRWISE else SCORE_TAG


def _table(run: RunFile, numbers: Numbers) -> str:
    columns = _COLUMNS[run.intent.method]
    prepared = {floor.name: {"reward": float(floor.value)} for floor in run.prepared.floors}
    floors = {f"floor {name}": metrics for name, metrics in (numbers.floors or prepared).items()}
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, metrics in {**floors, "untrained": numbers.base, "trained": numbers.trained}.items():
        cells = [f"{metrics[key]:.3f}" if key in metrics else "-" for key in columns]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def _lifts(numbers: Numbers) -> str:
    if numbers.lift is None:
        return "The lift over floors and base was not measured: one side is missing, or on other rows."
    return "\n".join(f"- {_sentence(lift)}" for lift in (numbers.lift, *numbers.ranking))


def _sentence(lift: Lift) -> str:
    return (
        f"Lift in {lift.metric} over {lift.reference}: {lift.value:+.3f}, 95 % interval {lift.low:+.3f} to "
        f"{lift.high:+.3f}: **{lift.verdict}**."
    )
