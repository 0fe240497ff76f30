"""A model cut off behind a tensor, against the whole one."""

import numpy as np
import onnxruntime
import pytest

from memory.cut_model import ModelNotCut, cut_behind
from memory.encoder import PIECES_TENSOR, MiniLmEncoder
from memory.weights import MINILM, locate


def test_cut_behind_its_last_tensor_a_model_gives_what_it_gave() -> None:
    whole = locate(MINILM).read_bytes()
    ids = np.array([[101, 4157, 2417, 14757, 102]])
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}

    cut = cut_behind(whole, "last_hidden_state")

    results = [onnxruntime.InferenceSession(model).run(None, inputs)[0] for model in (whole, cut)]
    np.testing.assert_array_equal(results[0], results[1])


def test_word_pieces_have_vectors_in_the_middle_of_the_model() -> None:
    pieces = MiniLmEncoder().word_pieces("Acme mug")

    assert len(pieces.places) == len(pieces.vectors) >= 2
    assert pieces.vectors.shape[1] == MiniLmEncoder.dimensions
    assert np.isfinite(pieces.vectors).all()
    assert pieces.vectors.std() > 0.1


@pytest.mark.parametrize("tensor", ["layer_norm_99", ""])
def test_a_tensor_that_is_not_there_is_named(tensor: str) -> None:
    with pytest.raises(ModelNotCut, match=repr(tensor)):
        cut_behind(locate(MINILM).read_bytes(), tensor)


def test_half_a_file_and_no_model_are_refused() -> None:
    whole = locate(MINILM).read_bytes()

    for content in (b"", b"\xff", b"\x07", b"PK\x03\x04 no model", whole[:5000]):
        with pytest.raises(ModelNotCut):
            cut_behind(content, PIECES_TENSOR)
