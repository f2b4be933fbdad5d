"""The scan network: its loss, its symmetries, and that it learns from its scans."""

import copy

import pytest
import torch
from toys import toy_clips, toy_head

from deepsif_lite.network import ScanNetwork
from deepsif_lite.synthesis import Batch, SyntheticEEG


@pytest.fixture(scope="module")
def batch():
    stream = SyntheticEEG(toy_head(), toy_clips(), n_sources=(1, 2), seed=0)
    return stream.batch(range(6))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    head = toy_head()
    net = ScanNetwork(20, 120, n_modes=5, n_shapes=4, width=32, local_width=16)
    net.set_geometry(head.leadfield, head.cortex)
    # At first the scores are zero, which would leave their branch untested.
    torch.nn.init.normal_(net.local_out.weight, std=0.1)
    return net.eval()


def test_loss_by_way_of_the_modes_is_the_loss_over_time(batch, network):
    with torch.no_grad():
        activity = network(batch.eeg)
        over_time = (activity - batch.activity).square().sum()
        relative = network.loss(batch)["error"]
    expected = over_time / batch.activity.square().sum()
    assert float(relative) == pytest.approx(float(expected), rel=1e-4)


def test_network_follows_shifts_in_time(batch, network):
    """What comes later in the EEG comes as much later in the activity."""
    # Quiet at both ends, so that nothing enters the window or leaves it.
    fade = torch.signal.windows.hann(batch.eeg.shape[1])[:, None] ** 2
    eeg = batch.eeg * fade
    with torch.no_grad():
        moved, expected = network(eeg.roll(37, 1)), network(eeg).roll(37, 1)
    # Not to rounding: cosines are cut a little differently at the border of the band.
    difference = (moved - expected).square().mean() / expected.square().mean()
    assert float(difference) < 0.05


def test_probability_is_one(batch, network):
    with torch.no_grad():
        p = network.image(batch.eeg)[1]
    assert p.shape == (6, 120)
    assert 0 <= float(p.min()) <= float(p.max()) <= 1


def test_copy_gives_the_same_image(batch, network):
    with torch.no_grad():
        expected = network(batch.eeg)
        copied = copy.deepcopy(network)(batch.eeg)
    torch.testing.assert_close(copied, expected, rtol=0, atol=0)


def test_image_does_not_depend_on_the_batch(batch, network):
    with torch.no_grad():
        together, alone = network(batch.eeg)[2:3], network(batch.eeg[2:3])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-3)


def test_scans_point_to_the_source_without_any_training(network):
    """The patch that made the EEG fits best, before anything is learned."""
    stream = SyntheticEEG(
        toy_head(), toy_clips(), n_sources=1, seed=3, sensor_snr=(20.0,)
    )
    near = network.geometry.neighborhood
    hits = 0
    for index in range(8):
        sample = stream[index]
        maps, _, _ = network.modes(torch.as_tensor(sample.eeg)[None])
        seed = int(network.best_fit(maps[:, :1])[0].argmax())
        hits += bool(near[seed, sample.patches[0][0]])
    assert hits >= 7


def test_scalp_maps_are_those_of_the_whitened_leadfield(network):
    """Up to the reference: a source alone in the EEG, whitened."""
    leadfield = torch.as_tensor(toy_head().leadfield, dtype=torch.float32)
    weights = torch.zeros(2, 120)
    weights[0, 7], weights[1, [30, 31]] = 2.0, 1.0
    eeg = weights @ (leadfield - leadfield.mean(0)).T
    expected = torch.nn.functional.normalize(network.whiten(eeg), dim=-1)
    torch.testing.assert_close(network.scalp_maps(weights), expected)


def test_search_goes_on_from_the_patches_that_fit_best(batch, network):
    with torch.no_grad():
        maps = network.modes(batch.eeg)[0][:, :2]
        fit, search = network.best_fit(maps), network.search(maps, 2)
    torch.testing.assert_close(1 - search.start_misfit[:, 0], fit.amax(1))
    for row in range(len(maps)):
        first = search.starts[row, 0]
        patch = (network.geometry.members == first).all(1).nonzero()
        assert int(fit[row].argmax()) in (patch // network.n_shapes).flatten()
    assert search.found.members.shape == (6, 2, 120)


def test_loss_of_a_part_counts_with_what_the_whole_holds(batch, network):
    """Parts divide by totals of the whole, so that they add up."""
    fields = ("eeg", "waveforms", "weights")
    parts = [
        Batch(**{f: getattr(batch, f)[rows] for f in fields}, leadfield=batch.leadfield)
        for rows in (slice(2), slice(2, None))
    ]
    asked = [[], []]
    with torch.no_grad():
        whole = network.loss(batch)["total"]
        for part, values in zip(parts, asked, strict=True):
            network.loss(part, total=lambda x, v=values: v.append(x) or x)
        totals = [sum(pair) for pair in zip(*asked, strict=True)]
        found = 0.0
        for part in parts:
            given = iter(totals)
            found += network.loss(part, total=lambda _, g=given: next(g))["total"]
    assert float(found) == pytest.approx(float(whole), rel=1e-4)


def test_gradients_reach_all_parameters(batch, network):
    network.zero_grad()
    network.loss(batch)["total"].backward()
    without = [n for n, p in network.named_parameters() if p.grad is None]
    assert without == []
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_gate_loss_is_the_surprise_at_the_truth(network):
    """Chain rule: is there a source, and given that there is one, where?"""
    stream = SyntheticEEG(toy_head(), toy_clips(), n_sources=(0, 1), seed=0)
    mixed = stream.batch(range(8))
    member = (mixed.weights > 0).any(1)
    assert 0 < int(member.any(1).sum()) < 8
    with torch.no_grad():
        maps, strengths, _ = network.modes(mixed.eeg)
        _, here, anywhere = network.loadings(maps, strengths)
        found = network.loss(mixed)["gate"]
    reach, present = (logits.double().sigmoid() for logits in (here, anywhere))
    log_chance = torch.where(member, reach, 1 - reach).log().sum(1)
    some = member.any(1)
    log_chance = torch.where(
        some, present[:, 0].log() + log_chance, (1 - present[:, 0]).log()
    )
    expected = -log_chance.sum() / member.sum()
    assert float(found) == pytest.approx(float(expected), rel=1e-4)


def test_no_region_is_likelier_than_a_source_anywhere(batch, network):
    with torch.no_grad():
        maps, strengths, _ = network.modes(batch.eeg)
        anywhere = network.loadings(maps, strengths)[2].sigmoid()
        probability = network.image(batch.eeg)[1]
    assert (probability <= anywhere).all()
    assert float(anywhere.std()) > 0  # it is asked of each recording
