"""How a reward function of the user wants to be called: one answer, or lists; at once, or as a coroutine."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

from rrm.errors import PluginFailed


class Form(StrEnum):
    """Which of verl's two signatures a function has."""

    SINGULAR = "singular"
    PLURAL = "plural"


_ARGUMENTS: Final = {
    Form.SINGULAR: ("data_source", "solution_str", "ground_truth", "extra_info"),
    Form.PLURAL: ("data_sources", "solution_strs", "ground_truths", "extra_infos"),
}
"""verl's managers `naive` and `batch` pass exactly these, by name."""


@dataclass(frozen=True)
class RewardCall:
    """A user's function with the form it is called in."""

    function: Callable[..., Any]
    form: Form

    def __call__(self, *values: Any) -> Any:
        """Return what the function says about one answer; the values in verl's order.

        Raises:
            Exception: Whatever the function raises; TypeError or ValueError if no list of one comes back.
        """
        wanted = _ARGUMENTS[self.form]
        if self.form is Form.SINGULAR:
            return settled(self.function(**dict(zip(wanted, values, strict=True))))
        found = settled(self.function(**{name: [value] for name, value in zip(wanted, values, strict=True)}))
        if not hasattr(found, "__len__"):
            raise TypeError(f"expected a list of 1 score for 1 answer, found {type(found).__name__}")
        if len(found) != 1:
            raise ValueError(f"expected a list of 1 score for 1 answer, found {len(found)} of them")
        return found[0]


def reward_call(function: Any, *, name: str) -> RewardCall:
    """Return how a function is called, from the names of its parameters.

    Args:
        function: What the entry point names.
        name: The entry point, for messages.

    Raises:
        PluginFailed: If it is no function, or has neither of verl's signatures.

    >>> def score(data_source, solution_str, ground_truth, extra_info=None):
    ...     return 1.0
    >>> reward_call(score, name="m:score").form.value
    'singular'
    """
    if not callable(function):
        raise PluginFailed(f"{name}: expected a function, found {type(function).__name__}")
    signature = _signature_of(function, name)
    form = Form.PLURAL if "solution_strs" in signature.parameters else Form.SINGULAR
    try:
        signature.bind(**dict.fromkeys(_ARGUMENTS[form]))
    except TypeError as error:
        raise PluginFailed(
            f"{name}: expected the parameters {', '.join(_ARGUMENTS[form])}, which verl passes by name, "
            f"found {signature}: {error}"
        ) from error
    return RewardCall(function, form)


def _signature_of(function: Any, name: str) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):
        wanted = ", ".join(_ARGUMENTS[Form.SINGULAR])
        raise PluginFailed(f"{name}: expected the parameters {wanted}, found no signature") from None


def settled(value: Any) -> Any:
    """Return a value, or what it comes to if it is to be awaited.

    All coroutines of a process run on one loop of their own: the caller may stand in a loop already, and a
    client that a plug-in keeps between calls belongs to the loop it was made in.

    >>> async def three():
    ...     return 3
    >>> settled(three()), settled(3)
    (3, 3)
    """
    if not inspect.isawaitable(value):
        return value
    result = asyncio.run_coroutine_threadsafe(_ending(value), _loop()).result()
    if isinstance(result, _Leaving):
        raise result.wish
    return result


@dataclass(frozen=True)
class _Leaving:
    """A wish to stop: raised inside the loop, it would end the loop, and every later caller would wait."""

    wish: BaseException


def _ending(value: Awaitable[Any]) -> Coroutine[Any, Any, Any]:
    async def wait() -> Any:
        try:
            return await value
        except (SystemExit, KeyboardInterrupt) as wish:
            return _Leaving(wish)

    return wait()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="rrm-plugins", daemon=True).start()
    return loop
