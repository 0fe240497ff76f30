"""What a student learns from a knowledge base: accepted values that stand in the title, and what is surely absent."""

from pathlib import Path

from commands.verified_titles import verified_titles
from memory.category import AttributeSpec, AttributeType, Category
from memory.category_tree import Taxonomy, build_taxonomy
from memory.database import open_database
from memory.store import save_enrichment
from memory.versions import version_for
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched


def taxonomy() -> Taxonomy:
    specs = [AttributeSpec(key=key, name=key.title(), type=AttributeType.TEXT) for key in ("brand", "series")]
    drills = Category(id="drills", path=("Drills",), attributes=("brand", "series"))
    return build_taxonomy("t", b"t", [drills], specs)


def learnt(tmp_path: Path, *aids: tuple[str, str]) -> list[dict[str, tuple[str, ...]]]:
    url, provenance = f"sqlite:///{tmp_path / 'own.db'}", PROVENANCE.model_copy(update={"aids": aids})
    with open_database(url) as database, database.writing() as session:
        known = enriched(drill()).model_copy(update={"provenance": provenance, "ungrounded": ()})
        save_enrichment(session, version_for(session, provenance), drill(), known)
    return [dict(title.attributes) for title in verified_titles(url, taxonomy())]


def test_an_accepted_value_is_learnt_and_what_nobody_claims_is_absent(tmp_path: Path) -> None:
    [attributes] = learnt(tmp_path)

    assert attributes["brand"] == ("Acme",)
    assert attributes["series"] == ()


def test_after_a_cascade_nothing_is_known_of_what_nobody_claims(tmp_path: Path) -> None:
    [attributes] = learnt(tmp_path, ("cascade", "on"))

    assert attributes == {"brand": ("Acme",)}
