"""An object store on this machine: a folder, served as a bucket as far as reading by S3's protocol goes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
BUCKET = "catalogs"


@contextmanager
def object_store(folder: Path) -> Iterator[str]:
    """Serve the files of a folder, and yield what a URL of one of them (`s3://catalogs/NAME`) has after its "?"."""

    class Reader(_Reader):
        root = folder

    with ThreadingHTTPServer(("127.0.0.1", 0), Reader) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"endpoint_override=127.0.0.1:{server.server_port}&scheme=http&region=here"
        finally:
            server.shutdown()


class _Reader(BaseHTTPRequestHandler):
    root: Path
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        """Say how long an object is."""
        file = self._file()
        if urlsplit(self.path).path.strip("/") == BUCKET:
            self._answer(200, b"")
        elif file.is_file():
            self._answer(200, b"", length=file.stat().st_size)
        else:
            self._answer(404, b"")

    def do_GET(self) -> None:
        """Answer with a list of objects, or with a part of one."""
        asked = parse_qs(urlsplit(self.path).query)
        if "list-type" in asked:
            self._answer(200, self._listed(asked.get("prefix", [""])[0]))
            return
        file = self._file()
        if not file.is_file():
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        content = file.read_bytes()
        bounds = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        self._answer(206 if bounds else 200, content[int(bounds[1]) : int(bounds[2]) + 1] if bounds else content)

    def _file(self) -> Path:
        return self.root / unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}").strip("/")

    def _listed(self, prefix: str) -> bytes:
        names = sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())
        found = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{(self.root / name).stat().st_size}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for name in names
            if name.startswith(prefix)
        )
        head = f"<Name>{BUCKET}</Name><IsTruncated>false</IsTruncated><KeyCount>{found.count('<Key>')}</KeyCount>"
        return f'<ListBucketResult xmlns="{NAMESPACE}">{head}{found}</ListBucketResult>'.encode()

    def _answer(self, status: int, body: bytes, *, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("Last-Modified", formatdate(0, usegmt=True))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
