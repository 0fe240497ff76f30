"""Leaf categories have chances of their own: what goes with the visible ones, beside more of the same."""

import math

import torch

from diffusion.config import Attention, DiffusionConfig
from diffusion.evidence import Read
from diffusion.fitted import fit_diffusion
from diffusion.kinship import Kin, Kinship, Lore, explored
from learning.material import TITLE, Material
from tests.ranker.shop import brands, two_tastes, vectors

GROUP = torch.tensor([0, 0, 1, 1, 2, -1])  # of six items in three categories, one of them in none


def read(items: list[list[int]]) -> Read:
    """The last place of each row is asked."""
    table, rows = torch.tensor(items), torch.arange(len(items))
    states = torch.randn(*table.shape, 8, generator=torch.Generator().manual_seed(0))
    last = torch.full((len(items),), table.shape[1] - 1)
    return Read(states[rows, last], states, table, rows, last, Attention.BOTH)


def test_categories_that_share_rows_are_kin_and_none_is_its_own() -> None:
    kin = Kin.of(torch.tensor([[0, 2, -1], [1, 3, -1], [4, -1, -1]]), GROUP)

    assert kin.cosine[0].tolist() == [0.0, 1.0, 0.0]
    assert kin.ease[0, 1] > 0
    assert kin.ease.diagonal().tolist() == [0.0, 0.0, 0.0]


def test_chances_of_categories_add_up_to_one() -> None:
    lore = Lore(GROUP, (torch.eye(3)[[1, 0, 2]],), (Kin.of(torch.tensor([[0, 2], [1, 3]]), GROUP),))

    told = Kinship(8, 3, ties=1, company=True)(read([[0, 2, -2], [-2, -2, -2], [0, 4, 2]]), lore, 0)

    assert torch.allclose(told.exp().sum(dim=1), torch.ones(3), atol=1e-5)
    assert told[1, 3] > math.log(1e-6)  # with nothing visible every category is new


def test_only_new_categories_are_shared_out_anew_and_together_they_keep_their_chance() -> None:
    items = torch.tensor([[0.3, 0.2, 0.2, 0.1, 0.1, 0.1]])
    kinds = torch.tensor([[0.1, 0.1, 0.7, 0.1]])

    found = explored(items, kinds, torch.tensor([[1.0, 0.0, 0.0]]), GROUP, 1.0)

    assert torch.allclose(found.sum(), torch.tensor(1.0))
    assert torch.allclose(found[0, :2], items[0, :2])
    assert torch.allclose(found[0, 2] / found[0, 3], torch.tensor(2.0))
    assert torch.allclose(found[0, 4] / found[0, 2:4].sum(), torch.tensor(7.0))


def test_a_share_of_nothing_changes_nothing() -> None:
    items = torch.tensor([[0.3, 0.2, 0.2, 0.1, 0.1, 0.1]])

    found = explored(items, torch.tensor([[0.1, 0.1, 0.7, 0.1]]), torch.tensor([[1.0, 0.0, 0.0]]), GROUP, 0.0)

    assert torch.allclose(found, items)


def test_telling_categories_apart_changes_nothing_of_the_items() -> None:
    torch.set_num_threads(1)
    material = Material(two_tastes(), brands(), {TITLE: vectors().numpy()})
    small = DiffusionConfig(epochs=2, width=16, layers=1, heads=1, batch_size=32, negatives=0)
    histories = [material.behaviors.of_user(user)[:-1] for user in material.behaviors.users[:20]]

    models = [fit_diffusion(material, small.model_copy(update={"categories": own})) for own in (True, False)]

    told, not_told = (model.suggest(histories, 5) for model in models)
    assert (told[0] == not_told[0]).all()
