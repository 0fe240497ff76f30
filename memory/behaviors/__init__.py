"""What shoppers did: behaviours read from logs, stored, split by time, and laid out for a ranker; needs polars."""
