"""Look-up: approved values are found again, never those that only the item itself was approved for."""

from agents.extraction.look_up import learn_look_up
from tests.agents.extraction.bottles import TEMPLATE, approved, bottle


def found(title: str, *known: tuple[str, str], item_id: str = "new") -> list[tuple[str, str]]:
    look_up = learn_look_up(approved(t, f"a{n}", brand=brand) for n, (t, brand) in enumerate(known))
    return [(claim.name, claim.value) for claim in look_up.claims(bottle(title, item_id), TEMPLATE)]


def test_an_approved_value_is_found_in_another_title_whatever_its_case() -> None:
    assert found("Big NORD STAR bottle", ("Nord Star bottle", "Nord Star")) == [("brand", "NORD STAR")]


def test_the_longest_approved_value_is_taken() -> None:
    known = [("Nord bottle", "Nord"), ("Nord Star flask", "Nord Star")]

    assert found("Nord Star bottle", *known) == [("brand", "Nord Star")]


def test_what_only_the_item_itself_was_approved_for_is_not_found() -> None:
    same_id = found("Acme bottle, new text", ("Acme bottle", "Acme"), item_id="a0")
    same_title = found("ACME Bottle", ("Acme bottle", "Acme"))

    assert (same_id, same_title) == ([], [])


def test_a_word_that_approved_titles_hold_for_another_reason_is_not_found() -> None:
    known = [("Blue bottle", "Blue"), ("Acme blue bottle", "Acme"), ("Corvo blue flask", "Corvo")]

    assert found("Plain blue bottle", *known) == []


def test_what_stands_after_for_is_another_product() -> None:
    assert found("Lid for Acme bottle", ("Acme bottle", "Acme")) == []


def test_the_reliability_grows_with_the_items_that_were_approved() -> None:
    few, many = (
        learn_look_up(approved(f"Acme bottle {n}", f"a{n}", brand="Acme") for n in range(count)) for count in (1, 9)
    )

    sure = [look_up.claims(bottle("New Acme bottle"), TEMPLATE)[0].confidence for look_up in (few, many)]

    assert sure[0] < sure[1] < 1


def test_a_value_of_another_category_will_do_where_the_own_one_has_none() -> None:
    look_up = learn_look_up([approved("Acme hat", "a", "hats", brand="Acme")])

    assert [claim.value for claim in look_up.claims(bottle("Acme bottle"), TEMPLATE)] == ["Acme"]
