"""Imagines behaviours that the log never saw (torch); reads the knowledge base and nothing else."""
