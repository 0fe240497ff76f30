"""The templates of categories, as they were stated: session first, the caller commits."""

from collections.abc import Iterator

from sqlmodel import Session, select

from memory.category import CategoryTemplate
from memory.tables import TemplateRow


def save_template(session: Session, template: CategoryTemplate) -> None:
    """Store a category's template, replacing the one of the same taxonomy version and completing model."""
    key = (template.category_id, template.taxonomy_version, template.completed_by or "")
    category_id, taxonomy_version, completed_by = key
    content = template.model_dump(mode="json")
    session.merge(
        TemplateRow(
            category_id=category_id, taxonomy_version=taxonomy_version, completed_by=completed_by, content=content
        )
    )
    session.flush()


def template_of(
    session: Session, category_id: str, taxonomy_version: str, completed_by: str | None = None
) -> CategoryTemplate | None:
    """Return a category's template in one taxonomy version, as completed by that model (or by none), or None."""
    row = session.get(TemplateRow, (category_id, taxonomy_version, completed_by or ""))
    return None if row is None else CategoryTemplate.model_validate(row.content)


def templates(session: Session) -> Iterator[CategoryTemplate]:
    """Yield all stored templates, of every taxonomy version and completing model."""
    yield from map(CategoryTemplate.model_validate, session.exec(select(TemplateRow.content)))
