"""The scenarios that are not tried here, or tried with less than their table asks for, and why."""

LEFT_OUT = {
    "F6": "a kill in the middle of a migration is tried statement by statement in tests/memory/test_migrations.py",
    "F25": "Ollama's silent cut of a prompt is tried in tests/agents/providers/test_ollama.py",
    "F43": "there is no PostgreSQL here",
    "F48": "1,000 of its 100,000 items; memory over 20,000 is measured by benchmarks/orchestration.py",
    "F50": "there is no embeddings server: the encoder runs in the process",
}
