"""Scores of rankings: next item and click-through, by slices, with intervals over users, and their report."""
