"""What people's decisions come to: the last word counts, and a text has to say what it said."""

import pytest

from memory.rulings import RulingDecision, in_force, standing_in
from memory.whole_spans import whole_span
from tests.memory.human_words import accept, correct, reject
from tests.memory.knowledge_samples import drill

Word = tuple[str, str, bool]


def words(*rulings: object, title: str = "Acme cordless drill 18 V red") -> list[Word]:
    """Return (attribute, value, right) as they hold for a text."""
    said = standing_in(drill(title=title), rulings).holds  # type: ignore[arg-type]
    return [(one.attribute, one.value.normalized, one.right) for one in said]


def test_the_last_word_on_a_value_counts() -> None:
    item = drill()

    assert words(reject(item, "color", "red"), accept(item, "color", "red")) == [("color", "red", True)]
    assert words(accept(item, "color", "red"), reject(item, "color", "red")) == [("color", "red", False)]


def test_of_an_attribute_of_one_value_the_last_right_one_holds() -> None:
    item = drill()
    rulings = [accept(item, "color", "red"), accept(item, "color", "blue", quoted=False)]

    assert words(*rulings) == [("color", "blue", True)]


def test_of_an_attribute_of_many_values_all_right_ones_hold() -> None:
    item = drill()
    rulings = [accept(item, "color", "red", many=True), accept(item, "color", "blue", quoted=False, many=True)]

    assert words(*rulings) == [("color", "red", True), ("color", "blue", True)]


def test_a_correction_says_two_things() -> None:
    assert words(correct(drill(), "color", "green", "red")) == [("color", "green", False), ("color", "red", True)]


def test_what_was_taken_back_does_not_hold() -> None:
    first = accept(drill(), "color", "red").model_copy(update={"id": 1})
    back = first.model_copy(update={"id": 2, "decision": RulingDecision.WITHDRAW, "withdraws": 1})

    assert in_force([first, back]) == ()
    assert in_force([first]) == (first,)


def test_what_a_text_said_holds_while_the_text_says_it() -> None:
    ruling = accept(drill(), "color", "red")

    moved = standing_in(drill(title="A red drill"), [ruling])
    gone = standing_in(drill(title="A drill for hundreds").model_copy(update={"fields": ()}), [ruling])

    assert [one.evidence.start for one in moved.holds if one.evidence] == [2]
    assert gone.holds == ()
    assert [(attribute, value.normalized) for attribute, value in gone.lapsed] == [("color", "red")]


def test_a_rejection_and_what_a_person_knows_without_the_text_hold_for_every_text() -> None:
    item = drill()
    rulings = [reject(item, "color", "red"), correct(item, "brand", None, "Bosch")]

    assert words(*rulings, title="Something else") == [("color", "red", False), ("brand", "bosch", True)]


@pytest.mark.parametrize(
    ("text", "quote", "place"),
    [
        ("a hundred red ones", "red", (10, 13)),
        ("a hundred", "red", None),
        ("1.5 l", "5 l", None),
        ("1,5 l or 5 l", "5 l", (9, 12)),
        ("No. 5", "5", (4, 5)),
        ("500 ml", "50", None),
        ("RED, then Red", "Red", (10, 13)),
        ("RED", "red", (0, 3)),
        ("红色水壶", "红", (0, 1)),
        ("", "red", None),
        ("red", "", None),
        ("size 5.", "5", (5, 6)),
    ],
)
def test_a_text_says_whole_words_and_numbers(text: str, quote: str, place: tuple[int, int] | None) -> None:
    assert whole_span(text, quote) == place
