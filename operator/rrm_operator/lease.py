"""Lets one of several operators work: a Lease that its holder renews and the others look at.

Not the election of the Kubernetes client: nobody awaits its task, so its end does not end the work.
"""

import asyncio
import logging
import math
from datetime import UTC, datetime
from typing import Final, Protocol

from rrm_operator import metrics
from rrm_operator.api_server import Answer, Request, error_of
from rrm_operator.errors import Conflict, OperatorError
from rrm_operator.lease_rules import Record, Sight, Timing, is_free, lease_manifest, record_of, seen
from rrm_operator.rights import LEASE

_log = logging.getLogger(__name__)

_WRITER: Final = ("fieldManager", "rrm-operator")
_LOOKS_UNTIL_UNREADY: Final = 10


class LeaseLost(Exception):
    """Another operator may work now: this process must do nothing more, and end."""


class Server(Protocol):
    """The part of `api_server.ApiServer` that a lease needs."""

    async def send(self, request: Request) -> Answer:
        """Send a request and return the answer, whatever its status."""


class Gate(Protocol):
    """What decides whether this process may work."""

    async def acquire(self) -> None:
        """Return when this process may work."""

    async def keep(self) -> None:
        """Keep the right to work; never returns.

        Raises:
            LeaseLost: If it is lost.
        """

    async def release(self) -> None:
        """Let another one work at once; called after the last act."""

    def is_held(self) -> bool:
        """Return whether this process may still act."""

    def is_waiting(self) -> bool:
        """Return whether another one works, and this one sees it do so."""


class Alone:
    """The gate of an operator that knows that it is the only one."""

    async def acquire(self) -> None:
        """Return at once."""
        metrics.LEADER.set(1)

    async def keep(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()

    async def release(self) -> None:
        """Do nothing."""

    def is_held(self) -> bool:
        """Return that it may act."""
        return True

    def is_waiting(self) -> bool:
        """Return that it waits for nobody."""
        return False


class Lease:
    """The gate of an operator among others; uses the clock of the running loop."""

    def __init__(self, server: Server, *, namespace: str, name: str, identity: str, timing: Timing) -> None:
        self._server = server
        self._namespace, self._name = namespace, name
        self._identity = identity
        self._timing = timing
        self._sight: Sight | None = None
        self._record: Record | None = None
        self._renewed_at = -math.inf
        self._waited_at = -math.inf
        self._has_asked = False
        self._failing = False

    async def acquire(self) -> None:
        """Look at the lease until it can be taken; an API server that does not answer is asked again."""
        _log.info("waiting for the lease", extra={"lease": self._name, "identity": self._identity})
        while not await self._patiently_taken():
            await asyncio.sleep(self._timing.renew_seconds)
        metrics.LEADER.set(1)
        _log.info("took the lease", extra={"lease": self._name, "identity": self._identity})

    async def keep(self) -> None:
        """Renew the lease for ever.

        Raises:
            LeaseLost: If another one has it, or no renewal succeeded for too long.
        """
        try:
            while True:
                try:
                    async with asyncio.timeout_at(self._renewed_at + self._timing.give_up_seconds):
                        await self._renewed_once_more()
                except TimeoutError as error:
                    raise LeaseLost(
                        f"expected to renew Lease {self._namespace}/{self._name}, found no success for "
                        f"{self._timing.give_up_seconds:g} s: another operator may work now, so this one ends"
                    ) from error
        finally:
            metrics.LEADER.set(0)

    async def release(self) -> None:
        """Write that nobody holds the lease, if this process does; if that fails, it expires.

        It looks first: the answer to its last write may be lost, or was not waited for.
        """
        self._renewed_at = -math.inf
        if not self._has_asked:
            return
        try:
            self._record = await self._read()
            if self._record is None or self._record.holder != self._identity:
                return
            await self._write(holder="")
        except OperatorError as error:
            _log.warning("the lease was not released, so it has to expire: %s", error)
        else:
            _log.info("released the lease", extra={"lease": self._name})

    def is_held(self) -> bool:
        """Return whether the last renewal is recent enough."""
        return _now() - self._renewed_at < self._timing.give_up_seconds

    def is_waiting(self) -> bool:
        """Return whether another one was seen to hold the lease a moment ago."""
        return _now() - self._waited_at < self._timing.renew_seconds * _LOOKS_UNTIL_UNREADY

    async def _patiently_taken(self) -> bool:
        began = _now()
        try:
            taken = await self._taken()
        except OperatorError as error:
            self._tell_failure(error)
            return False
        self._failing = False
        if taken:
            self._renewed_at = began
        return taken

    async def _taken(self) -> bool:
        found = await self._read()
        if found is None:
            self._record = None
        else:
            self._sight = seen(self._sight, found, _now())
            self._record = found
            if not is_free(self._sight, self._identity, _now()):
                self._waited_at = _now()
                return False
        self._has_asked = True
        try:
            await self._write(holder=self._identity)
        except Conflict:
            return False  # Another one was faster; the next look tells who.
        return True

    async def _renewed_once_more(self) -> None:
        """Wait for the next renewal and make it, trying again until it succeeds."""
        wait = self._timing.renew_seconds
        while True:
            await asyncio.sleep(wait)
            began = _now()
            try:
                await self._renew()
            except OperatorError as error:
                metrics.LEASE_FAILURES.inc()
                self._tell_failure(error)
                wait = self._timing.renew_seconds / 2
                continue
            self._failing, self._renewed_at = False, began
            return

    async def _renew(self) -> None:
        try:
            await self._write(holder=self._identity)
        except Conflict:
            # A person changed or deleted it, the answer to an earlier renewal was lost, or it was taken.
            self._record = await self._read()
            if self._record is not None and self._record.holder != self._identity:
                raise LeaseLost(
                    f"expected Lease {self._namespace}/{self._name} to be held by {self._identity}, "
                    f"found {self._record.holder or 'nobody'}: this operator ends"
                ) from None
            await self._write(holder=self._identity)

    async def _read(self) -> Record | None:
        request = Request("GET", LEASE.path(self._namespace, self._name))
        answer = await self._server.send(request)
        if answer.status == 404:
            return None
        if answer.status >= 300:
            raise error_of(request, answer)
        return self._record_of(answer)

    async def _write(self, *, holder: str) -> None:
        """Create the Lease, or replace the version that was seen last: whoever saw an older one fails."""
        body = lease_manifest(self._record, holder, timing=self._timing, now=datetime.now(UTC))
        body["metadata"] |= {"namespace": self._namespace, "name": self._name}
        if self._record is None:
            request = Request("POST", LEASE.path(self._namespace), body, query=[_WRITER])
        else:
            path = LEASE.path(self._namespace, self._name)
            request = Request("PUT", path, body, query=[_WRITER])
        answer = await self._server.send(request)
        if answer.status >= 300:
            raise error_of(request, answer)
        self._record = self._record_of(answer)

    def _record_of(self, answer: Answer) -> Record:
        """Return what an answer says; it must have a version, or the next write would be unconditional."""
        lease = answer.object(self._name)
        try:
            record = record_of(lease, default_seconds=self._timing.seconds)
        except (AttributeError, OverflowError, TypeError, ValueError) as error:
            raise answer.is_no(f"Lease {self._namespace}/{self._name}") from error
        if lease.get("kind") != "Lease" or not record.version:
            raise answer.is_no(f"Lease {self._namespace}/{self._name}")
        return record

    def _tell_failure(self, error: OperatorError) -> None:
        """Say the first of several failures in a row: the next ones come each second."""
        level = logging.DEBUG if self._failing else logging.WARNING
        self._failing = True
        _log.log(level, "no answer about the lease, asking again: %s", error, extra={"lease": self._name})


def _now() -> float:
    return asyncio.get_running_loop().time()
