"""How kopf watches for us: it keeps nothing, and holds up nobody."""

from rrm_operator.watching import LIST_PAGE, NoMemories
from tests.unit.rrm_operator.kube_of_text import Kube, told, written


async def test_nothing_is_kept_about_an_object_between_its_events() -> None:
    memories = NoMemories()
    for number in range(3):
        await memories.recall({"metadata": {"uid": str(number)}}, noticed_by_listing=True)
    assert list(memories.iter_all_memories()) == []


async def test_a_long_list_is_read_in_pages_since_no_lease_is_renewed_while_one_is_read() -> None:
    names = [f"judge-{number}" for number in range(2 * LIST_PAGE + 1)]
    kube = Kube(listed=[written(name, "{}") for name in names], watched=[])
    assert (await told(kube, len(names))).keys() == set(names)
    assert kube.pages == [LIST_PAGE, LIST_PAGE, 1]
