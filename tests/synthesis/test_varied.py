"""Varied samples: repeatable, a cap a block, and made of what the head shows."""

import numpy as np
import pytest
import torch

import deepsif_lite as dl
from deepsif_lite.errors import OptionError
from deepsif_lite.head import load_artifact_sources, load_cap_sampler
from deepsif_lite.signals import average_reference
from deepsif_lite.synthesis import VariedEEG, Variety


def stream(**options):
    options = {"block_size": 4, "seed": 1, "n_sources": (1, 2)} | options
    return VariedEEG(
        dl.load_head_model("template-75"),
        dl.load_spike_library(),
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
