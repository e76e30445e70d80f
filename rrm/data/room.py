"""Whether the volume will hold what a run leaves on it: asked when it is prepared, before GPUs are."""

import logging
import shutil
from pathlib import Path

from rrm.data.hub import count_parameters
from rrm.errors import HubUnreachable, ModelUnavailable, VolumeUnavailable
from rrm.plan.model import SizedModel, size_model
from rrm.plan.overridden import overridden
from rrm.plan.sums import Disk, disk_use
from rrm.presets import preset_of, resolve
from rrm_api.run import Intent, Layout

LOG = logging.getLogger(__name__)
_GIB = 2**30


def require_room(intent: Intent, layout: Layout, *, claims: Path, free_bytes: int | None = None) -> None:
    """Return if the volume has room for checkpoints, export and weights, or if their size is not known.

    Args:
        intent: What is wanted.
        layout: Where the training lies on the volume.
        claims: Folder that holds each other claim under its name.
        free_bytes: Of the volume; default: as its file system says.

    Raises:
        VolumeUnavailable: There is less than that; carries the sum and what to turn.
    """
    model = _sized(intent, layout, claims)
    if model is None:
        LOG.warning(
            "room on the volume not checked: neither config.json nor name nor hub tells how many parameters "
            "%s has",
            intent.model.name,
        )
        return
    numbers, _ = overridden(resolve(intent), intent.training.overrides)
    disk = disk_use(intent, model.shape, lora_rank=numbers.lora_rank)
    there = _there(layout)
    free = shutil.disk_usage(layout.volume).free if free_bytes is None else free_bytes
    needed = max(0, disk.total - there)
    LOG.info("room on the volume: %s free, %s needed (%s)", _gib(free), _gib(needed), model.origin)
    if free < needed:
        raise VolumeUnavailable(_words(intent, disk, model, free=free, there=there))


def _sized(intent: Intent, layout: Layout, claims: Path) -> SizedModel | None:
    preset, volume = preset_of(intent), layout.volume
    known = size_model(intent, preset, parameters=None, volume=volume, claims=claims)
    if known.is_known or intent.model.volume is not None:
        return known if known.is_known else None
    try:
        parameters = count_parameters(intent.model.name, intent.model.revision)
    except (HubUnreachable, ModelUnavailable) as error:  # said by who reads the tokenizer, if it stays so
        LOG.info("the hub does not tell how many parameters %s has: %s", intent.model.name, error)
        return None
    if parameters is None:
        return None
    return size_model(intent, preset, parameters=parameters, volume=volume, claims=claims)


def _there(layout: Layout) -> int:
    """Return the bytes that the training has on the volume already, of those that are summed."""
    folders = (layout.checkpoints, layout.export, layout.root / "model")
    return sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())


def _words(intent: Intent, disk: Disk, model: SizedModel, *, free: int, there: int) -> str:
    kept = f"keepLast {intent.keep_last}" + (", the best" if intent.keep_best else "") + ", one being written"
    parts = [f"{disk.kept} checkpoints of {_gib(disk.checkpoint)} ({kept})"]
    parts += [f"an export of {_gib(disk.export)}"] if disk.export else []
    parts += [f"the hub's weights of {_gib(disk.model)}"] if disk.model else []
    so_far = f", of which {_gib(there)} are there" if there else ""
    return (
        f"the volume of spec.checkpoints has {_gib(free)} free, but this run puts {_gib(disk.total)} on it"
        f"{so_far}: {', '.join(parts)}, for {model.shape.parameters / 1e9:.2f}B parameters; enlarge "
        f"checkpoints.volume.size, lower checkpoints.keepLast, or set checkpoints.keepBest or export.enabled "
        "to false"
    )


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB"
