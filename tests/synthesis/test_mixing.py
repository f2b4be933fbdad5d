"""The arithmetic of synthesis, against NumPy on small arrays."""

import numpy as np
import pytest
import torch
from toys import toy_clips, toy_head

from deepsif_lite.signals import average_reference
from deepsif_lite.synthesis import mixing


@pytest.fixture(scope="module")
def clips():
    leadfield = average_reference(toy_head().leadfield)
    return mixing.project_clips(toy_clips(), leadfield, torch.device("cpu"))


def test_background_loses_its_patch_and_its_spiking_parcel(clips):
    library, leadfield = toy_clips(), average_reference(toy_head().leadfield)
    patch, clip = np.array([3, 50, 51]), 4
    padded = torch.tensor([[[*patch, 0]]])
    members = torch.tensor([[[1.0, 1.0, 1.0, 0.0]]])
    coefs = mixing.background_without_patches(
        clips, torch.tensor([[clip]]), padded, members
    )
    activity = library.background(clip).astype(float)
    activity[:, [*patch, library.seeds[clip]]] = 0
    found = (clips.basis @ coefs[0, 0]).numpy()
    expected = activity @ leadfield.T
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("to_the_end", [False, True])
def test_amplitude_gives_the_ratio_in_its_window(clips, to_the_end):
    rng = np.random.default_rng(0)
    wave = clips.waveforms[2]
    topography = rng.standard_normal(20).astype(np.float32)
    coefs = clips.projected[5]
    scale = mixing.source_amplitude(
        clips,
        wave[None, None],
        torch.as_tensor(topography)[None, None],
        coefs[None, None],
        torch.tensor([[13.0]]),
        to_the_end=to_the_end,
    )
    peak = int(wave.argmax())
    window = slice(peak - 50, None if to_the_end else peak + 50)
    signal = np.outer(wave.double(), topography) * float(scale)
    noise = (clips.basis.double() @ coefs.double()).numpy()
    powers = [((x - x.mean(0))[window] ** 2).sum() for x in (signal, noise)]
    assert 10 * np.log10(powers[0] / powers[1]) == pytest.approx(13, abs=1e-3)


def test_noise_has_the_ratio_of_each_channel_and_the_published_one_half():
    eeg = torch.randn(2, 400, 5, generator=torch.Generator().manual_seed(0))
    eeg = 3 + eeg * torch.arange(1, 6)
    unit = torch.ones_like(eeg)
    snr = torch.tensor([10.0, 20.0])
    noise = mixing.scaled_noise(eeg, unit, snr)[:, 0]
    variance = eeg.var(1, correction=0)
    torch.testing.assert_close(noise**2, variance / 10 ** (snr / 10)[:, None])
    published = mixing.scaled_noise(eeg, unit, snr, half_power=True)[:, 0]
    power = eeg.square().mean(1) / 2  # with the offset
    torch.testing.assert_close(published**2, power / 10 ** (snr / 10)[:, None])


def test_windows_are_cut_on_either_axis():
    signals = torch.arange(2 * 6 * 3).reshape(2, 6, 3)
    starts = torch.tensor([1, 3])
    expected = torch.stack([signals[0, 1:3], signals[1, 3:5]])
    assert torch.equal(mixing.window_of(signals, starts, 2, 1), expected)
    assert torch.equal(mixing.window_of(signals.mT, starts, 2, 2), expected.mT)


def test_peak_magnitude_adds_up_patches_that_overlap():
    wave = torch.tensor([[[0.0, 1.0], [0.0, -3.0]]])
    weights = torch.tensor([[[2.0, 1.0, 0.0], [0.0, 1.0, 0.5]]])
    regions = torch.tensor([[[0, 1], [1, 2]]])
    activity = (wave.mT @ weights).abs()
    found = mixing.peak_magnitude(wave, weights, regions)
    assert float(found) == float(activity.max()) == 2.0
