"""Several OpenAI-compatible servers that serve one model: calls go to the least loaded one that is well."""
