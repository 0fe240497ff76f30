"""Scores: pure functions over plain records, and the golden sets they are computed on."""
