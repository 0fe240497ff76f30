"""What the student claims of an item, and of which attributes it is sure that the title has none."""

from collections.abc import Iterator
from dataclasses import dataclass

from agents.extraction.text_claims import text_claim
from agents.student.student import Finding, Student
from agents.student.title_view import PieceEncoder
from agents.values.words import fold
from memory.category import AttributeSpec, CategoryTemplate
from memory.schema import CatalogItem, Claim, Evidence

LONGEST_TITLE = 500  # code points; a longer one is read to there


@dataclass(frozen=True)
class StudentReading:
    """The claims, and how likely the title states each attribute that the student knows."""

    claims: tuple[Claim, ...] = ()
    stated: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class StudentReader:
    """A student with its encoder, asked in the taxonomy's words."""

    student: Student
    encoder: PieceEncoder

    def read(self, item: CatalogItem, template: CategoryTemplate) -> StudentReading:
        """Return what the student finds of the template's attributes; nothing in a category that it never saw."""
        category = self._category(template)
        if category is None:
            return StudentReading()
        findings = self.student.read(item.title[:LONGEST_TITLE], category, self.encoder)
        known = list(_in_words_of(template, findings))
        claims = tuple(_claim(item, spec, finding) for spec, finding in known if finding.is_stated)
        return StudentReading(claims, tuple((spec.key, finding.stated) for spec, finding in known))

    def _category(self, template: CategoryTemplate) -> str | None:
        """Return what the student's gold called this category: its id, its path, or its name."""
        named = (template.category_id, " > ".join(template.path), template.path[-1])
        return next((name for name in named if name in self.student.categories), None)


def _in_words_of(template: CategoryTemplate, findings: list[Finding]) -> Iterator[tuple[AttributeSpec, Finding]]:
    """Yield the findings whose attribute the template has, under its key or name."""
    by_name = {fold(name): spec for spec in template.attributes for name in (spec.name, spec.key)}
    for finding in findings:
        spec = by_name.get(fold(finding.attribute))
        if spec is not None:
            yield spec, finding


def _claim(item: CatalogItem, spec: AttributeSpec, finding: Finding) -> Claim:
    evidence = Evidence.at(item, "title", finding.start, finding.end)
    return text_claim(spec, finding.value, evidence, min(1.0, finding.share * finding.stated), "student")
