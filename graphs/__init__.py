"""The explicit reasoning as a LangGraph state graph, and the ways of running it."""
