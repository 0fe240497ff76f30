"""What company says of compared items is what it says of them among all items."""

import pytest
import torch
from torch import Tensor

from diffusion import evidence
from diffusion.config import Attention
from diffusion.evidence import SIDES, Company, Compared, Read, Side
from learning.links import Links

ITEMS, WIDTH = 40, 8
HIDDEN = -3


def _links(chance: torch.Generator, among: int = ITEMS) -> Links:
    source = torch.randint(0, among, (300,), generator=chance)
    target = torch.randint(0, among, (300,), generator=chance)
    return Links.summed(source, target, torch.rand(300, generator=chance), ITEMS)


def _read(chance: torch.Generator, hidden: Tensor) -> Read:
    items = torch.where(hidden, HIDDEN, torch.randint(0, ITEMS, hidden.shape, generator=chance))
    states = torch.randn(*hidden.shape, WIDTH, generator=chance)
    row, place = hidden.nonzero(as_tuple=True)
    return Read(states[row, place], states, items, row, place, Attention.BOTH)


def _of_both(company: Company, read: Read, links: Links, codes: Compared) -> tuple[Tensor, Tensor]:
    """Return the answer for compared items, and the same columns of the answer for all."""
    every = company(read, links)
    own = every.gather(1, codes.own.unsqueeze(1))
    return company(read, links, codes), torch.cat([own, every[:, codes.shared]], dim=1)


@pytest.mark.parametrize("side", SIDES)
def test_compared_items_are_met_as_much_as_among_all(side: Side) -> None:
    chance = torch.Generator().manual_seed(0)
    hidden = torch.rand(6, 9, generator=chance) < 0.4
    read, links = _read(chance, hidden), _links(chance)
    codes = Compared(*(torch.randint(0, ITEMS, (size,), generator=chance) for size in (len(read.row), 25)))
    company = Company(WIDTH, side)

    some, among_all = _of_both(company, read, links, codes)

    assert among_all.any()
    torch.testing.assert_close(some, among_all)


def test_compared_items_teach_what_all_teach() -> None:
    chance = torch.Generator().manual_seed(1)
    read, links = _read(chance, torch.rand(5, 7, generator=chance) < 0.5), _links(chance)
    codes = Compared(torch.randint(0, ITEMS, (len(read.row),), generator=chance), torch.tensor([3, 3, 11, 0]))
    company = Company(WIDTH, Side.ANY)

    some, among_all = _of_both(company, read, links, codes)
    gradients = [torch.autograd.grad(own.square().sum(), list(company.parameters())) for own in (some, among_all)]

    assert gradients[0][0].any()
    torch.testing.assert_close(gradients[0], gradients[1])


def test_where_nothing_is_visible_no_company_is_kept() -> None:
    chance = torch.Generator().manual_seed(2)
    read = _read(chance, torch.ones(3, 4, dtype=torch.bool))
    codes = Compared(torch.zeros(12, dtype=torch.long), torch.arange(5))

    met = Company(WIDTH, Side.ANY)(read, _links(chance), codes)

    assert met.shape == (12, 6)
    assert not met.any()


def test_items_that_nobody_met_have_no_company() -> None:
    chance = torch.Generator().manual_seed(3)
    hidden = torch.zeros(2, 3, dtype=torch.bool)
    hidden[:, 1] = True
    nobody = Compared(torch.tensor([ITEMS - 1, ITEMS - 2]), torch.tensor([ITEMS - 1]))

    met = Company(WIDTH, Side.ANY)(_read(chance, hidden), _links(chance, among=ITEMS // 2), nobody)

    assert not met.any()


def test_company_is_the_same_whichever_way_it_is_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = torch.Generator().manual_seed(4)
    read = _read(chance, torch.rand(5, 7, generator=chance) < 0.5)
    company, links = Company(WIDTH, Side.ANY), _links(chance)

    tabled = company(read, links)
    monkeypatch.setattr(evidence, "TABLED", 0)
    along_links = company(read, links)
    with torch.no_grad():
        asked = company(read, links)
    gradients = [torch.autograd.grad(own.square().sum(), list(company.parameters())) for own in (tabled, along_links)]

    assert asked.any()
    torch.testing.assert_close(asked, along_links.detach())
    torch.testing.assert_close(tabled, along_links)
    torch.testing.assert_close(gradients[0], gradients[1])
