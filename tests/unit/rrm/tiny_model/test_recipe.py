"""The tiny model's recipe: the training's own prompts, and a key that changes with all that shapes it."""

from dataclasses import replace
from pathlib import Path

from rrm.intent_file import read_intent
from rrm.tiny_model.recipe import Sizes, recipe_for

EXAMPLE = Path(__file__).parents[4] / "crds" / "examples" / "tiny-cpu.yaml"


def test_the_recipe_holds_the_trainings_own_prompts(demo_claims: Path) -> None:
    recipe = recipe_for(read_intent(EXAMPLE), claims=demo_claims, max_prompt_tokens=448)
    assert len(recipe.prompts) == 260
    first = recipe.prompts[0][0]
    assert first["role"] == "user"
    assert first["content"].startswith(
        "Rate the verbosity of the answer from 0 to 4. Reply with <score>N</score>."
    )
    assert recipe.answers == tuple(f"<score>{score}</score>" for score in range(5))


def test_the_key_changes_with_rows_and_sizes(demo_claims: Path) -> None:
    recipe = recipe_for(read_intent(EXAMPLE), claims=demo_claims, max_prompt_tokens=448)
    again = recipe_for(read_intent(EXAMPLE), claims=demo_claims, max_prompt_tokens=448)
    others = [
        replace(recipe, prompts=recipe.prompts[1:]),
        replace(recipe, sizes=Sizes(layers=2)),
        replace(recipe, max_prompt_tokens=447),
    ]
    assert again.key() == recipe.key()
    assert len({recipe.key(), *(other.key() for other in others)}) == 4
