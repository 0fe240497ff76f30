"""The explicit reasoning as a LangGraph state graph, and .he ways of running it."""
