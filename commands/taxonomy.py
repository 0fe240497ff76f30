"""`reaseq taxonomy`: a category's template as a JSON Schema, and what the taxonomy could learn; nothing changes it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.knowledge import print_template
from commands.output import AsJson, KnowledgeBase, print_json, print_table, say
from commands.settings import Settings, settings_of
from commands.unmapped import Attribute, Category
from memory.text import printable

if TYPE_CHECKING:
    from agents.open_vocabularies import OpenValue
    from agents.vocabulary_proposals import Proposal
    from memory.category import CategoryTemplate

LISTED = 30

app = typer.Typer(help="What a category asks for, and what its vocabulary lacks.", no_args_is_help=True)


@app.command()
def show(
    context: typer.Context,
    category: Annotated[str, typer.Argument(help="A category's id.")],
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Show a category's template, with --json as a JSON Schema; examples are approved values of the knowledge base."""
    from agents.template_schema import examples, template_schema  # noqa: PLC0415 - pint takes a moment to import
    from commands.choices import taxonomy_of  # noqa: PLC0415

    settings = settings_of(context, kb=kb)
    template = taxonomy_of(settings).template(category)
    approved = _approved(settings, template)
    if as_json:
        print_json(template_schema(template, approved))
        return
    print_template(template)
    rows = [[s.key, s.description, ", ".join(examples(s, approved.get(s.key, {})))] for s in template.attributes]
    print_table("What they mean", ["attribute", "description", "approved values, the most frequent"], rows)


@app.command()
def propose(
    context: typer.Context,
    category: Category = None,
    attribute: Attribute = None,
    min_items: Annotated[int, typer.Option("--min-items", help="Leave out what fewer items state.", min=1)] = 2,
    limit: Annotated[int, typer.Option("--limit", help="At most N proposals.", min=1)] = LISTED,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write all of them in the form of a taxonomy file.", metavar="FILE")
    ] = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Propose allowed values and words for them, with the coverage gained; a person decides, the taxonomy stays."""
    from agents.vocabulary_fragment import fragment  # noqa: PLC0415 - YAML, pint and embeddings take a moment to import
    from commands.choices import taxonomy_of  # noqa: PLC0415
    from commands.proposals import proposed  # noqa: PLC0415

    settings = settings_of(context, kb=kb)
    found, listed = proposed(settings, category, attribute, min_items)
    if out is not None:
        _write(out, fragment(found, listed, taxonomy_of(settings)))
    if as_json:
        print_json(_document(found, listed, limit))
        return
    _print(found, listed, limit)
    say(f"written to {out}; merge what you want into a taxonomy file" if out else "--out FILE writes them for merging")


def _approved(settings: Settings, template: "CategoryTemplate") -> dict[str, dict[str, int]]:
    """Return the approved values of a category by attribute; none where there is no knowledge base yet."""
    from memory.approved_values import approved_values  # noqa: PLC0415 - SQL takes a moment to import
    from memory.database import DatabaseMissing, open_existing_database  # noqa: PLC0415

    try:
        with open_existing_database(settings.kb) as database, database.session() as session:
            approved = approved_values(session)
    except DatabaseMissing:
        return {}
    return {key: values for (category, key), values in approved.items() if category == template.category_id}


def _document(found: "list[Proposal]", listed: "list[OpenValue]", limit: int) -> dict[str, object]:
    return {
        "proposals": [one.model_dump(mode="json") | {"gained": one.gained} for one in found[:limit]],
        "more": max(0, len(found) - limit),
        "open": [value.model_dump(mode="json") for value in listed[:limit]],
    }


def _write(path: Path, content: str) -> None:
    from memory.atomic_file import written_whole  # noqa: PLC0415

    with written_whole(path) as unfinished:
        unfinished.write_text(content, encoding="utf-8")


def _print(found: "list[Proposal]", listed: "list[OpenValue]", limit: int) -> None:
    if not found and not listed:
        say("nothing to propose: every stated value could be mapped, or too few items state it")
        return
    print_table(
        "Proposed for the taxonomy; nothing is changed",
        ["attribute", "proposal", "words", "score", "items", "coverage", "gained"],
        map(_cells, found[:limit]),
    )
    if len(found) > limit:
        say(f"… and {len(found) - limit} more: --limit {2 * limit}")
    if listed:
        print_table(
            "Free-text values that could be listed",
            ["attribute", "value", "other spellings", "items", "share"],
            map(_open_cells, listed[:limit]),
        )


def _cells(proposal: "Proposal") -> list[str]:
    what = "words for" if proposal.kind == "alias" else "new value"
    return [
        printable(proposal.attribute, 40),
        f"{what} {printable(proposal.value, 60)}",
        printable(", ".join(proposal.words), 120),
        "" if proposal.score is None else f"{proposal.score:.2f}",
        str(proposal.items),
        f"{proposal.coverage:.1%} → {proposal.coverage_after:.1%}",
        f"+{100 * proposal.gained:.1f} points",
    ]


def _open_cells(value: "OpenValue") -> list[str]:
    return [
        printable(value.attribute, 40),
        printable(value.value, 60),
        printable(", ".join(value.words), 120),
        str(value.items),
        f"{value.share:.1%}",
    ]
