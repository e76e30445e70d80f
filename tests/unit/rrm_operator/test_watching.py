"""What kopf keeps for us: nothing."""

from rrm_operator.watching import NoMemories


async def test_nothing_is_kept_about_an_object_between_its_events() -> None:
    memories = NoMemories()
    for number in range(3):
        await memories.recall({"metadata": {"uid": str(number)}}, noticed_by_listing=True)
    assert list(memories.iter_all_memories()) == []
