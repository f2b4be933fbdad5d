"""Which frequencies hold signal: against SciPy's transform and known mixtures."""

import numpy as np
import pytest
import torch
from scipy.fft import dct, idct

from deepsif_lite.network.signal_band import band_spectrum, wiener_filter

N_TIMES = 500
SFREQ = 500.0


def rhythm(low: float, high: float, n_channels: int = 20) -> np.ndarray:
    """Random EEG of unit power that lies in one band (Hz)."""
    rng = np.random.default_rng(1)
    spectrum = rng.standard_normal((N_TIMES, n_channels))
    frequency = np.arange(N_TIMES) * SFREQ / 2 / N_TIMES
    spectrum[(frequency < low) | (frequency > high)] = 0
    eeg = idct(spectrum, axis=0, norm="ortho")
    return eeg / eeg.std()


def kept_frequencies(eeg: np.ndarray, n_least: int = 4) -> np.ndarray:
    spectrum, _ = band_spectrum(
        torch.as_tensor(eeg[None], dtype=torch.float32), n_least
    )
    return np.flatnonzero(spectrum[0].numpy().any(axis=1)) * SFREQ / 2 / N_TIMES


@pytest.mark.parametrize("n_times", [16, 333, 500])
def test_spectrum_is_the_cosine_transform(n_times):
    eeg = np.random.default_rng(0).standard_normal((2, n_times, 7)).astype(np.float32)
    spectrum, cosines = band_spectrum(torch.as_tensor(eeg), n_least=n_times)
    expected = dct(eeg, axis=1, norm="ortho")[:, : n_times // 2]
    np.testing.assert_allclose(spectrum.numpy(), expected, atol=2e-5)
    np.testing.assert_allclose(
        (cosines.mT @ cosines).numpy(), np.eye(n_times // 2), atol=1e-5
    )


@pytest.mark.parametrize(("low", "high"), [(2.0, 12.0), (1.0, 45.0), (60.0, 110.0)])
def test_band_is_found_under_white_noise(low, high):
    """Whatever band it is; smoothing may widen it by the width of its window."""
    noise = np.random.default_rng(2).standard_normal((N_TIMES, 20))
    kept = kept_frequencies(rhythm(low, high) + 0.3 * noise, n_least=0)
    assert kept.min() == pytest.approx(low, abs=3)
    assert kept.max() == pytest.approx(high, abs=3)


def test_filtered_eeg_keeps_what_it_has():
    eeg = rhythm(0.5, 40.0)
    spectrum, cosines = band_spectrum(torch.as_tensor(eeg[None]).float(), 4)
    np.testing.assert_allclose((cosines @ spectrum)[0].numpy(), eeg, atol=1e-5)


def test_noise_alone_leaves_the_lowest_frequencies():
    noise = np.random.default_rng(3).standard_normal((N_TIMES, 20))
    np.testing.assert_array_equal(kept_frequencies(noise), np.arange(4) * 0.5)


def filtered(course: np.ndarray) -> np.ndarray:
    course = torch.as_tensor(course[None, :, None], dtype=torch.float32)
    return wiener_filter(course)[0, :, 0].numpy()


def test_filter_comes_close_to_the_best_there_is():
    """Against the Wiener filter that knows the power of signal and noise."""
    noise = 0.5 * np.random.default_rng(4).standard_normal(N_TIMES)
    course = rhythm(1.0, 15.0)[:, 0]
    power = dct(course, norm="ortho") ** 2
    best = idct(
        dct(course + noise, norm="ortho") * power / (power + 0.25), norm="ortho"
    )
    left = [
        np.mean((estimate - course) ** 2)
        for estimate in (course + noise, filtered(course + noise), best)
    ]
    assert left[1] < 0.2 * left[0]
    assert left[1] < 2 * left[2]


def test_each_course_has_a_filter_of_its_own():
    rng = np.random.default_rng(5)
    courses = np.stack([rhythm(1.0, 8.0)[:, 0], rhythm(60.0, 90.0)[:, 0]], axis=1)
    courses += 0.2 * rng.standard_normal(courses.shape)
    together = wiener_filter(torch.as_tensor(courses[None]).float())[0].numpy()
    alone = np.stack([filtered(course) for course in courses.T], axis=1)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_filter_leaves_a_course_without_noise():
    course = rhythm(0.5, 40.0)[:, 0]
    np.testing.assert_allclose(filtered(course), course, atol=1e-5)


def test_filter_of_silence_is_silence():
    np.testing.assert_array_equal(filtered(np.zeros(N_TIMES)), 0)


@pytest.mark.parametrize("rate", [200, 250, 256])
def test_noise_is_told_where_the_recording_had_fewer_samples(rate):
    """As of the recording itself, at its own rate."""
    rng = np.random.default_rng(6)
    course = rhythm(2.0, 12.0)
    noisy = course + 0.3 * rng.standard_normal(course.shape)
    spectrum = dct(noisy, axis=0, norm="ortho")
    spectrum[np.arange(N_TIMES) * SFREQ / 2 / N_TIMES > rate / 2] = 0
    noisy = idct(spectrum, axis=0, norm="ortho")
    kept = kept_frequencies(noisy, n_least=0)
    assert kept.min() == pytest.approx(2.0, abs=3)
    assert kept.max() == pytest.approx(12.0, abs=3)
    error = np.mean((filtered(noisy[:, 0]) - course[:, 0]) ** 2)
    assert error < 0.3 * np.mean((noisy[:, 0] - course[:, 0]) ** 2)


def test_noise_far_below_a_fast_rhythm_is_not_taken_for_a_filter():
    noise = 0.1 * np.random.default_rng(7).standard_normal((N_TIMES, 20))
    kept = kept_frequencies(rhythm(60.0, 110.0) + noise, n_least=0)
    assert kept.max() > 105
    assert len(kept) > 80


@pytest.mark.parametrize("n_times", [2, 3, 4, 7, 12])
def test_a_few_samples_have_a_band_too(n_times):
    eeg = torch.randn(2, n_times, 5, generator=torch.Generator().manual_seed(0))
    assert torch.isfinite(band_spectrum(eeg, 1)[0]).all()
    assert torch.isfinite(wiener_filter(eeg)).all()
