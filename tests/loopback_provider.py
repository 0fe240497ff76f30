"""A language-model server on this machine: speaks OpenAI's and Ollama's HTTP, answers as told, fails on request."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

from tests.batch_office import BatchOffice

Fault = Literal[
    "401",
    "404",
    "500",
    "200_html",
    "no_choices",
    "no_usage",
    "refusal",
    "length",
    "content_filter",
    "hang",
    "cut",
    "redirect",
]
MODELS = ("small", "large")


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> dict[str, Any]:
        """The schema that the answer is to fit, wherever the protocol puts it."""
        if "format" in self.body:
            return dict(self.body["format"])
        return dict(self.body["response_format"]["json_schema"]["schema"])

    @property
    def text(self) -> str:
        """The last message."""
        return str(self.body["messages"][-1]["content"])


Answerer = Callable[[Asked], object]


class LoopbackProvider:
    """Runs in a thread between `with` and its end; `answer` gives each answer, a text as it is, else its JSON."""

    def __init__(self, answer: object | Answerer = "{}", *, fault: Fault | None = None, port: int = 0) -> None:
        self._port = port  # 0: any that is free
        self.answer = answer
        self.fault = fault
        self.prompt_tokens = 11
        self.asked: list[Asked] = []
        self.released = threading.Event()  # ends the hanging of `hang`
        self.office = BatchOffice(lambda body: (200, self.chat_completion(Asked("/v1/chat/completions", {}, body))))

    @property
    def host(self) -> str:
        """The address as Ollama's host."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        """The address as OpenAI's base URL."""
        return f"{self.host}/v1"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), type("Handler", (_Handler,), {"provider": self}))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def answer_text(self, asked: Asked) -> str:
        """Return the raw answer to a question."""
        answer = self.answer(asked) if callable(self.answer) else self.answer
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return text[: len(text) // 2] if self.fault == "length" else text

    def chat_completion(self, asked: Asked) -> dict[str, object]:
        """Return the envelope of an answer."""
        fault, text = self.fault, self.answer_text(asked)
        message: dict[str, object] = {"role": "assistant", "content": text, "refusal": None}
        if fault == "refusal":
            message |= {"content": None, "refusal": "I cannot help with that."}
        reason = fault if fault in ("length", "content_filter") else "stop"
        tokens = {"prompt_tokens": self.prompt_tokens, "completion_tokens": 7, "total_tokens": 18}
        return {
            "id": "1",
            "object": "chat.completion",
            "model": f"{asked.body['model']}-2026",
            "choices": [] if fault == "no_choices" else [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": None if fault == "no_usage" else tokens,
        }


class _Handler(BaseHTTPRequestHandler):
    provider: LoopbackProvider
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's signature
        """Say nothing."""

    def do_GET(self) -> None:
        if self._batched():
            return
        self._take()
        if not self._failed():
            self._json(200, self._listing())

    def do_POST(self) -> None:
        if self._batched():
            return
        asked = self._take()
        if self._failed():
            return
        if asked.path == "/v1/chat/completions":
            self._json(200, self.provider.chat_completion(asked))
        elif asked.path == "/api/chat":
            self._send(200, "application/x-ndjson", self._ollama_stream(asked))
        else:
            self._json(200, {"model_info": {}, "details": {}})  # /api/show

    def _batched(self) -> bool:
        """Answer what is the batch API's."""
        if not self.path.startswith(("/v1/files", "/v1/batches")):
            return False
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body = self.provider.office.handle(self.command, self.path, content, self.headers["Content-Type"])
        self._send(status, "application/json", body.decode())
        return True

    def _take(self) -> Asked:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, json.loads(content) if content else {})
        self.provider.asked.append(asked)
        return asked

    def _failed(self) -> bool:
        """Answer with the fault that was asked for, if it stands in place of an answer."""
        match self.provider.fault:
            case "401":  # as some servers do, it quotes the key
                self._json(401, {"error": {"message": f"wrong key: {self.headers['Authorization']}"}})
            case "404":
                self._json(404 if self.command == "POST" else 200, {"error": "no such model", **self._listing()})
            case "500":
                self._json(500, {"error": {"message": f"overloaded while serving {self.headers['Authorization']}"}})
            case "200_html":
                self._send(200, "text/html", "<html>Sign in</html>")
            case "redirect":
                self._send(307, "text/plain", "", {"Location": f"{self.provider.host}/stolen"})
            case "cut":
                self.close_connection = True
            case "hang":
                self.provider.released.wait(30)
                self.close_connection = True
            case _:
                return False
        return True

    def _listing(self) -> dict[str, object]:
        if self.path == "/v1/models":
            return {"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]}
        if self.path == "/api/version":
            return {"version": "0.0.0"}
        return {"models": [{"model": f"{name}:latest", "name": f"{name}:latest"} for name in MODELS]}

    def _ollama_stream(self, asked: Asked) -> str:
        text, name = self.provider.answer_text(asked), asked.body["model"]
        half = len(text) // 2
        counts = {"prompt_eval_count": self.provider.prompt_tokens, "eval_count": 7}
        end = {"done": True, "done_reason": "length" if self.provider.fault == "length" else "stop"}
        parts: list[dict[str, object]] = [
            {"model": name, "message": {"role": "assistant", "content": text[:half]}, "done": False},
            {"model": name, "message": {"role": "assistant", "content": text[half:]}, **end}
            | ({} if self.provider.fault == "no_usage" else counts),
        ]
        if self.provider.fault == "no_choices":  # the nearest thing: a stream that ends before it is done
            parts.pop()
        return "".join(f"{json.dumps(part)}\n" for part in parts)

    def _json(self, status: int, body: object) -> None:
        self._send(status, "application/json", json.dumps(body))

    def _send(self, status: int, content_type: str, text: str, headers: Mapping[str, str] | None = None) -> None:
        content = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": len(content), **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)
