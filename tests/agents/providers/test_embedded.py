"""The embedded language model, as it is installed: real weights, short answers."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from agents.providers.base import AnswerSchema, CallFailed, ChatModel, FinishReason, ProviderUnavailable
from agents.providers.embedded import KEPT_PREFIXES, EmbeddedModel, _Llama, _prompt_parts
from memory.model_call import Message

ROOT = Path(__file__).parents[3]
SYSTEM = "You read a product title and answer with JSON. Copy the brand and the model from the title, or answer absent."
TITLES = [
    "Bosch GSR 12V-15 Akku-Bohrschrauber",
    "3M Littmann Classic III Stethoscope",
    "olive oil",
    "Tefal Pfanne 28 cm",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[ChatModel]:
    model = EmbeddedModel()
    yield model
    await model.aclose()


pytestmark = pytest.mark.asyncio(loop_scope="module")


def question(title: str, system: str = SYSTEM) -> list[Message]:
    """A title under a system message."""
    return [Message(role="system", content=system), Message(role="user", content=f"Title: {title}")]


def choice(*values: str, keys: Sequence[str] = ("brand", "model")) -> AnswerSchema:
    """An object whose keys each take one of the values, or "absent"."""
    properties = {key: {"type": "string", "enum": ["absent", *values]} for key in keys}
    schema = {"type": "object", "properties": properties, "required": list(keys), "additionalProperties": False}
    return AnswerSchema("choice", schema)


async def test_the_answer_is_compact_json_of_the_offered_values(model: ChatModel) -> None:
    title = TITLES[0]

    answer = await model.complete(question(title), choice(*title.split()))

    parsed = orjson.loads(answer.text)
    assert answer.text.encode() == orjson.dumps(parsed)
    assert list(parsed) == ["brand", "model"]
    assert set(parsed.values()) <= {"absent", *title.split()}
    assert answer.finish_reason is FinishReason.STOP
    assert answer.model == "SmolLM2-135M-Instruct.Q4_1"
    assert answer.seconds > 0


@pytest.mark.parametrize(
    "value", ['10" pan', "back\\slash", "Größe 42", "🦄", "<|im_end|>", "a <|im_start|>b", "c<file_sep>", "a\tb"]
)
async def test_any_value_can_be_offered_and_comes_back_unchanged(model: ChatModel, value: str) -> None:
    only = AnswerSchema(
        "only",
        {
            "type": "object",
            "properties": {"value": {"enum": [value]}},
            "required": ["value"],
            "additionalProperties": False,
        },
    )

    answer = await model.complete(question("anything"), only)

    assert orjson.loads(answer.text) == {"value": value}


async def test_keywords_that_the_grammar_does_not_know_do_not_free_the_answer(model: ChatModel) -> None:
    schema = {
        "type": "object",
        "properties": {"brand": {"type": "string", "enum": ["absent", "Bosch"], "format": "brand-name"}},
        "required": ["brand"],
        "additionalProperties": False,
        "uniqueItems": True,
    }

    answer = await model.complete(question(TITLES[0]), AnswerSchema("odd", schema))

    assert orjson.loads(answer.text)["brand"] in {"absent", "Bosch"}


async def test_the_same_question_has_the_same_answer_whatever_came_before(model: ChatModel) -> None:
    asked = {title: choice(*title.split()) for title in TITLES[:2]}
    first = {title: (await model.complete(question(title), schema)).text for title, schema in asked.items()}

    for title, schema in asked.items():
        for n in range(KEPT_PREFIXES):  # as many as push the kept system message out
            await model.complete(question("mug", f"Be brief. {n}"), choice("x", keys=["x"]))

        assert (await model.complete(question(title), schema)).text == first[title]


async def test_the_numbers_behind_an_answer_are_the_same_to_the_last_bit_after_a_similar_question() -> None:
    llama = _Llama.load()
    long = " ".join(f"word{n}" for n in range(40))  # a prompt of over 64 tokens is computed by another kernel
    prefix, rest = _prompt_parts(question(long))

    def probabilities_after(title: str) -> list[object]:
        llama.generate(prefix, _prompt_parts(question(title))[1], "", 1, threading.Event())
        request = {"prompt": [*prefix, *rest], "id_slot": llama._slot_holding(prefix), "temperature": 0}
        chunks: list[object] = []
        llama._server.handle_completions({**request, "n_predict": 3, "logprobs": 5, "stream": True}, chunks.append)
        return [chunk["choices"][0]["logprobs"] for chunk in chunks if isinstance(chunk, dict)]

    unrelated = probabilities_after("olive oil")

    assert unrelated[0]
    assert probabilities_after(long[:-20]) == unrelated
    assert probabilities_after(long) == unrelated


async def test_usage_counts_the_whole_prompt_though_its_beginning_is_kept(model: ChatModel) -> None:
    schema = choice("Bosch")

    first = await model.complete(question(TITLES[0]), schema)
    second = await model.complete(question(TITLES[0]), schema)
    longer = await model.complete(question(TITLES[0] + " one two three"), schema)

    assert first.usage == second.usage
    assert first.usage.prompt_tokens > len(SYSTEM.split())
    assert longer.usage.prompt_tokens == first.usage.prompt_tokens + 3
    assert not first.usage.estimated


async def test_control_tokens_in_a_product_text_are_plain_text(model: ChatModel) -> None:
    schema = choice("x", keys=["x"])
    marks = ["<|im_end|>", "<|im_start|>", "<|endoftext|>", "<file_sep>", "<repo_name>", "<jupyter_start>"]
    plain = (await model.complete(question("mug"), schema)).usage.prompt_tokens

    for mark in marks:
        marked = (await model.complete(question("mug" + mark), schema)).usage.prompt_tokens

        assert marked - plain >= 4, mark  # a control token would be one


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "<", "<<<", "\u202e👩\u200d👩\u200d👧", "a" * 500])
async def test_odd_texts_are_answered(model: ChatModel, text: str) -> None:
    answer = await model.complete(question(text), choice("x", keys=["x"]))

    assert orjson.loads(answer.text)["x"] in {"x", "absent"}


async def test_a_prompt_over_the_context_is_refused_with_both_sizes(model: ChatModel) -> None:
    with pytest.raises(CallFailed, match=r"5,0\d\d tokens; 4,096 fit"):
        await model.complete(question("tea " * 5000), choice("x"))


async def test_a_prompt_of_megabytes_is_refused_unread(model: ChatModel) -> None:
    with pytest.raises(CallFailed, match=r"a prompt of 5,000,\d\d\d characters"):
        await model.complete(question("x" * 5_000_000), choice("x"))


async def test_an_answer_over_the_limit_is_marked_as_cut() -> None:
    model = EmbeddedModel(max_tokens=3)

    answer = await model.complete(question(TITLES[0]), choice("a long value that takes more tokens than three"))

    assert answer.finish_reason is FinishReason.LENGTH
    assert answer.usage.completion_tokens == 3
    await model.aclose()


async def test_cancelled_calls_end_soon_and_leave_no_trace_in_later_answers() -> None:
    model = EmbeddedModel(max_tokens=3000)
    story = {"type": "object", "properties": {"text": {"type": "string", "minLength": 9000}}, "required": ["text"]}
    expected = await model.complete(question(TITLES[1]), choice("3M", "Littmann"))

    for delay in (0.0, 0.05, 0.3):
        call = asyncio.ensure_future(model.complete(question(TITLES[2]), AnswerSchema("story", story)))
        await asyncio.sleep(delay)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    # Three whole stories would take a minute.
    answer = await asyncio.wait_for(model.complete(question(TITLES[1]), choice("3M", "Littmann")), timeout=10)
    assert (answer.text, answer.usage) == (expected.text, expected.usage)
    await model.aclose()


async def test_calls_made_at_once_are_all_answered_as_if_made_alone(model: ChatModel) -> None:
    alone = [(await model.complete(question(title), choice(*title.split()))).text for title in TITLES]

    at_once = await asyncio.gather(*(model.complete(question(title), choice(*title.split())) for title in TITLES))

    assert [answer.text for answer in at_once] == alone


async def test_a_closed_model_says_so() -> None:
    model = EmbeddedModel()
    await model.aclose()

    with pytest.raises(ProviderUnavailable, match="closed"):
        await model.complete(question("tea"), choice("x"))


async def test_it_promises_nothing_that_it_was_not_measured_to_do(model: ChatModel) -> None:
    assert model.spec == "embedded:smollm2"
    assert {name for name, trusted in vars(model.capabilities).items() if trusted} == {"picks"}
    assert model.parameters["temperature"] == 0


QUIET = """
import asyncio, socket
from agents.providers.base import AnswerSchema
from agents.providers.embedded import EmbeddedModel
from memory.model_call import Message

def no_network(*_):
    raise AssertionError("a connection was made")

socket.socket.connect = no_network

async def main():
    model = EmbeddedModel()
    schema = AnswerSchema("x", {"type": "object", "properties": {"x": {"enum": ["y"]}}, "required": ["x"]})
    await model.complete([Message(role="user", content="hello")], schema)
    await model.aclose()

asyncio.run(main())
"""


async def test_a_whole_life_prints_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    run = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        QUIET,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    printed = await run.communicate()

    assert printed == (b"", b"")
    assert run.returncode == 0
    assert os.listdir(tmp_path) == []


def own_listening_ports() -> list[str]:
    """Local addresses on which this process listens, as the kernel lists them."""
    fds = [fd for fd in Path("/proc/self/fd").iterdir() if fd.exists()]
    own = {fd.readlink().name for fd in fds if fd.is_symlink()}
    tables = "".join(Path(f"/proc/self/net/{table}").read_text() for table in ("tcp", "tcp6"))
    rows = [line.split() for line in tables.splitlines()]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own]


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's table of listening ports")
async def test_no_port_is_opened(model: ChatModel) -> None:
    await model.complete(question("tea"), choice("x"))
    with socket.create_server(("127.0.0.1", 0)):
        assert len(own_listening_ports()) == 1  # the server of this test is seen

    assert own_listening_ports() == []
