"""Imagines behaviours that the log never saw (torch); learning/ and memory/ are all that it imports."""
