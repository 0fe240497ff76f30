"""A connection to a server that is cut at a chosen moment: when the client says a word, before or after it arrives."""

import socket
import threading
import time
from contextlib import suppress
from typing import Literal, Self
from urllib.parse import urlsplit


class CuttingProxy:
    """Passes bytes on between clients and a server on loopback; `cut_at` arms it once."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(f":{parts.port}/", f":{self._listener.getsockname()[1]}/")
        self._word = b""
        self._when: Literal["before", "after"] = "before"
        self.cuts = 0

    def cut_at(self, word: bytes, when: Literal["before", "after"]) -> None:
        """Cut the next connection that says the word, before or after the server has heard it."""
        self._word, self._when = word, when

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, target, client), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if source is client and self._word and self._word in data:
                    self._cut(source, target, data)
                    return
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def _cut(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        self._word, self.cuts = b"", self.cuts + 1
        client.shutdown(socket.SHUT_RDWR)
        client.close()
        if self._when == "after":
            server.sendall(data)
            time.sleep(0.2)  # the server has done what it was told, and nobody was there to hear so
        server.shutdown(socket.SHUT_RDWR)
        server.close()
