"""What kopf keeps for us, nothing, and how it asks: with our credentials, read by a quick reader."""

import asyncio
import json
from typing import Any

import pytest
from kopf._cogs.structs.credentials import LoginError, Vault, VaultKey
from kubernetes.aio.client.configuration import Configuration

from rrm_operator.watching import NoMemories, QuickResponse, session

ODD = [
    "null",
    "[]",
    '"upstream error"',
    "{}",
    '{"items": null}',
    '{"items": [{}]}',
    '{"items": [{"metadata": {}}]}',
]


class Answered(QuickResponse):
    """An answer without a connection."""

    def __init__(self, text: str) -> None:
        self.text_of_body = text

    async def read(self) -> bytes:
        return self.text_of_body.encode()

    def __del__(self) -> None:
        """There is nothing to close."""


def configuration(token: str) -> Configuration:
    found = Configuration(host="https://api.example.com")
    found.api_key = {"BearerToken": f"Bearer {token}"}
    return found


async def test_nothing_is_kept_about_an_object_between_its_events() -> None:
    memories = NoMemories()
    for number in range(3):
        await memories.recall({"metadata": {"uid": str(number)}}, noticed_by_listing=True)
    assert list(memories.iter_all_memories()) == []


@pytest.mark.parametrize("text", ODD)
async def test_whatever_stands_before_the_api_server_may_answer_anything(text: str) -> None:
    assert await Answered(text).json() == json.loads(text)


async def test_who_manages_which_field_is_not_kept_of_a_list() -> None:
    item: dict[str, Any] = {"metadata": {"name": "judge", "managedFields": [{"manager": "kubectl"}]}}
    answer = await Answered(json.dumps({"items": [item]})).json()
    assert answer == {"items": [{"metadata": {"name": "judge"}}]}


async def test_credentials_that_were_refused_are_not_tried_again_for_ever() -> None:
    vault, key = Vault(), VaultKey("ours")
    refused, same, renewed = [await session(configuration(it)) for it in ("old", "old", "new")]
    assert refused == same != renewed
    await vault.populate({key: refused})
    refusal = asyncio.create_task(vault.invalidate(key, refused, exc=OSError("401")))
    await asyncio.wait_for(vault.wait_for_emptiness(), 5)
    await vault.populate({key: same})
    with pytest.raises(LoginError):
        await asyncio.wait_for(refusal, 5)
    for one in (refused, same, renewed):
        await one.aiohttp_session.close()
