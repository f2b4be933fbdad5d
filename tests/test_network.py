"""The networks by name, and the paper's against its equations."""

import pytest
import torch

from deepsif_lite.network import PaperNetwork, build_network


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
                h[:, t] @ w[f"temporal.weight_ih_l{layer}"].T
                + w[f"temporal.bias_ih_l{layer}"]
                + hidden @ w[f"temporal.weight_hh_l{layer}"].T
                + w[f"temporal.bias_hh_l{layer}"]
            )
            i, f, g, o = gates.chunk(4, -1)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * cell.tanh()
            rows.append(hidden)
        h = torch.stack(rows, 1)
    torch.testing.assert_close(net(x), h, atol=1e-5, rtol=1e-5)


def test_unknown_network_is_refused():
    with pytest.raises(ValueError, match="choose one of"):
        build_network("resnet", 75, 994)
