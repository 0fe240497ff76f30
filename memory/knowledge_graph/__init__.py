"""The knowledge base as a graph: what items, categories, values and demands have to do with each other."""
