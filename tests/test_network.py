"""Networks: modes against the full decomposition, sizes, invariances."""

import pytest
import torch
from toys import toy_clips, toy_head

from deepsif_lite.network import (
    PaperNetwork,
    ScanNetwork,
    build_network,
    temporal_modes,
)
from deepsif_lite.synthesis import SyntheticEEG


@pytest.fixture(scope="module")
def batch():
    stream = SyntheticEEG(toy_head(), toy_clips(), n_sources=(1, 2), seed=0)
    return stream.batch(range(6))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    head = toy_head()
    net = ScanNetwork(20, 120, n_modes=5, width=32, local_width=16, gate_power=1)
    net.set_geometry(head.leadfield, head.cortex.adjacency)
    return net


def test_modes_are_the_leading_singular_vectors(batch):
    maps, strengths, courses = temporal_modes(batch.eeg, 4)
    _, values, vectors = torch.linalg.svd(batch.eeg, full_matrices=False)
    expected = values[:, :4] / batch.eeg.shape[1] ** 0.5
    # Subspace iteration is exact for what stands out, close for the noise floor.
    torch.testing.assert_close(strengths[:, :2], expected[:, :2], rtol=1e-3, atol=0)
    torch.testing.assert_close(strengths, expected, rtol=3e-2, atol=0)
    agreement = (maps[:, :2] * vectors[:, :2]).sum(-1).abs()
    assert float(agreement.min()) > 0.999
    gram = courses @ courses.transpose(1, 2) / courses.shape[-1]
    torch.testing.assert_close(gram, torch.eye(5).expand_as(gram), atol=2e-3, rtol=0)


def test_modes_of_a_sample_do_not_depend_on_its_batch(batch):
    together = temporal_modes(batch.eeg, 4)
    alone = temporal_modes(batch.eeg[2:3], 4)
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a[2:3], b, atol=1e-4, rtol=1e-4)


def test_loss_in_mode_space_is_the_loss_over_time(batch, network):
    """They differ by the part of the truth outside the modes, whatever the output."""
    maps, strengths, courses = temporal_modes(batch.eeg, network.n_modes)
    n_times = batch.eeg.shape[1]
    target = (courses @ batch.waveforms.transpose(1, 2) / n_times) @ batch.weights
    outside = (batch.activity - courses.transpose(1, 2) @ target).square().sum()
    with torch.no_grad():
        over_time = (network(batch.eeg) - batch.activity).square().sum()
        relative = network.loss(batch)["error"]
    inside = relative * target.square().sum() * n_times
    assert float(inside) == pytest.approx(float(over_time - outside), rel=2e-3)


def test_network_is_equivariant_in_time(batch, network):
    """What comes later in the EEG comes as much later in the activity."""
    with torch.no_grad():
        moved = network(batch.eeg.roll(37, 1))
        expected = network(batch.eeg).roll(37, 1)
    torch.testing.assert_close(moved, expected, atol=1e-4, rtol=1e-3)


def test_gate_power_raises_the_doubtful_alone(batch, network):
    with torch.no_grad():
        before, p = network(batch.eeg), network.probability(batch.eeg)
        network.gate_power = 0.5
        after = network(batch.eeg)
        network.gate_power = 1
    torch.testing.assert_close(after, before / p[:, None] ** 0.5)


def test_probability_is_one(batch, network):
    with torch.no_grad():
        p = network.probability(batch.eeg)
    assert p.shape == (6, 120)
    assert 0 <= float(p.min()) <= float(p.max()) <= 1


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
