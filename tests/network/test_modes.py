"""Modes against the full singular value decomposition."""

import pytest
import torch
from toys import toy_clips, toy_head

from deepsif_lite.head import load_training_head
from deepsif_lite.network import source_whitener
from deepsif_lite.network.modes import temporal_modes
from deepsif_lite.network.signal_band import band_spectrum, wiener_filter
from deepsif_lite.spikes import load_spike_library
from deepsif_lite.synthesis import SyntheticEEG


@pytest.fixture(scope="module")
def batch():
    stream = SyntheticEEG(toy_head(), toy_clips(), n_sources=(1, 2), seed=0)
    return stream.batch(range(6))


def test_modes_are_the_leading_singular_vectors(batch):
    maps, strengths, courses = temporal_modes(batch.eeg, 4)
    spectrum, cosines = band_spectrum(batch.eeg, 8)
    _, values, vectors = torch.linalg.svd(cosines @ spectrum, full_matrices=False)
    expected = values[:, :4] / batch.eeg.shape[1] ** 0.5
    # Subspace iteration is exact for what stands out, close for the noise floor.
    torch.testing.assert_close(strengths[:, :2], expected[:, :2], rtol=1e-3, atol=0)
    torch.testing.assert_close(strengths, expected, rtol=3e-2, atol=0)
    agreement = (maps[:, :2] * vectors[:, :2]).sum(-1).abs()
    assert float(agreement.min()) > 0.999
    recorded = wiener_filter(batch.eeg @ vectors[:, :2].mT).mT / expected[:, :2, None]
    agreement = (courses[:, :2] * recorded).mean(-1).abs() / recorded.square().mean(-1)
    assert float((agreement - 1).abs().max()) < 0.01


def test_modes_of_a_sample_do_not_depend_on_its_batch(batch):
    together = temporal_modes(batch.eeg, 4)
    alone = temporal_modes(batch.eeg[2:3], 4)
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a[2:3], b, atol=1e-4, rtol=1e-4)


def test_maps_are_cleaner_than_those_of_unfiltered_eeg():
    """The leading map against the true scalp map of a single source in noise."""
    head = toy_head()
    stream = SyntheticEEG(
        head,
        toy_clips(),
        n_sources=1,
        seed=4,
        sensor_snr=(0.0,),
        source_snr=(40.0, 40.0),
    )
    batch = stream.batch(range(24))
    leadfield = torch.as_tensor(head.leadfield, dtype=torch.float32)
    true = batch.weights[:, 0] @ (leadfield - leadfield.mean(0)).T
    true = true / true.norm(dim=-1, keepdim=True)
    maps, _, _ = temporal_modes(batch.eeg, 4)
    plain = torch.linalg.svd(batch.eeg, full_matrices=False)[2]
    outside = [1 - (m[:, 0] * true).sum(-1).square() for m in (maps, plain)]
    assert float(outside[0].mean()) < 0.9 * float(outside[1].mean())


def test_courses_follow_a_weak_source_beyond_the_band_of_its_eeg():
    """The leading course against the true one: better than the band's alone."""
    head = load_training_head("template-75")
    clips = load_spike_library("lite", split="test")
    stream = SyntheticEEG(head, clips, n_sources=1, seed=4, sensor_snr=(5.0,))
    batch = stream.batch(range(24))
    whitener = torch.as_tensor(source_whitener(head.leadfield), dtype=torch.float32)
    white = batch.eeg @ whitener
    maps, _, courses = temporal_modes(white, 4)
    spectrum, cosines = band_spectrum(white, 8)
    in_band = cosines @ spectrum @ maps[:, 0, :, None]
    truth = batch.waveforms[:, 0] - batch.waveforms[:, 0].mean(-1, keepdim=True)
    agreement = [
        torch.cosine_similarity(course, truth).abs().mean()
        for course in (courses[:, 0], in_band[..., 0])
    ]
    assert float(agreement[0]) > float(agreement[1]) + 0.01
