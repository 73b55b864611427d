"""A small TCP proxy before a PostgreSQL: it may lose the answer to the COMMIT of a claim, or the connection itself."""

import asyncio
from contextlib import suppress

_CLAIM, _COMMIT = b"INSERT INTO interventions", b"COMMIT"
_AT_A_TIME = 65536


class LossyProxy:
    """Stands before the server whose socket is in `folder`; `url` is where clients find the database `name`.

    `lose_commit` cuts the client off at the next COMMIT of a claim, which the server gets all the same: at once, or,
    where it is `late`, when `deliver` is set. While it is not `passable`, it drops every new connection.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._socket = f"{folder}/.s.PGSQL.5432"
        self._name = name
        self._armed = False
        self._late = False
        self._connections: set[asyncio.Task[None]] = set()
        self._clients: set[asyncio.StreamWriter] = set()
        self._half_open: list[asyncio.StreamWriter] = []
        self.deliver = asyncio.Event()
        self.passable = True

    async def start(self) -> None:
        """Take connections on a free port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Cut every connection."""
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for to_server in self._half_open:
            to_server.close()

    @property
    def url(self) -> str:
        """The DATABASE_URL of the database behind it."""
        return f"postgresql://callbot@127.0.0.1:{self._server.sockets[0].getsockname()[1]}/{self._name}"

    def lose_commit(self, *, late: bool = False) -> None:
        """Lose the answer to the next COMMIT of a claim."""
        self._armed, self._late = True, late

    def cut(self) -> None:
        """Cut the clients off so that the server does not notice."""
        for client in self._clients:
            client.close()
        self._clients.clear()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.passable:
            writer.close()
            return
        self._clients.add(writer)
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
            if writer in self._clients:
                self._clients.remove(writer)
                to_server.close()
            else:
                self._half_open.append(to_server)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_AT_A_TIME):
            writer.write(data)
            await writer.drain()
        writer.close()
