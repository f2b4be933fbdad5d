"""Test recordings by another generator, which shares none of the training's choices.

The test sets of the paper, and ours like them, come from the simulator that made the
training. Here sources grow by another rule and have another profile, their time
courses are drawn by formula, the background is filtered noise instead of neural
masses, amplitudes follow from the area of a source, and the noise is as strong at
every electrode. The ratios of source, background and noise are those of the paper, so
that a difference of scores is that of the kind of recording. It is written in NumPy alone and draws its own numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import MismatchError, check_option
from ..synthesis.samples import Sample

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels
    from ..head.model import HeadModel
    from ..spikes.library import SpikeLibrary

_AREAS = (5e-4, 45e-4)  # m^2, of a source, drawn evenly
_DENSITIES = (0.5, 1.5)  # of a source's moment to its area, any unit
_BACKGROUND_DB = (10.0, 20.0)  # all sources around their peak, over the background
_AROUND = 0.1  # s either side of the peak
_LENGTH = 0.02  # m over which the background's correlation falls to 1/e
_EXPONENT = 1.0  # of the background's power in 1/f
_HIGHEST = 40.0  # Hz, of the background
_SPIKE, _WAVE = (0.02, 0.07), (0.1, 0.25)  # s, widths of a spike and of its slow wave
_RIM = 0.5  # strength of the last region that joined, of that of the seed


class IndependentEEG:
    """Test recordings by index, as :class:`~deepsif_lite.synthesis.SyntheticEEG`.

    Parameters
    ----------
    head : HeadModel
    clips : SpikeLibrary
        Says how long a recording is, and its sampling rate; nothing else of it is used.
    n_sources : int
        In each recording.
    seed : int
        Key of the recordings.
    sensor_snr : sequence of float
        Signal over white noise, mean over electrodes (dB), one drawn a recording.
    variant : "corrected"
        There is no other.

    Raises
    ------
    MismatchError
        Head and clips are of different cortices.
    """

    def __init__(
        self,
        head: HeadModel,
        clips: SpikeLibrary,
        *,
        n_sources: int = 2,
        seed: int = 0,
        sensor_snr: Sequence[float] = (5.0, 10.0, 15.0, 20.0),
        variant: str = "corrected",
    ) -> None:
        check_option("variant", variant, ("corrected",))
        if clips.cortex != head.cortex.name:
            msg = f"clips are on {clips.cortex!r}, head {head.name!r} is not."
            raise MismatchError(msg)
        self.head, self.n_sources, self.seed = head, n_sources, seed
        self.sensor_snr = tuple(sensor_snr)
        self.n_times, self.sfreq = clips.n_times, clips.sfreq

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng([self.seed, index])
        cortex = self.head.cortex
        seeds = rng.choice(cortex.n_regions, self.n_sources, replace=False)
        patches = [grow_at_random(cortex, s, rng.uniform(*_AREAS), rng) for s in seeds]
        weights = np.zeros((self.n_sources, cortex.n_regions))
        for row, patch in zip(weights, patches, strict=True):
            profile = np.linspace(1, _RIM, len(patch))
            row[patch] = rng.uniform(*_DENSITIES) * profile * cortex.areas[patch]
        courses = np.array(
            [spike_and_wave(self.n_times, self.sfreq, rng) for _ in seeds]
        )
        activity = courses.T @ weights
        snr_db = float(rng.choice(self.sensor_snr))
        return Sample(
            eeg=self._recorded(activity, snr_db, rng).astype(np.float32),
            activity=(activity / np.abs(activity).max()).astype(np.float32),
            patches=patches,
            snr_db=snr_db,
            source_snr_db=[],
            clips=[],
        )

    def _recorded(
        self, activity: NDArray, snr_db: float, rng: np.random.Generator
    ) -> NDArray:
        """Project sources and background, and add the noise of electrodes."""
        gain = self.head.leadfield - self.head.leadfield.mean(axis=0)
        signal = activity @ gain.T
        background = self._background(rng) @ gain.T
        course = (signal**2).sum(axis=1)
        first = max(0, int(course.argmax() - _AROUND * self.sfreq))
        peak = course[first : first + int(2 * _AROUND * self.sfreq)].mean()
        level = 10 ** (-rng.uniform(*_BACKGROUND_DB) / 10)
        power = (background**2).sum(axis=1).mean()
        eeg = signal + np.sqrt(level * peak / power) * background
        noise = rng.standard_normal(eeg.shape)
        variance = eeg.var(axis=0).mean() * 10 ** (-snr_db / 10)
        eeg = eeg + np.sqrt(variance) * noise
        eeg = eeg - eeg.mean(axis=0)
        eeg = eeg - eeg.mean(axis=1, keepdims=True)
        return eeg / np.abs(eeg).max()

    def _background(self, rng: np.random.Generator) -> NDArray:
        """Draw noise of all regions, 1/f in time and alike in neighbors."""
        frequency = np.fft.rfftfreq(self.n_times, 1 / self.sfreq)
        inside = (frequency > 0) & (frequency <= _HIGHEST)
        size = np.where(inside, np.maximum(frequency, 1) ** (-_EXPONENT / 2), 0)
        shape = (len(frequency), self.head.cortex.n_regions)
        spectrum = rng.standard_normal((2, *shape))
        spectrum = (spectrum[0] + 1j * spectrum[1]) * size[:, None]
        return np.fft.irfft(spectrum, n=self.n_times, axis=0) @ self._mixing.T

    @cached_property
    def _mixing(self) -> NDArray:
        """What makes neighbors alike: a square root of their covariance."""
        covariance = np.exp(-self.head.cortex.distances / _LENGTH)
        values, vectors = np.linalg.eigh(covariance)
        return vectors * np.sqrt(np.maximum(values, 0))


def grow_at_random(
    cortex: Parcels, seed_region: int, area: float, rng: np.random.Generator
) -> NDArray:
    """Grow a patch by random neighbors of what it holds, until it has an area.

    Parameters
    ----------
    cortex : Cortex
    seed_region : int
    area : float
        m^2.
    rng : numpy.random.Generator

    Returns
    -------
    array of int
        The seed first, then the others as they joined.
    """
    patch, covered = [int(seed_region)], cortex.areas[seed_region]
    while covered < area:
        # Once for each neighbor inside: what fills a gap joins sooner.
        border = np.concatenate([cortex.neighbors[r] for r in patch])
        border = border[~np.isin(border, patch)]
        if len(border) == 0:
            break
        patch.append(int(rng.choice(border)))
        covered += cortex.areas[patch[-1]]
    return np.array(patch)


def spike_and_wave(n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray:
    """Draw a sharp deflection with a slow wave of the other sign after it.

    Returns
    -------
    array of shape (n_times,)
        Its largest magnitude is 1.
    """
    times = np.arange(n_times) / sfreq
    start = rng.uniform(0.2, 0.7) * times[-1]
    spike, wave = rng.uniform(*_SPIKE), rng.uniform(*_WAVE)
    sharp = np.exp(-0.5 * ((times - start) / (spike / 2.355)) ** 2)
    later = (times - start - spike / 2 - wave / 2) / (wave / 2.355)
    course = sharp - rng.uniform(0.2, 0.6) * np.exp(-0.5 * later**2)
    return course / np.abs(course).max()
