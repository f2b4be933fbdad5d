"""Time courses of artifacts: blinks, steps, beats, bursts, mains and slow noise.

All have any size, and any mean; :class:`~deepsif_lite.synthesis.ArtifactGenerator`
brings them to mean zero and root mean square one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfftfreq

_MAINS = (50.0, 60.0)  # Hz
_HARMONICS = 3
_LONGEST_PERIOD = 2.0  # s, of noise, however short the window
WIDTH_OF_SIGMA = 2.355  # full width at half height of a Gaussian of deviation one


def blinks(n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray:
    """Draw one or two pulses of 80 to 200 ms at half height, each with a rebound.

    Parameters
    ----------
    n_times : int
    sfreq : float
        Hz.
    rng : numpy.random.Generator

    Returns
    -------
    array of shape (n_times,)
    """
    times = np.arange(n_times) / sfreq
    course = np.zeros(n_times)
    for _ in range(rng.integers(1, 3)):
        width = rng.uniform(0.08, 0.20) / WIDTH_OF_SIGMA
        since = (times - rng.uniform(0, times[-1])) / width
        course += np.exp(-0.5 * since**2)
        rebound = (since - 2.5) / 1.5
        course -= rng.uniform(0, 0.3) * np.exp(-0.5 * rebound**2)
    return course


def steps(
    n_times: int,
    sfreq: float,
    rng: np.random.Generator,
    *,
    decay: tuple[float, float],
) -> NDArray:
    """Draw one to three steps that fall back, as behind the high-pass of an amplifier.

    Parameters
    ----------
    n_times, sfreq, rng
        As for :func:`blinks`.
    decay : tuple of float
        Range of the time constants (s).

    Returns
    -------
    array of shape (n_times,)
    """
    times = np.arange(n_times) / sfreq
    course = np.zeros(n_times)
    for _ in range(rng.integers(1, 4)):
        since = times - rng.uniform(-0.2, times[-1])
        step = np.exp(-np.maximum(since, 0) / rng.uniform(*decay))
        course += rng.choice((-1, 1)) * np.where(since >= 0, step, 0)
    return course


def beats(n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray:
    """Draw a heart of 50 to 100 beats a minute: QRS complex and T wave.

    Parameters and result as for :func:`blinks`.
    """
    times, period = np.arange(n_times) / sfreq, 60 / rng.uniform(50, 100)
    phase = (times - rng.uniform(0, period) + period / 2) % period - period / 2
    return np.exp(-((phase / 0.012) ** 2)) + 0.2 * np.exp(
        -(((phase - 0.25) / 0.05) ** 2)
    )


def bursts(count: int, n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray:
    """Draw motor units of one contraction: each of its own noise, one envelope.

    The band begins at 15 to 30 Hz and ends at 45 to 200 Hz.

    Parameters
    ----------
    count : int
    n_times, sfreq, rng
        As for :func:`blinks`.

    Returns
    -------
    array of shape (count, n_times)
    """
    band = rng.uniform(15, 30), rng.uniform(45, 200)
    width, peak = rng.uniform(0.05, 1), rng.random()
    envelope = np.exp(-0.5 * ((np.linspace(0, 1, n_times) - peak) / width) ** 2)
    units = [_noise(n_times, sfreq, rng, band) for _ in range(count)]
    return envelope * np.array(units)


def slow(count: int, n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray:
    """Draw noise of 1/f to 1/f^2 (power) below 2 to 10 Hz.

    Parameters and result as for :func:`bursts`.
    """
    return np.array(
        [
            _noise(n_times, sfreq, rng, (0, rng.uniform(2, 10)), rng.uniform(1, 2))
            for _ in range(count)
        ]
    )


def mains(count: int, n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray:
    """Draw 50 or 60 Hz and harmonics, each row of other phases.

    Parameters and result as for :func:`bursts`; zero where the sampling rate is too
    low for the mains.
    """
    base = rng.choice(_MAINS)
    harmonics = np.arange(1, _HARMONICS + 1)
    harmonics = harmonics[harmonics * base < sfreq / 2]
    phases = rng.uniform(0, 2 * np.pi, (count, len(harmonics), 1))
    angles = 2 * np.pi * base * harmonics[:, None] * np.arange(n_times) / sfreq
    return (np.sin(angles + phases) / harmonics[:, None] ** 2).sum(axis=1)


def _noise(
    n_times: int,
    sfreq: float,
    rng: np.random.Generator,
    band: tuple[float, float],
    slope: float = 0.0,
) -> NDArray:
    """Draw noise in a band (Hz) whose power falls as frequency to the ``slope``."""
    # A piece of longer noise does not return to where it began.
    length = max(2 * n_times, int(_LONGEST_PERIOD * sfreq))
    length = next_fast_len(length, real=True)
    frequencies = rfftfreq(length, 1 / sfreq)
    high = min(band[1], sfreq / 2)
    low = min(band[0], high / 2)  # of sampling rates that are too low for the band
    inside = (frequencies >= low) & (frequencies <= high)
    inside[0] = False
    spectrum = np.zeros(len(frequencies), complex)
    real, imaginary = rng.standard_normal((2, int(inside.sum())))
    amplitude = frequencies[inside] ** (-slope / 2)
    spectrum[inside] = amplitude * (real + 1j * imaginary)
    return irfft(spectrum, length)[:n_times]
