"""An encoder for tests that counts what it is asked for."""

from collections.abc import Sequence

import numpy as np

from memory.encoder import Vectors


class CountingEncoder:
    """Unit vectors from a text's letters; counts the texts that it encodes."""

    dimensions = 26

    def __init__(self, name: str = "letters@1") -> None:
        self.name = name
        self.encoded = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        counts = np.array([[text.lower().count(chr(97 + i)) + 0.01 for i in range(26)] for text in texts])
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), dtype=np.float32)
