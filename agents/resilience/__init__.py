"""How calls survive a bad provider: retries, rate limits, adaptive concurrency, a breaker."""
