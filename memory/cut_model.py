"""How an ONNX model is cut off behind one of its tensors, so that what lies beyond is neither computed nor kept.

onnxruntime gives no tensor that the file does not name as a result, and computes every node in it. The `onnx`
package could edit the file but is not installed, so its three nested messages are read here: fields of a number and a
wire type, by https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator
from typing import NamedTuple

# Numbers of fields in onnx.proto3.
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_OUTPUT = 1, 12
_NODE_OUTPUT = 2
_VALUE_NAME = 1

_VARINT, _LONG, _BYTES, _SHORT = 0, 1, 2, 5  # wire types


class ModelNotCut(ValueError):
    """A file is no ONNX model, or has no such tensor."""


class _Field(NamedTuple):
    number: int
    whole: memoryview  # with its tag
    content: memoryview  # empty unless it is of bytes


def cut_behind(model: bytes, tensor: str) -> bytes:
    """Return the model whose only result is this tensor of its graph; `ModelNotCut` if it cannot be found."""
    try:
        parts = list(_fields(memoryview(model)))
        graphs = [part.content for part in parts if part.number == _MODEL_GRAPH]
        if len(graphs) != 1:
            raise ModelNotCut(f"the model has {len(graphs)} graphs")
        graph = b"".join(_cut_graph(graphs[0], tensor.encode()))
    except IndexError as error:
        raise ModelNotCut("the model ends within a field") from error
    others = b"".join(part.whole for part in parts if part.number != _MODEL_GRAPH)
    return others + _message(_MODEL_GRAPH, graph)


def _cut_graph(graph: memoryview, tensor: bytes) -> Iterator[bytes | memoryview]:
    """Yield all but the nodes after the one that makes the tensor: by ONNX's rules, none before needs one after."""
    found = False
    for field in _fields(graph):
        if field.number == _GRAPH_OUTPUT or (found and field.number == _GRAPH_NODE):
            continue
        yield field.whole
        if field.number == _GRAPH_NODE:
            found = any(part.number == _NODE_OUTPUT and part.content == tensor for part in _fields(field.content))
    if not found:
        raise ModelNotCut(f"the model has no tensor {tensor.decode()!r}")
    yield _message(_GRAPH_OUTPUT, _message(_VALUE_NAME, tensor))


def _fields(message: memoryview) -> Iterator[_Field]:
    place = 0
    while place < len(message):
        begun = place
        tag, place = _number(message, place)
        content_starts, kind = place, tag & 7
        if kind == _VARINT:
            _, place = _number(message, place)
        elif kind == _BYTES:
            size, content_starts = _number(message, place)
            place = content_starts + size
        elif kind in (_LONG, _SHORT):
            place += 8 if kind == _LONG else 4
        else:
            raise ModelNotCut(f"the model has a field of the unknown type {kind}")
        if place > len(message):
            raise ModelNotCut("the model ends within a field")
        content = message[content_starts:place] if kind == _BYTES else message[:0]
        yield _Field(tag >> 3, message[begun:place], content)


def _number(message: memoryview, place: int) -> tuple[int, int]:
    """Return the number that begins here, seven bits a byte, the lowest first, and where it ends."""
    number = shift = 0
    while True:
        byte = message[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:  # the highest bit says that more follows
            return number, place


def _message(number: int, content: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(content)) + content


def _encoded(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])
