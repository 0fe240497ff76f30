"""The reasoning agents: plain async functions over a chat model; no graph, no SQL, no files."""
