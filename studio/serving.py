"""The server of the studio: nicegui's application behind the guard, on one socket, until it is stopped."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from fastapi import FastAPI
from nicegui import app, ui

from memory.errors import ReaseqError
from studio.address import Address
from studio.guard import MAX_BODY, Guard
from studio.pages import build_pages
from studio.shell import style_pages
from studio.workbench import Workbench

RECONNECT_SECONDS = 30.0  # a tab may be silent that long, as where a run keeps the machine busy
STOP_SECONDS = 30.0  # for a run to store what is in flight


class PortTaken(ReaseqError):
    """Another program listens there already."""


def serve(bench: Workbench, host: str, port: int, token: str, tell: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; `tell` gets the address to open as soon as it can be opened."""
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    Thread(target=bench.search.refresh, name="search", daemon=True).start()  # the first search then finds it made
    with _listening(host, port) as listening:
        address = Address(host=host, port=listening.getsockname()[1], token=token)
        server = _Server(_config(application(bench, address)), lambda: tell(address.url))
        try:
            asyncio.run(server.serve(sockets=[listening]))
        finally:
            bench.desk.close(STOP_SECONDS)
            bench.database.dispose()


def application(bench: Workbench, address: Address) -> Guard:
    """Return the whole application behind the guard."""
    outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    style_pages()
    build_pages(bench)
    app.config.socket_io_js_transports = ["websocket"]
    ui.run_with(
        outer,
        title="reaseq studio",
        favicon="🔎",
        dark=None,
        tailwind=False,
        gzip_middleware_factory=None,  # nothing is far away here
        show_welcome_message=False,
        reconnect_timeout=RECONNECT_SECONDS,
        message_history_length=200,
    )
    return Guard(outer, address)


class _Server(uvicorn.Server):
    """A server that says when it can be reached."""

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._when_ready()


def _config(guard: Guard) -> uvicorn.Config:
    return uvicorn.Config(
        guard,
        loop="asyncio",
        http="h11",
        ws="wsproto",
        ws_max_size=MAX_BODY,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            raise PortTaken(f"{host}:{port} cannot be listened at: {error.strerror}; choose another --port") from None
        yield listening
