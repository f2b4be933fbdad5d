"""The networks by name, and the paper's against its equations."""

import inspect

import pytest
import torch
from toys import toy_clips, toy_head

from deepsif_lite.network import NETWORKS, PaperNetwork, SourceNetwork, build_network
from deepsif_lite.synthesis import SyntheticEEG


def test_paper_network_has_the_papers_parameters():
    n_parameters = sum(p.numel() for p in PaperNetwork(75, 994).parameters())
    assert n_parameters == 22_360_976  # spatial 588,400 + LSTM 21,772,576


def test_paper_network_follows_its_equations():
    """Against a plain statement of the residual blocks and of the LSTM cell."""
    torch.manual_seed(0)
    net = PaperNetwork(6, 9, width=7, n_layers=2)
    x = torch.randn(2, 5, 6)
    w = dict(net.named_parameters())

    def linear(name, v):
        return v @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def elu(v):
        return torch.where(v > 0, v, v.exp() - 1)

    h = elu(linear("block1_out", elu(linear("block1_in", x) + x)))
    inner = elu(linear("block2_in", h))
    h = elu(linear("block2_out", inner) + linear("block2_skip", h))
    h = elu(linear("mix", h))
    for layer in range(2):
        hidden = cell = torch.zeros(2, 9)
        rows = []
        for t in range(x.shape[1]):
            gates = (
                h[:, t] @ w[f"temporal.{layer}.weight_ih_l0"].T
                + w[f"temporal.{layer}.bias_ih_l0"]
                + hidden @ w[f"temporal.{layer}.weight_hh_l0"].T
                + w[f"temporal.{layer}.bias_hh_l0"]
            )
            i, f, g, o = gates.chunk(4, -1)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * cell.tanh()
            rows.append(hidden)
        h = torch.stack(rows, 1)
    torch.testing.assert_close(net(x), h, atol=1e-5, rtol=1e-5)


def test_padded_network_computes_and_learns_the_same():
    """Sizes rounded up to multiples of 8, after some steps of Adam with decay."""
    eeg = torch.randn(3, 20, 6, dtype=torch.float64)
    target = torch.randn(3, 20, 9, dtype=torch.float64)
    networks = []
    for multiple in (1, 8):
        torch.manual_seed(0)
        network = PaperNetwork(6, 9, width=11, multiple=multiple).double()
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-2, weight_decay=1e-3)
        for _ in range(5):
            optimizer.zero_grad()
            (network(eeg) - target).square().sum().backward()
            optimizer.step()
        networks.append(network)
    plain, padded = networks
    assert padded.temporal[0].weight_ih_l0.shape == (4 * 16, 16)
    assert padded.temporal[0].weight_ih_l0[9:16].count_nonzero() == 0
    torch.testing.assert_close(padded(eeg), plain(eeg), rtol=1e-12, atol=1e-12)
    assert not torch.allclose(plain(eeg), PaperNetwork(6, 9, width=11).double()(eeg))


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_network_fulfills_the_protocol(kind):
    """Its methods are there with the protocol's own arguments, and do what it says."""
    head = toy_head()
    network = build_network(kind, 20, 120)
    assert isinstance(network, torch.nn.Module)
    assert isinstance(network, SourceNetwork)
    for name in ("set_geometry", "image", "loss", "transfer_from", "portable"):
        theirs = inspect.signature(getattr(SourceNetwork, name)).parameters
        ours = inspect.signature(getattr(type(network), name)).parameters
        assert list(ours) == list(theirs), name
    assert (network.n_channels, network.n_regions) == (20, 120)
    network.set_geometry(head.leadfield, head.cortex)
    batch = SyntheticEEG(head, toy_clips(), n_sources=1).batch(range(2))
    with torch.no_grad():
        activity, probability = network.image(batch.eeg)
        assert activity.shape == (2, 500, 120)
        assert probability is None or probability.shape == (2, 120)
        assert network.loss(batch)["total"].ndim == 0


def test_unknown_network_is_refused():
    with pytest.raises(ValueError, match="choose one of"):
        build_network("resnet", 75, 994)
