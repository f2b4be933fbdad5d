"""Varied samples: repeatable, a cap a block, and made of what the head shows."""

from functools import cache

import numpy as np
import pytest
import torch

import deepsif_lite as dl
from deepsif_lite.errors import MismatchError, OptionError
from deepsif_lite.head import load_artifact_sources, load_cap_sampler
from deepsif_lite.signals import average_reference
from deepsif_lite.synthesis import VariedEEG, Variety


@cache
def clips():
    return dl.load_spike_library(split="test")


def stream(**options):
    options = {"block_size": 4, "seed": 1, "n_sources": (1, 2)} | options
    return VariedEEG(
        dl.load_head_model("template-75"),
        clips(),
        load_cap_sampler(),
        load_artifact_sources(),
        **options,
    )


def test_samples_do_not_depend_on_the_order_of_calls():
    first, second = stream(), stream()
    forward = [first.batch([i]) for i in (1, 2, 9)]
    backward = [second.batch([i]) for i in (9, 2, 1)][::-1]
    for ours, theirs in zip(forward, backward, strict=True):
        assert torch.equal(ours.eeg, theirs.eeg)
        assert torch.equal(ours.weights, theirs.weights)
    assert not torch.equal(stream(seed=2).batch([1]).weights, forward[0].weights)


def test_a_block_shares_a_cap_and_blocks_differ():
    varied = stream()
    first, same, other = (varied.batch([i]).leadfield for i in (0, 3, 4))
    np.testing.assert_array_equal(first, same)
    assert first.shape != other.shape or not np.allclose(first, other)
    assert varied.batch(range(4)).eeg.shape[-1] == len(first)
    with pytest.raises(OptionError, match="2 blocks"):
        varied.batch([3, 4])


def test_eeg_without_artifacts_is_the_topography_of_its_sources():
    """Of the very head that the network is told, with the electrodes in their places."""
    plain = Variety(artifact_share=0, displacement=(0, 0))
    varied = stream(
        variety=plain,
        n_sources=1,
        block_size=32,
        sensor_snr=(20.0,),
        source_snr=(20, 20),
    )
    batch = varied.batch(range(32))
    topography = batch.weights[:, 0].numpy() @ average_reference(batch.leadfield).T
    topography /= np.linalg.norm(topography, axis=1, keepdims=True)
    eeg = batch.eeg.numpy()
    along = np.einsum("btc,bc->bt", eeg, topography)
    explained = (along**2).sum(1) / (eeg**2).sum((1, 2))
    assert np.median(explained) > 0.8
    shuffled = np.einsum("btc,bc->bt", eeg, topography[::-1])
    assert np.median((shuffled**2).sum(1) / (eeg**2).sum((1, 2))) < 0.5


def test_what_is_off_by_default_leaves_all_else_as_it_was():
    plain = stream().batch(range(4))
    resting = np.random.default_rng(0).standard_normal((2, 500, 75))
    more = stream(
        variety=Variety(bridged_share=1.0, resting_share=1.0), resting=resting
    ).batch(range(4))
    assert torch.equal(plain.waveforms, more.waveforms)
    assert torch.equal(plain.weights, more.weights)
    assert not torch.equal(plain.eeg, more.eeg)


def test_a_wrong_head_is_what_records_and_not_what_networks_are_told():
    """One source, hardly any noise: its map fits the template's as the error says."""
    clean = {
        "artifact_share": 0.0,
        "displacement": (0.0, 0.0),
        "template_share": 1.0,
        "mapped_share": 0.0,
        "rhythm_share": 0.0,
        "source_snr": (20.0, 20.0),
    }
    options = {"block_size": 16, "n_sources": 1, "sensor_snr": (20.0,), "seed": 5}
    fits = []
    for error in (0.0, 1.0, 2.0):
        variety = Variety(head_error=(error, error), **clean)
        batch = stream(variety=variety, **options).batch(range(16))
        told = average_reference(load_cap_sampler().leadfield(caps_of(batch)))
        np.testing.assert_allclose(average_reference(batch.leadfield), told)
        fits.append(np.mean(list(shares_of_the_true_map(batch))))
    assert fits[0] > 0.9
    assert fits[0] > fits[1] + 0.02 > fits[2] + 0.04


def caps_of(batch):
    """Return the electrodes of the cap of seed 5, drawn again."""
    rng = np.random.default_rng([5, 1 << 35, 0])
    electrodes = load_cap_sampler().draw(rng)
    assert len(electrodes) == batch.eeg.shape[-1]
    return electrodes


def shares_of_the_true_map(batch):
    """Yield the share of each EEG along the scalp map of its source on the template."""
    gain = average_reference(batch.leadfield)
    for eeg, weights in zip(batch.eeg.numpy(), batch.weights.numpy(), strict=True):
        own = gain @ weights[0]
        own /= np.linalg.norm(own)
        peak = eeg[np.abs(eeg).max(axis=1).argmax()]
        yield (peak @ own) ** 2 / (peak @ peak)


def test_bridged_electrodes_show_one_potential():
    varied = stream(variety=Variety(bridged_share=1.0), block_size=8)
    found = 0
    for block in range(3):
        batch = varied.batch(range(8 * block, 8 * block + 8))
        for k in range(8):
            draw = varied._draw(8 * block + k)
            for group in draw.bridges:
                own = batch.eeg[k][:, group]
                torch.testing.assert_close(own, own[:, :1].expand_as(own))
            found += len(draw.bridges)
    assert found > 5


def test_resting_eeg_is_noise_of_its_own_topography():
    """Power is at the back of the head, where that of the recording is."""
    head, rng = dl.load_head_model("template-75"), np.random.default_rng(0)
    behind = np.argmin(head.cortex.centroids[:, 1])
    patch = head.cortex.distances[behind] < 0.03
    maps = average_reference(head.leadfield)[:, patch].sum(axis=1)
    resting = rng.standard_normal((3, 500, 1)) * maps / np.abs(maps).max()
    resting += 0.1 * rng.standard_normal((3, 500, 75))
    options = {
        "n_sources": 0,
        "background_snr": (-20.0, -20.0),
        "resting": resting,
        "block_size": 16,
    }
    quiet = {"artifact_share": 0, "rhythm_share": 0, "mapped_share": 0}
    ratios = []
    for share in (0.0, 1.0):
        variety = Variety(resting_share=share, **quiet)
        varied = stream(variety=variety, **options)
        batch = varied.batch(range(16))
        places = varied._block(0).artifacts[0].electrodes
        power = (batch.eeg.numpy() ** 2).mean(axis=(0, 1))
        back = places[:, 1] < np.quantile(places[:, 1], 0.25)
        ratios.append(power[back].mean() / power[~back].mean())
    assert ratios[1] > 3 * ratios[0]


def test_resting_eeg_must_be_there_where_it_is_wanted():
    with pytest.raises(MismatchError, match="needs resting EEG of shape"):
        stream(variety=Variety(resting_share=0.5))
    with pytest.raises(MismatchError, match=r"got \(2, 100, 75\)"):
        stream(variety=Variety(resting_share=0.5), resting=np.ones((2, 100, 75)))
