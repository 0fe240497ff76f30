"""How an ONNX model is opened: on one thread of the CPU, and without a word to anybody."""

import os

# Else onnxruntime reports each session to its maker, and keeps a device's name in the user's cache folder. It looks
# when it is imported, never later.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

from memory.errors import ReaseqError

THREADS = 1  # a second one is idle or in the way for a single title, and costs 15 % more CPU time in bulk
REFUSED = (
    refusals.Fail,
    refusals.InvalidArgument,
    refusals.InvalidGraph,
    refusals.InvalidProtobuf,
    refusals.NotImplemented,
)


class NoNetwork(ReaseqError):
    """A file holds no ONNX model that onnxruntime can run."""


def onnx_session(model: str | bytes) -> onnxruntime.InferenceSession:
    """Return a session over a file or its content; raises `NoNetwork`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    # Threads that spin while they wait take the CPU from the language model.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # else each number that a model cut in half no longer needs is a warning
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except REFUSED as error:
        raise NoNetwork(str(error)) from error
