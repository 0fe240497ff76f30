"""The look-up floor."""

from evaluators.annotated import AnnotatedTitle
from evaluators.lookup import learn_look_up


def mug(title: str, **values: str) -> AnnotatedTitle:
    return AnnotatedTitle(title=title, category="Mug", attributes={name: (v,) for name, v in values.items()})


def test_the_longest_known_value_is_looked_up() -> None:
    floor = learn_look_up([mug("Acme mug blue", Colour="blue"), mug("mug dark blue", Colour="dark blue")])

    assert floor.read("Corvo mug dark blue", "Mug") == {"Colour": "dark blue"}
    assert floor.read("Corvo mug red", "Mug") == {"Colour": None}


def test_other_categories_are_not_looked_into() -> None:
    floor = learn_look_up([mug("Acme mug", Brand="Acme")])

    assert floor.read("Acme bowl", "Bowl") == {}
