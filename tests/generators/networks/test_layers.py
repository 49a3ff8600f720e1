"""Networks: equal to their slow, obvious forms."""

from __future__ import annotations

import pytest
import torch

from generators.networks.layers import (
    FourierFeatures,
    InteractionEmbedding,
    NumberNet,
    OrderedNet,
    TokenEmbedding,
    TokenNet,
    initialise,
    thinned,
)

CARDS = (3, 5, 2)
TOKENS = torch.tensor([[0, 4, 1], [2, 0, 0], [1, 3, 1]], dtype=torch.int32)


def seeded(module: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    initialise(module, torch.Generator().manual_seed(seed))
    return module


def test_an_embedding_equals_a_linear_layer_on_one_hot_vectors() -> None:
    net = seeded(TokenEmbedding(CARDS, 7))
    parts = [
        torch.nn.functional.one_hot(TOKENS[:, c].long(), card + 1) for c, card in enumerate(CARDS)
    ]
    expected = torch.cat(parts, dim=1).float() @ net.weight
    torch.testing.assert_close(net(TOKENS), expected)
    assert net(net.unknown.repeat(2, 1)).shape == (2, 7)


def test_the_same_generator_initialises_the_same_network() -> None:
    first, second, other = (seeded(TokenNet(CARDS, 8, 2), s) for s in (1, 1, 2))
    for a, b, c in zip(first.parameters(), second.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.dim() == 1 or not torch.equal(a, c)


def test_logits_of_one_token_are_a_slice_of_all() -> None:
    net = seeded(TokenNet(CARDS, 8, 1))
    state = net(TOKENS, torch.rand(3))
    parts = net.head(state).split(CARDS, dim=1)
    for column, part in enumerate(parts):
        torch.testing.assert_close(net.logits(state, column), part)


def test_an_ordered_network_never_sees_a_token_before_it_is_drawn() -> None:
    net = seeded(OrderedNet(CARDS, [(0, 1)], 8, 4))
    losses = net.losses(TOKENS)
    for column in range(len(CARDS)):
        changed = TOKENS.clone()
        changed[:, column] = (changed[:, column] + 1) % CARDS[column]
        moved = (net.losses(changed) != losses).any(dim=0)
        assert not moved[:column].any()
        assert moved[column:].all()


def test_losses_of_an_ordered_network_are_a_normalised_law() -> None:
    net = seeded(OrderedNet(CARDS, [(0, 1)], 8, 4))
    every = torch.cartesian_prod(*(torch.arange(k) for k in CARDS)).to(torch.int32)
    assert net.losses(every).sum(dim=1).neg().exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_an_interaction_has_a_vector_for_each_combination() -> None:
    interaction = seeded(InteractionEmbedding((3, 4, 2), 8))
    every = torch.cartesian_prod(*(torch.arange(k) for k in (3, 4, 2))).to(torch.int32)
    assert len(torch.unique(interaction(every), dim=0)) == 24


def test_waves_hold_the_number_and_its_octaves() -> None:
    features = FourierFeatures(2, 1.0)
    x = torch.tensor([[0.5, -1.0]])
    expected = torch.tensor(
        [
            [
                0.5,
                -1.0,
                *(torch.tensor([0.5, 1.0, -1.0, -2.0]).sin()),
                *(torch.tensor([0.5, 1.0, -1.0, -2.0]).cos()),
            ]
        ]
    )
    torch.testing.assert_close(features(x), expected)
    assert features.width(2) == features(x).shape[1]


def test_a_number_network_without_tokens_works() -> None:
    net = seeded(NumberNet((), 2, 8, 1))
    nothing = torch.zeros((4, 0), dtype=torch.int32)
    assert net(torch.zeros(4, 2), torch.zeros(4), net.context(nothing)).shape == (4, 2)


def test_thinning_drops_its_share_and_keeps_the_mean() -> None:
    thin = thinned(torch.ones(1001, 301), 0.25, torch.Generator().manual_seed(0))
    assert (thin == 0).float().mean().item() == pytest.approx(0.25, abs=0.004)
    assert thin.mean().item() == pytest.approx(1, abs=0.005)
    assert thin.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (thin == 0).float().mean(dim=0).max() < 0.33


def test_dropout_is_on_in_training_only_and_comes_from_the_generator() -> None:
    net = seeded(OrderedNet(CARDS, [], 8, 4, dropout=0.5))

    def losses(seed: int) -> torch.Tensor:
        return net.losses(TOKENS, torch.Generator().manual_seed(seed))

    assert torch.equal(losses(1), losses(1))
    assert not torch.equal(losses(1), losses(2))
    net.eval()
    assert torch.equal(losses(1), losses(2))
