"""Passes the bytes of connections on, or does to them what networks do: no byte more, or a reset."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

_CHUNK_BYTES: Final = 2**16
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST."""


def abort(transport: asyncio.BaseTransport | None) -> None:
    """End a connection as a router does that has forgotten it: with RST, not FIN."""
    if not isinstance(transport, asyncio.WriteTransport) or transport.is_closing():
        return
    own: socket.socket | None = transport.get_extra_info("socket")
    if own is not None:
        with suppress(OSError):
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


@dataclass(eq=False)
class _Pipe:
    """One connection of a client; bytes pass while it is open."""

    client: asyncio.StreamWriter
    open: asyncio.Event = field(default_factory=asyncio.Event)
    server: asyncio.StreamWriter | None = None

    def reset(self) -> None:
        for writer in (self.client, self.server):
            if writer is not None:
                abort(writer.transport)


class ByteFaults:
    """Connections to one port; lives in one event loop, and its methods are called there."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pipes: set[_Pipe] = set()
        self._is_frozen = self._refuses = False

    def __len__(self) -> int:
        """Number of connections."""
        return len(self._pipes)

    def freeze(self, *, new: bool) -> None:
        """Let no byte through on the connections that exist; with `new` later ones are as mute."""
        self._is_frozen = new
        for pipe in self._pipes:
            pipe.open.clear()

    def thaw(self) -> None:
        """Let all bytes through again, also those that were kept."""
        self._is_frozen = False
        for pipe in self._pipes:
            pipe.open.set()

    def reset(self) -> None:
        """Reset every connection."""
        for pipe in tuple(self._pipes):
            pipe.reset()

    def refuse(self, *, on: bool) -> None:
        """Reset every connection, and each new one at once, until it is taken back."""
        self._refuses = on
        if on:
            self.reset()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client to its end."""
        pipe = _Pipe(writer)
        if self._refuses:
            pipe.reset()
            return
        self._pipes.add(pipe)
        if not self._is_frozen:
            pipe.open.set()
        try:
            await pipe.open.wait()
            upstream, pipe.server = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(_pump(pipe, reader, pipe.server), _pump(pipe, upstream, writer))
        except OSError:
            pipe.reset()
        finally:
            self._pipes.discard(pipe)
            for end in (pipe.server, writer):
                if end is not None:
                    end.close()


async def _pump(pipe: _Pipe, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK_BYTES):
        await pipe.open.wait()
        writer.write(data)
        await writer.drain()
    writer.close()
