"""The normal form of values: words, numbers, units, counts."""
