"""Lets kopf's client read JSON as we do, however deep it is nested.

Its own reader fails at some 1,000 levels. That ends all watches, again whenever they are started anew: one
object would stop the operator for everybody. kopf has no setting for it, and a session of ours with a reader
of its own is no way either (`watching.connection_info`), so the two names by which its client reads JSON are
replaced. A test with the real kopf tells if another version of it reads elsewhere.
"""

from types import SimpleNamespace
from typing import Any

from kopf._cogs.clients import api

from rrm_operator.nesting import read_json


def read_deep_json() -> None:
    """Let kopf read deep JSON from now on, in this process."""
    vars(api).update(json=SimpleNamespace(loads=read_json), get=_get)


async def _get(url: str, **options: Any) -> Any:
    """Return the body of an answer: lists, and which kinds there are."""
    response = await api.request(method="get", url=url, **options)
    async with response:
        return read_json(await response.read())
