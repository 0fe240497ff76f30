"""Ranks items by behaviours and knowledge (torch); reads the knowledge base and nothing else."""
