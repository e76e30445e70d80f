"""The model card: what the judge was made from, how it is asked, what it earns beside what needs no model.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rrm.datasets import label_of
from rrm.judge.baselines import Lift
from rrm.reasoning import resolve_reasoning
from rrm.scales import Scale
from rrm_api.run import RunFile

_METRICS = ("reward", "exact", "balanced_accuracy", "qwk", "spearman", "mae", "parse_rate")


@dataclass(frozen=True)
class Numbers:
    """What was measured.

    Attributes:
        step: Step of the exported checkpoint.
        base: Validation metrics of the untrained model; empty if they were never measured.
        trained: Those of the exported checkpoint; empty if it was saved without a validation.
        lift: Over the best of base and floors; None if either side is missing or on other rows.
    """

    step: int
    base: Mapping[str, float]
    trained: Mapping[str, float]
    lift: Lift | None


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
        "answerTag": "score",
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

A {intent.method.value.lower()} judge: it reads a question and an answer and says a score from {scale.low} to
{scale.high} as `<score>N</score>`. `judge.json` holds template, scale, reasoning and reward.

Made from `{intent.model.name}`{revision} by GRPO, step {numbers.step} of {run.prepared.total_steps}, preset
`{run.prepared.preset}`. Weights are bfloat16.

## Data
{sources}

{data.train} training and {data.validation} validation rows of {run.prepared.read_rows} read, digest
`{data.digest}`.

## Validation
These rows also chose the checkpoint: expect a little less on new ones.

{_table(run, numbers)}

{_verdict(numbers)}

## Licence
Check the licences of base model and data before you pass this on; this training added none.
"""


def _table(run: RunFile, numbers: Numbers) -> str:
    lines = ["| | " + " | ".join(_METRICS) + " |", "|---" * (len(_METRICS) + 1) + "|"]
    blank = ["-"] * (len(_METRICS) - 1)
    for floor in run.prepared.floors:
        lines.append("| " + " | ".join([f"floor {floor.name}", f"{float(floor.value):.3f}", *blank]) + " |")
    for name, metrics in (("untrained", numbers.base), ("trained", numbers.trained)):
        cells = [f"{metrics[key]:.3f}" if key in metrics else "-" for key in _METRICS]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def _verdict(numbers: Numbers) -> str:
    lift = numbers.lift
    if lift is None:
        return "The lift over floors and base was not measured: one side is missing, or on other rows."
    return (
        f"Lift over {lift.reference}: {lift.value:+.3f}, 95 % interval {lift.low:+.3f} to {lift.high:+.3f}: "
        f"**{lift.verdict}**."
    )
