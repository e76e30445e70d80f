"""An intent goes in, every effective number comes out: spec over preset, fitted to the cluster."""

from math import gcd

from rrm.errors import InvalidSpec
from rrm.methods import METHODS
from rrm.presets.hyperparameters import Hyperparameters
from rrm.presets.memory import Cluster, memory_utilization, tokens_per_gpu
from rrm.presets.model_size import Shape, parameters_of_name, shape_near
from rrm.presets.preset import AUTO, Preset
from rrm.presets.tables import PRESETS, presets_of
from rrm.reasoning import resolve_reasoning
from rrm_api.run import Intent


def resolve(intent: Intent) -> Hyperparameters:
    """Return every effective number of the run.

    Raises:
        InvalidSpec: If the preset is unknown or the numbers do not fit together.
    """
    preset, wanted = preset_of(intent), intent.training
    rollouts = wanted.rollouts_per_prompt or preset.rollouts_per_prompt.value
    batch, mini = _batches(intent, preset, rollouts)
    evaluate, save = _intervals(intent, preset)
    prompt, response = _lengths(intent, preset)
    return Hyperparameters(
        preset=preset.name,
        epochs=wanted.epochs or (preset.epochs.value if wanted.max_steps is None else None),
        max_steps=wanted.max_steps,
        batch_size=batch,
        mini_batch_size=mini,
        micro_batch_size_per_gpu=_micro_batch(intent, preset, answers=mini * rollouts),
        rollouts_per_prompt=rollouts,
        learning_rate=_number(wanted.learning_rate, preset.learning_rate.value),
        kl_coefficient=_number(wanted.kl_coefficient, preset.kl_coefficient.value),
        temperature=_number(wanted.temperature, preset.temperature.value),
        evaluate_every_steps=evaluate,
        save_every_steps=save,
        tensor_parallel=_tensor_parallel(intent, preset),
        max_prompt_tokens=prompt,
        max_response_tokens=response,
        filter_groups=preset.filter_groups.value if wanted.filter_groups is None else wanted.filter_groups,
        warmup_steps=preset.warmup_steps.value,
        entropy_coefficient=preset.entropy_coefficient.value,
        lora_rank=preset.lora_rank.value,
        max_tokens_per_gpu=_tokens_per_gpu(intent, preset, room=prompt + response),
        gpu_memory_utilization=_memory_utilization(intent, preset),
        clip_ratio_low=preset.clip_ratio_low.value,
        clip_ratio_high=preset.clip_ratio_high.value,
    )


def preset_of(intent: Intent) -> Preset:
    """Return the preset that the spec names, or the method's.

    Raises:
        InvalidSpec: If there is none of that name, or it is another method's.
    """
    name, fitting = intent.preset or METHODS[intent.method].preset, ", ".join(presets_of(intent.method))
    if name not in PRESETS:
        raise InvalidSpec(
            f"spec.preset is {name}; known presets: {', '.join(PRESETS)}; `rrm presets` describes them"
        )
    if PRESETS[name].method is not intent.method:
        raise InvalidSpec(
            f"spec.preset is {name}, made for the method {PRESETS[name].method}, but spec.method is "
            f"{intent.method}; leave spec.preset out or use one of {fitting}"
        )
    return PRESETS[name]


def assumed_shape(intent: Intent, preset: Preset) -> Shape:
    """Return the model's shape by the size in its name, else by the preset's."""
    return shape_near(parameters_of_name(intent.model.name) or preset.model_parameters.value)


def _number(wanted: str | None, preset: float) -> float:
    return preset if wanted is None else float(wanted)


def _lengths(intent: Intent, preset: Preset) -> tuple[int, int]:
    kind = resolve_reasoning(intent.model).kind
    return (
        intent.data.max_prompt_tokens or preset.max_prompt_tokens.value,
        intent.data.max_response_tokens or preset.max_response_tokens.value[kind],
    )


def _batches(intent: Intent, preset: Preset, rollouts: int) -> tuple[int, int]:
    """Return batch and mini-batch in prompts, such that every GPU gets the same number of answers."""
    gpus = intent.nodes * intent.gpus_per_node
    unit = gpus // gcd(gpus, rollouts)  # fewest prompts whose answers spread evenly
    batch, mini = intent.training.batch_size, intent.training.mini_batch_size
    usual = preset.mini_batch_size.value
    if batch is None:
        mini = mini or -(-usual // unit) * unit
        batch = mini * max(1, preset.batch_size.value // mini)
    elif mini is None:
        mini = max((d for d in _divisors(batch) if d <= usual and d % unit == 0), default=batch)
    if batch % mini:
        raise InvalidSpec(f"spec.training.batchSize {batch} must be a multiple of miniBatchSize {mini}")
    if mini % unit:
        raise InvalidSpec(
            f"spec.training.miniBatchSize {mini} x rolloutsPerPrompt {rollouts} answers do not spread evenly "
            f"over {gpus} GPUs; use a multiple of {unit} prompts"
        )
    return batch, mini


def _micro_batch(intent: Intent, preset: Preset, *, answers: int) -> int:
    per_gpu = answers // (intent.nodes * intent.gpus_per_node)
    usual = preset.micro_batch_size_per_gpu.value
    if usual == AUTO:
        usual = _fitting_answers(intent, preset, per_gpu)
    micro = intent.training.micro_batch_size_per_gpu or usual
    if per_gpu % micro:
        raise InvalidSpec(
            f"spec.training.microBatchSizePerGPU {micro} must divide the {per_gpu} answers that each GPU "
            "gets per update"
        )
    return micro


def _fitting_answers(intent: Intent, preset: Preset, per_gpu: int) -> int:
    """Return the largest divisor of a GPU's answers that fits one pass if all are as long as they may be."""
    room, shape = sum(_lengths(intent, preset)), assumed_shape(intent, preset)
    tokens = tokens_per_gpu(shape, _cluster(intent), lora_rank=preset.lora_rank.value, room=room)
    return max(d for d in _divisors(per_gpu) if d * room <= tokens)


def _tokens_per_gpu(intent: Intent, preset: Preset, *, room: int) -> int | None:
    """Return the size of dynamic batches; who asks for a micro-batch gets fixed ones."""
    tokens = preset.max_tokens_per_gpu.value
    if intent.training.micro_batch_size_per_gpu is not None or tokens is None:
        return None
    if tokens != AUTO:
        return max(tokens, room)
    shape = assumed_shape(intent, preset)
    return tokens_per_gpu(shape, _cluster(intent), lora_rank=preset.lora_rank.value, room=room)


def _memory_utilization(intent: Intent, preset: Preset) -> float:
    share = preset.gpu_memory_utilization.value
    if share != AUTO:
        return share
    shape = assumed_shape(intent, preset)
    return memory_utilization(shape, _cluster(intent), lora_rank=preset.lora_rank.value)


def _cluster(intent: Intent) -> Cluster:
    return Cluster(gpus=intent.nodes * intent.gpus_per_node)


def _intervals(intent: Intent, preset: Preset) -> tuple[int, int]:
    """Return the two intervals; saving is a multiple, as only an evaluated checkpoint can be the best."""
    evaluate, save = intent.training.evaluate_every_steps, intent.save_every_steps
    if evaluate is None:
        evaluate = preset.evaluate_every_steps.value
        if save is not None:
            evaluate = max(d for d in _divisors(save) if d <= evaluate)
    if save is None:
        save = -(-preset.save_every_steps.value // evaluate) * evaluate
    if save % evaluate:
        raise InvalidSpec(
            f"spec.checkpoints.everySteps {save} must be a multiple of training.evaluateEverySteps {evaluate}"
        )
    return evaluate, save


def _tensor_parallel(intent: Intent, preset: Preset) -> int:
    wanted, gpus = intent.training.tensor_parallel, intent.gpus_per_node
    if wanted is None:
        return max(d for d in _divisors(gpus) if d <= preset.tensor_parallel.value)
    if gpus % wanted:
        raise InvalidSpec(f"spec.training.tensorParallel {wanted} must divide workers.gpusPerNode {gpus}")
    return wanted


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]
