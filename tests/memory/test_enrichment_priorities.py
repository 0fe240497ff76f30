"""Priorities of enrichment: what surely moves a ranking, and files that hold none."""

from pathlib import Path

import pytest

from memory.enrichment_priorities import (
    AttributePriority,
    EnrichmentPriorities,
    PrioritiesUnreadable,
    read_priorities,
)


def priority(attribute: str, gain: float, low: float) -> AttributePriority:
    return AttributePriority(
        attribute=attribute, gain=gain, low=low, high=1.0, known=3, unknown=2, unknown_by_category={"": 2}
    )


def priorities(*attributes: AttributePriority) -> EnrichmentPriorities:
    return EnrichmentPriorities(task="next item", metric="NDCG@10", version=1, items=5, attributes=attributes)


def test_what_may_be_chance_has_no_say_and_the_greatest_gain_comes_first() -> None:
    found = priorities(
        priority("brand", 0.01, 0.002),
        priority("color", 0.3, -0.001),
        priority("size", 0.02, 0.01),
        priority("x", 0, 0),
    )

    assert list(found.gains.items()) == [("size", 0.02), ("brand", 0.01)]


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "priorities.json"
    made = priorities(priority("größe", 0.02, 0.01))
    path.write_text(made.model_dump_json(), encoding="utf-8")

    assert read_priorities(path) == made


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file"),
        (b"", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[]", "Input should be an object"),
        (b'{"attributes": []}', "task: Field required"),
        (priorities(priority("a", 0.5, 0.4)).model_dump_json().replace("0.5", "NaN").encode(), "attributes.0.gain: "),
        (priorities(priority("a", 0.5, 0.4)).model_dump_json().replace("0.4", "1.4").encode(), "at most high"),
    ],
)
def test_a_file_that_holds_none_is_named_with_the_reason(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "wrong.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(PrioritiesUnreadable) as told:
        read_priorities(path)

    assert "wrong.json" in str(told.value)
    assert reason in str(told.value)
