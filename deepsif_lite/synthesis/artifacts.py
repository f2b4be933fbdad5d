"""What an EEG records that is not cortex: eyes, muscles, skin, electrodes, heart, mains.

A window of real EEG holds all of these, and a network that never met them takes them
for sources at the frontal and temporal poles. Eyes and muscles have the fields of
dipoles in the scalp (:mod:`deepsif_lite.head.artifact_sources`); sweat and the heart a
gradient over the whole head; an electrode's own noise one channel; the mains a field
that differs from channel to channel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..head.artifact_sources import ArtifactSites

Course = NDArray[np.floating]

MUSCLES = ("temporal", "masseter", "frontal", "neck")
_MAINS = (50.0, 60.0)  # Hz


@dataclass(frozen=True)
class Occurrence:
    """How often samples hold an artifact, and how many.

    Attributes
    ----------
    share : float
        Of the samples.
    most : int
        At most so many at a time.
    """

    share: float
    most: int = 1


OCCURRENCES = {
    "eye": Occurrence(0.60, 2),
    "muscle": Occurrence(0.35, 3),
    "electrode": Occurrence(0.25, 2),
    "drift": Occurrence(0.40),
    "heart": Occurrence(0.15),
    "mains": Occurrence(0.15),
}


class ArtifactGenerator:
    """Draws artifacts as a montage records them.

    Parameters
    ----------
    fields : array of shape (n_channels, n_sites * 3)
        Potentials of the dipoles of :meth:`ArtifactSites.dipoles` at the electrodes,
        any unit.
    sites : ArtifactSites
    electrodes : array of shape (n_channels, 3)
        Meters.
    sfreq : float
        Sampling rate, Hz.
    """

    def __init__(
        self,
        fields: NDArray,
        sites: ArtifactSites,
        electrodes: NDArray,
        sfreq: float,
    ) -> None:
        self.fields = fields.reshape(len(fields), -1, 3)
        self.sites, self.sfreq = sites, sfreq
        centered = electrodes - electrodes.mean(axis=0)
        self._places = centered / np.abs(centered).max()

    def draw(self, n_times: int, rng: np.random.Generator) -> NDArray[np.floating]:
        """Return the artifacts of one sample, shape (n_times, n_channels).

        Each has root mean square one over the window and the channels before they are
        added up in random proportion; zero where the sample has none.
        """
        total = np.zeros((n_times, len(self.fields)))
        makers: dict[str, Callable] = {
            "eye": self._eye,
            "muscle": self._muscle,
            "electrode": self._electrode,
            "drift": self._drift,
            "heart": self._heart,
            "mains": self._mains,
        }
        for kind, occurrence in OCCURRENCES.items():
            if rng.random() >= occurrence.share:
                continue
            for _ in range(rng.integers(1, occurrence.most + 1)):
                made = makers[kind](n_times, rng)
                size = np.sqrt(np.mean(made**2))
                total += made * rng.uniform(0.3, 1) / max(size, np.finfo(float).tiny)
        return total

    def _eye(self, n_times: int, rng: np.random.Generator) -> NDArray:
        """Both eyeballs turn together: up (blinks) or aside (saccades)."""
        is_eye = self.sites.kind == "eye"
        pair = is_eye & (self.sites.variant == rng.choice(self.sites.variant[is_eye]))
        makers = (
            (np.array([0.0, 0.35, 1.0]), self._blinks),
            (np.array([1.0, 0.0, 0.0]), self._saccades),
            (rng.standard_normal(3), self._slow),
        )
        axis, course = makers[rng.integers(len(makers))]
        axis = axis + 0.15 * rng.standard_normal(3)
        topography = self.fields[:, pair].sum(axis=1) @ axis
        return np.outer(course(n_times, rng), topography)

    def _muscle(self, n_times: int, rng: np.random.Generator) -> NDArray:
        where = np.isin(self.sites.kind, rng.choice(MUSCLES))
        site = rng.choice(np.flatnonzero(where))
        topography = self.fields[:, site] @ rng.standard_normal(3)
        course = self._bursts if rng.random() < 0.8 else self._slow
        return np.outer(course(n_times, rng), topography)

    def _electrode(self, n_times: int, rng: np.random.Generator) -> NDArray:
        """One electrode alone: drift, noise, or a pop that decays."""
        made = np.zeros((n_times, len(self.fields)))
        courses = (self._slow, self._saccades, _white)
        course = courses[rng.integers(len(courses))]
        made[:, rng.integers(len(self.fields))] = course(n_times, rng)
        return made

    def _drift(self, n_times: int, rng: np.random.Generator) -> NDArray:
        """Skin and sweat: slow, and as good as linear over the head."""
        return np.outer(self._slow(n_times, rng), self._gradient(rng))

    def _heart(self, n_times: int, rng: np.random.Generator) -> NDArray:
        """Beats of 50 to 100 a minute from far below, on the left."""
        times = np.arange(n_times) / self.sfreq
        period = 60 / rng.uniform(50, 100)
        phase = (times - rng.uniform(0, period) + period / 2) % period - period / 2
        beat = np.exp(-((phase / 0.012) ** 2))
        beat += 0.2 * np.exp(-(((phase - 0.25) / 0.05) ** 2))
        axis = np.array([-0.5, 0.1, -0.85]) + 0.2 * rng.standard_normal(3)
        return np.outer(beat - beat.mean(), self._places @ axis)

    def _mains(self, n_times: int, rng: np.random.Generator) -> NDArray:
        times = np.arange(n_times) / self.sfreq
        base = rng.choice(_MAINS)
        wave = np.zeros(n_times)
        for harmonic in (1, 2, 3):
            if harmonic * base < self.sfreq / 2:
                phase = rng.uniform(0, 2 * np.pi)
                wave += np.sin(2 * np.pi * harmonic * base * times + phase) / harmonic**2
        pick_up = 0.5 * self._gradient(rng) + rng.standard_normal(len(self.fields))
        return np.outer(wave, pick_up)

    def _gradient(self, rng: np.random.Generator) -> NDArray:
        return self._places @ rng.standard_normal(3)

    # ------------------------------------------------------------- courses in time

    def _blinks(self, n_times: int, rng: np.random.Generator) -> Course:
        """Return one or two pulses of 80 to 200 ms, each with a rebound."""
        times = np.arange(n_times) / self.sfreq
        course = np.zeros(n_times)
        for _ in range(rng.integers(1, 3)):
            width = rng.uniform(0.08, 0.20) / 2.355  # from full width at half height
            peak = rng.uniform(0, times[-1])
            course += np.exp(-0.5 * ((times - peak) / width) ** 2)
            late = (times - peak - 2.5 * width) / (1.5 * width)
            course -= rng.uniform(0, 0.3) * np.exp(-0.5 * late**2)
        return course

    def _saccades(self, n_times: int, rng: np.random.Generator) -> Course:
        """Return one to three steps that an amplifier's high-pass lets decay."""
        times = np.arange(n_times) / self.sfreq
        course = np.zeros(n_times)
        for _ in range(rng.integers(1, 4)):
            after = times - rng.uniform(-0.2, times[-1])
            step = np.exp(-np.maximum(after, 0) / rng.uniform(0.3, 3))
            course += rng.choice((-1, 1)) * np.where(after >= 0, step, 0)
        return course

    def _slow(self, n_times: int, rng: np.random.Generator) -> Course:
        """Return noise of 1/f to 1/f^2 below 2 to 10 Hz."""
        return self._noise(n_times, 0.0, rng.uniform(2, 10), rng.uniform(1, 2), rng)

    def _bursts(self, n_times: int, rng: np.random.Generator) -> Course:
        """Return band-limited noise that comes and goes."""
        high = min(rng.uniform(45, 200), 0.45 * self.sfreq)
        carrier = self._noise(n_times, rng.uniform(15, 30), high, 0.0, rng)
        times = np.linspace(0, 1, n_times)
        width = rng.uniform(0.05, 1)
        return carrier * np.exp(-0.5 * ((times - rng.random()) / width) ** 2)

    def _noise(
        self,
        n_times: int,
        low: float,
        high: float,
        slope: float,
        rng: np.random.Generator,
    ) -> Course:
        """Return noise whose power falls as frequency to the ``slope``, in a band."""
        # Twice the window: the noise of a piece does not return to where it began.
        frequencies = np.fft.rfftfreq(2 * n_times, 1 / self.sfreq)
        amplitude = np.maximum(frequencies, frequencies[1]) ** (-slope / 2)
        amplitude[(frequencies < low) | (frequencies > high)] = 0
        real, imaginary = rng.standard_normal((2, len(frequencies)))
        return np.fft.irfft(amplitude * (real + 1j * imaginary))[:n_times]


def _white(n_times: int, rng: np.random.Generator) -> Course:
    return rng.standard_normal(n_times)
