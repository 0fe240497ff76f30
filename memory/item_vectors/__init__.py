"""What is known of items, as rankers read it: a sparse table, vectors of their texts, and files of both."""
