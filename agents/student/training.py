"""How a student is trained on annotated titles: a pure computation, on one core, in minutes."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.student import chooser, segmenter
from agents.student.batch import Batch, Scores, batch_of, gradient, score
from agents.student.lbfgs import Objective, minimise
from agents.student.parameters import CategoryShape, Layout, Parameters, Shape, layout_of
from agents.student.sparse_rows import Floats
from agents.student.student import CategoryKnowledge, Student
from agents.student.targets import Targets, targets_of
from agents.student.title_view import PieceEncoder, TitleView, view_title
from agents.student.weights import Columns, add_gradient, columns_of, weights_of
from evaluators.annotated import AnnotatedTitle
from memory.errors import ReaseqError

LEAST_COUNT = 2  # a feature that occurs less often is not learnt
MOST_STEPS = 80

Loss = Callable[[Batch, Scores, Targets], tuple[float, Scores]]


class TrainingError(ReaseqError):
    """There is nothing to learn from."""


@dataclass(frozen=True)
class TrainingStep:
    """How far the training of one reader has come."""

    reader: str
    number: int
    loss: float


@dataclass(frozen=True)
class _Lesson:
    """One category's titles with the right answers."""

    batch: Batch
    columns: Columns
    targets: Targets


@dataclass(frozen=True)
class _Course:
    """All lessons, and what they are written in."""

    token_ids: dict[str, int]
    span_ids: dict[str, int]
    categories: dict[str, CategoryKnowledge]
    layout: Layout
    lessons: list[_Lesson]


_READERS: Mapping[str, Loss] = {"chooser": chooser.loss, "segmenter": segmenter.loss}


def train_student(
    titles: Sequence[AnnotatedTitle],
    encoder: PieceEncoder,
    *,
    most_steps: int = MOST_STEPS,
    report: Callable[[TrainingStep], None] = lambda step: None,
) -> Student:
    """Return a student of these titles; the same titles give the same student. `TrainingError` for none.

    `report` is called after each step of the minimisation.
    """
    seen = {name: group for name, group in _by_category(titles, encoder).items() if group}
    if not seen:
        raise TrainingError("there is no title with an annotated attribute to learn from")
    course = _course(seen, encoder)
    learnt: list[Parameters] = []
    for reader, loss in _READERS.items():
        point = np.zeros(course.layout.size, dtype=np.float32)
        for step in minimise(_objective(course.lessons, course.layout, loss), point, most_steps):
            report(TrainingStep(reader, step.number, step.loss))
            point = step.point
        learnt.append(course.layout.views(point))
    return Student(
        encoder.name,
        _absent_asked(titles, course.categories),
        course.token_ids,
        course.span_ids,
        course.categories,
        *learnt,
    )


_Group = list[tuple[AnnotatedTitle, TitleView]]


def _course(seen: Mapping[str, _Group], encoder: PieceEncoder) -> _Course:
    names = sorted({name for group in seen.values() for annotated, _ in group for name in annotated.attributes})
    token_ids, own_tokens = _vocabulary({c: [v.token_features for _, v in group] for c, group in seen.items()})
    span_ids, own_spans = _vocabulary({c: [v.span_features for _, v in group] for c, group in seen.items()})
    categories = {
        category: _knowledge([a for a, _ in group], names, own_tokens[category], own_spans[category])
        for category, group in seen.items()
    }
    shapes = [knowledge.shape for knowledge in categories.values()]
    layout = layout_of(Shape(len(names), len(token_ids), len(span_ids), 3 * encoder.dimensions, shapes))
    lessons = [
        _lesson(group, number, categories[category], token_ids, span_ids)
        for number, (category, group) in enumerate(seen.items())
    ]
    return _Course(token_ids, span_ids, categories, layout, lessons)


def _by_category(titles: Sequence[AnnotatedTitle], encoder: PieceEncoder) -> dict[str, _Group]:
    """Return each category's titles with their views; a value is known where another title has it as well."""
    groups: defaultdict[str, list[AnnotatedTitle]] = defaultdict(list)
    for annotated in titles:
        groups[annotated.category].append(annotated)
    seen: dict[str, _Group] = {}
    for category in sorted(groups):
        counts = Counter(value for annotated in groups[category] for value in _values(annotated))
        views = [
            (annotated, view_title(annotated.title, _known_elsewhere(annotated, counts), encoder))
            for annotated in groups[category]
        ]
        seen[category] = [(annotated, view) for annotated, view in views if view.spans]
    return {category: group for category, group in seen.items() if any(a.attributes for a, _ in group)}


def _values(annotated: AnnotatedTitle) -> set[str]:
    return {value for values in annotated.attributes.values() for value in values if value.strip()}


def _known_elsewhere(annotated: AnnotatedTitle, counts: Mapping[str, int]) -> Iterator[str]:
    # Else a candidate's mere presence would tell the answer: only gold values would be in this title's list.
    own = _values(annotated)
    return (value for value, count in counts.items() if count > (value in own))


def _vocabulary(rows: Mapping[str, list[list[list[str]]]]) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Return the id of each feature that occurs often enough, and of each category those often enough within it."""
    counts = {c: Counter(name for view in views for row in view for name in row) for c, views in rows.items()}
    total: Counter[str] = Counter()
    for counted in counts.values():
        total.update(counted)
    ids = {name: place for place, name in enumerate(name for name, n in total.items() if n >= LEAST_COUNT)}
    own = {c: [ids[name] for name, n in counted.items() if n >= LEAST_COUNT] for c, counted in counts.items()}
    return ids, own


def _knowledge(
    titles: Sequence[AnnotatedTitle], names: Sequence[str], tokens: list[int], spans: list[int]
) -> CategoryKnowledge:
    attributes = tuple(sorted({name for annotated in titles for name in annotated.attributes}))
    values = tuple(sorted({value for annotated in titles for value in _values(annotated)}))
    places = np.array([names.index(name) for name in attributes], dtype=np.int64)
    shape = CategoryShape(places, np.array(tokens, dtype=np.int64), np.array(spans, dtype=np.int64))
    return CategoryKnowledge(attributes, values, shape)


def _absent_asked(titles: Sequence[AnnotatedTitle], categories: Mapping[str, CategoryKnowledge]) -> float:
    """Return how often annotators asked for an attribute that is absent; what they did not ask for counts as absent."""
    learnt = [(a, categories[a.category].attributes) for a in titles if a.category in categories]
    absent = sum(values == () for annotated, _ in learnt for values in annotated.attributes.values())
    unasked = sum(len(attributes) - len(annotated.attributes) for annotated, attributes in learnt)
    return absent / max(1, absent + unasked)


def _lesson(
    group: _Group,
    number: int,
    knowledge: CategoryKnowledge,
    token_ids: Mapping[str, int],
    span_ids: Mapping[str, int],
) -> _Lesson:
    views = [view for _, view in group]
    batch = batch_of(views, token_ids, span_ids)
    columns = columns_of(number, knowledge.shape, np.unique(batch.tokens.ones), np.unique(batch.spans.ones))
    batch = replace(batch, tokens=batch.tokens.on_columns(columns.tokens), spans=batch.spans.on_columns(columns.spans))
    targets = targets_of(batch, views, [annotated for annotated, _ in group], knowledge.attributes)
    return _Lesson(batch, columns, targets)


def _objective(lessons: Sequence[_Lesson], layout: Layout, loss_of: Loss) -> Objective:
    penalties = layout.penalties()

    def objective(flat: Floats) -> tuple[float, Floats]:
        total = penalties * flat
        loss = 0.5 * float(total @ flat)
        parameters, gradients = layout.views(flat), layout.views(total)
        for lesson in lessons:
            scores = score(lesson.batch, weights_of(parameters, lesson.columns))
            value, upstream = loss_of(lesson.batch, scores, lesson.targets)
            loss += value
            add_gradient(gradient(lesson.batch, upstream), lesson.columns, gradients)
        return loss, total

    return objective
