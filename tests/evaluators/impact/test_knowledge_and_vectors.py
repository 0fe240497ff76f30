"""What changed is counted once, by attribute and category; vectors that moved are told from those that did not."""

import numpy as np
import pytest

from evaluators.impact.knowledge import knowledge_change
from evaluators.impact.vectors import vector_change
from memory.version_diff import ItemDiff, Value

RED, BLUE = ("color", "red", None), ("color", "blue", None)
SIZE = ("volume", "1.7", "l")


def differs(item_id: str, *, added: tuple[Value, ...] = (), removed: tuple[Value, ...] = ()) -> ItemDiff:
    return ItemDiff(
        item_id=item_id,
        title=f"Kettle {item_id}",
        known=(True, True),
        category=None,
        added=added,
        removed=removed,
        changed=((RED, BLUE),),
        demands=(2, 1),
        summary=item_id == "a",
    )


def test_changes_add_up_by_attribute_and_by_category() -> None:
    differences = [differs("a", added=(SIZE,)), differs("b", removed=(SIZE, ("brand", "acme", None)))]

    found = knowledge_change(differences, {"a": "Kettles", "b": "Kettles", "c": ""}, (5, 4), (1, 0))

    assert (found.items, found.differing, found.gained, found.lost, found.changed) == (3, 2, 1, 2, 2)
    assert {(one.name, one.gained, one.lost, one.changed) for one in found.by_attribute} == {
        ("color", 0, 0, 2),
        ("volume", 1, 1, 0),
        ("brand", 0, 1, 0),
    }
    assert [(one.name, one.all) for one in found.by_category] == [("Kettles", 5)]
    assert (found.demands, found.summaries) == ((4, 2), 1)
    assert [(e.item_id, e.attribute, e.before, e.after) for e in found.examples] == [
        ("a", "color", "red", "blue"),
        ("b", "color", "red", "blue"),
    ]


def test_a_unit_is_told_with_its_value() -> None:
    only = differs("a", added=(SIZE,)).model_copy(update={"changed": ()})

    found = knowledge_change([only], {"a": ""}, (0, 1), (0, 0))

    assert [(e.before, e.after) for e in found.examples] == [("", "1.7 l")]


def test_vectors_that_turn_are_told_by_how_far() -> None:
    before = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], dtype=np.float32)
    after = np.array([[1, 0], [0, 1], [1, 0], [0, 0]], dtype=np.float32)

    found = vector_change("knowledge", "abcd", ["A", "B", "C", "D"], before, after)

    assert (found.items, found.moved, found.greatest) == (4, 2, 1.0)
    assert [(one.item_id, one.distance) for one in found.farthest] == [("b", 1.0), ("c", 1.0)]
    assert sum(found.histogram) == 2
    assert found.quantiles == (1.0,) * 5


def test_equal_vectors_do_not_move_by_rounding() -> None:
    chance = np.random.default_rng(0)
    vectors = chance.normal(size=(50, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    found = vector_change("title", [str(n) for n in range(50)], [""] * 50, vectors, vectors.copy())

    assert (found.moved, found.histogram, found.quantiles) == (0, (), ())
    assert found.greatest == pytest.approx(0, abs=1e-6)
