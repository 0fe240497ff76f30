"""Ranks items by behaviours and knowledge (torch); learning/ and memory/ are all that it imports."""
