"""A small TCP proxy before a PostgreSQL: it may lose the answer to the COMMIT of a claim."""

import asyncio
from contextlib import suppress

_CLAIM, _COMMIT = b"INSERT INTO interventions", b"COMMIT"
_AT_A_TIME = 65536


class LossyProxy:
    """Stands before the server whose socket is in `folder`; `url` is where clients find the database `name`.

    `lose_commit` cuts the client off at the next COMMIT of a claim, which the server gets all the same: at once, or,
    where it is `late`, when `deliver` is set.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._socket = f"{folder}/.s.PGSQL.5432"
        self._name = name
        self._armed = False
        self._late = False
        self._connections: set[asyncio.Task[None]] = set()
        self.deliver = asyncio.Event()

    async def start(self) -> None:
        """Take connections on a free port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Cut every connection."""
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @property
    def url(self) -> str:
        """The DATABASE_URL of the database behind it."""
        return f"postgresql://callbot@127.0.0.1:{self._server.sockets[0].getsockname()[1]}/{self._name}"

    def lose_commit(self, *, late: bool = False) -> None:
        """Lose the answer to the next COMMIT of a claim."""
        self._armed, self._late = True, late

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(self._socket)
        answers = asyncio.create_task(_pass_on(server, writer))
        claims = False
        try:
            while data := await reader.read(_AT_A_TIME):
                claims = claims or (self._armed and _CLAIM in data)
                if claims and _COMMIT in data:
                    self._armed = False
                    if self._late:
                        writer.close()
                        await self.deliver.wait()
                    answers.cancel()
                    await asyncio.wait({answers})
                    to_server.write(data)
                    await server.read(_AT_A_TIME)  # it has committed, and nobody hears of it
                    return
                to_server.write(data)
                await to_server.drain()
        except OSError:
            pass
        finally:
            answers.cancel()
            writer.close()
            to_server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_AT_A_TIME):
            writer.write(data)
            await writer.drain()
        writer.close()
