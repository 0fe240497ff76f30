"""Who is let in: each check of the guard, around an application that would answer everything."""

import asyncio
from typing import Any

import httpx
import pytest

from studio.address import Address, AddressRefused, token_for
from studio.guard import Guard, Message, Receive, Scope, Send

TOKEN = "a-token-of-this-start-000"
ADDRESS = Address(host="127.0.0.1", port=8377, token=TOKEN)
ORIGIN = "http://127.0.0.1:8377"
COOKIE = {"cookie": f"{ADDRESS.cookie}={TOKEN}"}
SOCKET = "/_nicegui_ws/socket.io/"
PAGE = b"<html><body>\n    <script>start()</script>\n<p>a title: <script>alert(1)</script></p></body></html>"


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer everything: a page, or an open websocket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(PAGE)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": PAGE})


def asked(method: str = "GET", path: str = "/items", host: str = "127.0.0.1:8377", **sent: Any) -> httpx.Response:
    """Return the answer to a request."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=Guard(answering, ADDRESS))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(method, path, **sent)

    return asyncio.run(ask())


def socket_opened(**headers: str) -> bool:
    """Return whether a websocket with these headers is let in."""
    sent: list[Message] = []
    named = {"host": "127.0.0.1:8377", **headers}
    scope = {
        "type": "websocket",
        "path": SOCKET,
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()],
    }

    async def keep(message: Message) -> None:
        sent.append(message)

    async def connected() -> Message:
        return {"type": "websocket.connect"}

    asyncio.run(Guard(answering, ADDRESS)(scope, connected, keep))
    return bool(sent[0]["type"] == "websocket.accept")


def test_who_has_the_token_is_let_in() -> None:
    answer = asked(headers=COOKIE)

    assert answer.status_code == 200


def test_without_the_token_a_page_is_refused() -> None:
    answer = asked()

    assert answer.status_code == 403
    assert TOKEN not in answer.text


@pytest.mark.parametrize("cookie", [f"{ADDRESS.cookie}=wrong", f"other={TOKEN}", "a;b=c=;=", f"{ADDRESS.cookie}="])
def test_another_cookie_does_not_help(cookie: str) -> None:
    assert asked(headers={"cookie": cookie}).status_code == 403


def test_the_token_goes_from_the_address_into_a_strict_cookie_that_no_script_reads() -> None:
    answer = asked(path=f"/?token={TOKEN}")

    assert (answer.status_code, answer.headers["location"]) == (303, "/items")
    assert answer.headers["set-cookie"] == f"{ADDRESS.cookie}={TOKEN}; Path=/; HttpOnly; SameSite=Strict"


def test_a_wrong_token_in_the_address_is_refused() -> None:
    answer = asked(path="/?token=guessed")

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:8377", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.test:8377"]
)
def test_another_host_is_told_that_it_is_misdirected(host: str) -> None:
    assert asked(headers=COOKIE | {"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8377", "localhost:8377", "LOCALHOST:8377", "[::1]:8377"])
def test_the_names_of_this_machine_are_let_in(host: str) -> None:
    assert asked(headers=COOKIE | {"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_is_changed_by_a_request_of_our_own_page(method: str) -> None:
    assert asked(method, headers=COOKIE | {"origin": ORIGIN}).status_code == 405


@pytest.mark.parametrize("headers", [{"origin": "http://evil.test"}, {"origin": "null"}, {}])
def test_a_write_from_another_page_is_refused(headers: dict[str, str]) -> None:
    assert asked("POST", headers=COOKIE | headers).status_code == 403


def test_a_write_that_a_browser_calls_cross_site_is_refused() -> None:
    headers = COOKIE | {"origin": ORIGIN, "sec-fetch-site": "cross-site"}

    assert asked("POST", headers=headers).status_code == 403


def test_plain_text_that_a_form_could_send_is_refused() -> None:
    headers = COOKIE | {"origin": ORIGIN, "content-type": "text/plain"}

    assert asked("POST", path=SOCKET, headers=headers, content="40").status_code == 405


def test_a_large_body_is_refused_before_it_is_read() -> None:
    headers = COOKIE | {"origin": ORIGIN, "content-length": "10000001"}

    assert asked("POST", headers=headers).status_code == 413


def test_a_page_is_asked_for_without_a_body() -> None:
    assert asked(headers=COOKIE, content=b"x").status_code == 413


def test_the_websocket_is_not_reached_by_requests() -> None:
    assert asked(path=f"{SOCKET}?transport=polling", headers=COOKIE).status_code == 400


def test_an_endless_address_is_refused() -> None:
    assert asked(path="/items?item=" + "x" * 5_000, headers=COOKIE).status_code == 414


def test_our_own_page_opens_the_websocket() -> None:
    assert socket_opened(origin=ORIGIN, cookie=COOKIE["cookie"], sec_fetch_site="same-origin")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ORIGIN},  # no token
        {"cookie": COOKIE["cookie"]},  # no origin: no browser
        {"cookie": COOKIE["cookie"], "origin": "http://evil.test"},
        {"cookie": COOKIE["cookie"], "origin": ORIGIN, "sec_fetch_site": "cross-site"},
        {"cookie": COOKIE["cookie"], "origin": ORIGIN, "host": "evil.test"},
    ],
)
def test_nobody_else_opens_the_websocket(headers: dict[str, str]) -> None:
    assert not socket_opened(**headers)


def test_a_page_runs_the_scripts_of_its_template_alone() -> None:
    answer = asked(headers=COOKIE)

    content_policy = answer.headers["content-security-policy"]
    nonce = content_policy.partition("'nonce-")[2].partition("'")[0]
    assert f'<script nonce="{nonce}">start()' in answer.text
    assert "<p>a title: <script>alert(1)" in answer.text  # without the nonce, so that no browser runs it
    assert "'unsafe-inline'" not in content_policy.partition("script-src")[2].partition(";")[0]
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_two_pages_have_two_nonces() -> None:
    policies = {asked(headers=COOKIE).headers["content-security-policy"] for _ in range(2)}

    assert len(policies) == 2


@pytest.mark.parametrize("headers", [COOKIE, {}, COOKIE | {"host": "evil.test"}])
def test_every_answer_forbids_frames_and_guessing(headers: dict[str, str]) -> None:
    answer = asked(headers=headers)

    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers


def test_elsewhere_than_on_this_machine_a_token_of_ones_own_is_asked_for() -> None:
    with pytest.raises(AddressRefused, match="--token-file"):
        token_for("shop.example", None, TOKEN)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_all_addresses_at_once_are_refused(host: str) -> None:
    with pytest.raises(AddressRefused, match="every address"):
        token_for(host, None, TOKEN)


def test_a_short_token_is_refused(tmp_path: Any) -> None:
    file = tmp_path / "token"
    file.write_text("secret", encoding="ascii")

    with pytest.raises(AddressRefused, match="at least"):
        token_for("shop.example", file, TOKEN)


def test_a_token_of_ones_own_is_taken(tmp_path: Any) -> None:
    file = tmp_path / "token"
    file.write_text("0123456789abcdefghijklmnop\n", encoding="ascii")

    assert token_for("shop.example", file, TOKEN) == "0123456789abcdefghijklmnop"
