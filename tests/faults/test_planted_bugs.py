"""The bugs that `make planted-bugs` plants still fit the code."""

import pytest

from tests.faults.planted_bugs import BUGS, ROOT, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_changes_one_place(bug: Bug) -> None:
    text = (ROOT / bug.file).read_text(encoding="utf-8")

    assert text.count(bug.right) == 1
    assert bug.wrong != bug.right
