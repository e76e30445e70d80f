"""Which dataset class of the user writes the prompts, where a training brings one written for RM-Gallery."""

from typing import Final

from rrm.errors import InvalidSpec
from rrm.plugins import load_entry_point
from rrm.plugins.datasets import is_upstream_dataset
from rrm_api.run import Intent

FIELD: Final = "spec.data.train entryPoint"


def upstream_dataset_of(intent: Intent) -> str | None:
    """Return the entry point of the RM-Gallery dataset class that writes the prompts, if there is one.

    Raises:
        InvalidSpec: If there are several, or pairs are to be asked both ways round, which it cannot.
        PluginFailed: If an entry point cannot be imported.
    """
    named = {source.entry_point for source in intent.data.train if source.entry_point is not None}
    found = sorted(name for name in named if is_upstream_dataset(load_entry_point(name, field=FIELD)))
    if not found:
        return None
    if len(named) > 1:
        raise InvalidSpec(
            f"{FIELD}: {found[0]} is a dataset class that writes the prompts of all rows; expected no other "
            f"entry point beside it, found {', '.join(sorted(named - {found[0]}))}"
        )
    pairwise = intent.reward.pairwise
    if pairwise is not None and float(pairwise.swap_consistency_weight) > 0:
        raise InvalidSpec(
            f"spec.reward.pairwise.swapConsistencyWeight is {pairwise.swap_consistency_weight}, but "
            f"{found[0]} writes one prompt for each pair; set it to 0, or use a template of ours"
        )
    return found[0]
