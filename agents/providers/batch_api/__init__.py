"""OpenAI's batch API: questions gathered, submitted as files, and answered hours later at half the price."""
