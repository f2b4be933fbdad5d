"""Spikes of virtual patients as electrodes on and in the head record them.

A single spike is the time course of a simulated clip on the source, over the
background activity of other clips, through the patient's own head, with eyes and
muscles, and with noise of the electrodes. All spikes of a patient have one time
course, of varying size; each has another background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal.windows import tukey

from ..head.artifact_sources import load_artifact_sources
from ..signals import average_reference
from ..synthesis.artifacts import OCCURRENCES, ArtifactGenerator, mix_artifacts

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..spikes.library import SpikeLibrary

BEFORE, AFTER = 1.0, 0.5  # s around the peak that are recorded
_JOIN = 0.1  # s over which one background turns into the next
_EDGE, _TAPER = 0.05, 0.2  # s beyond a spike, and share of it that fades in and out
_SIZE_SPREAD = 0.25  # standard deviation of the logarithm of a spike's size
_AROUND = 0.1  # s around the peak whose power is that of the spike
_SOURCE_DB = (0.0, 10.0)  # dB, single spikes over their background at the scalp
_NOISE_DB = (0.0, 10.0)  # dB, single spikes over the noise of electrodes
_ARTIFACTS = {kind: OCCURRENCES[kind] for kind in ("eye", "muscle")}
_ARTIFACT_DB = (-15.0, 0.0)  # dB; what is larger is rejected when spikes are marked


class Course(NamedTuple):
    """Time course of a spike.

    Attributes
    ----------
    values : array of shape (n_times,)
        At most 1, zero outside its clip; peak at sample ``peak``.
    peak : int
    """

    values: NDArray
    peak: int


def n_samples(sfreq: float) -> int:
    """Return the length of a recorded spike in samples."""
    return round((BEFORE + AFTER) * sfreq) + 1


def course_of(clips: SpikeLibrary, clip: int) -> Course:
    """Return the time course of a clip's spike, its peak where all peaks are.

    Other spikes of the clip are left out: at another time in each spike, they would
    not be there in an average.
    """
    at = int(clips.peaks[clip])
    start, stop = next(span for span in clips.spans[clip] if span[0] <= at < span[1])
    edge = round(_EDGE * clips.sfreq)
    start, stop = max(start - edge, 0), min(stop + edge, clips.n_times)
    wave = clips.waveforms[clip, start:stop] - clips.means[clip]
    peak = round(BEFORE * clips.sfreq)
    values = np.zeros(n_samples(clips.sfreq))
    first = peak - at + start
    wave = (wave * tukey(len(wave), _TAPER))[: len(values) - first]
    values[first : first + len(wave)] = wave
    return Course(values / np.abs(values).max(), peak)


class Backgrounds:
    """Draws background activity as sensors record it.

    Parameters
    ----------
    clips : SpikeLibrary
        Of which the spikes are taken out.
    gain : array of shape (n_sensors, n_regions)
        Any unit.
    """

    def __init__(self, clips: SpikeLibrary, gain: NDArray) -> None:
        self.clips, self.gain = clips, gain.astype(np.float32)
        self._seen: dict[int, NDArray] = {}

    def draw(self, rng: np.random.Generator) -> NDArray:
        """Return a background of a spike's length, (n_times, n_sensors), no mean."""
        first, second = (self._of_clip(i) for i in rng.choice(len(self.clips), 2))
        join = round(_JOIN * self.clips.sfreq)
        rise = np.sin(np.linspace(0, np.pi / 2, join))[:, None]  # power stays
        middle = rise[::-1] * first[-join:] + rise * second[:join]
        whole = np.concatenate([first[:-join], middle, second[join:]])
        whole = whole[: n_samples(self.clips.sfreq)]
        return whole - whole.mean(axis=0)

    def _of_clip(self, clip: int) -> NDArray:
        if clip not in self._seen:
            levels = self.clips.levels[clip].astype(np.float32)  # (n_regions, n_coefs)
            levels[self.clips.seeds[clip]] = 0  # it spikes
            seen = self.clips.basis @ (self.gain @ levels).T
            self._seen[clip] = seen - seen.mean(axis=0)
        return self._seen[clip]


def scalp_spikes(
    head: HeadModel,
    topography: NDArray,
    clips: SpikeLibrary,
    clip: int,
    n_spikes: int,
    rng: np.random.Generator,
    *,
    artifacts: bool = True,
) -> NDArray:
    """Record single spikes on the scalp.

    Parameters
    ----------
    head : HeadModel
        The patient's own.
    topography : array of shape (n_channels,)
        Of the source in it.
    clips : SpikeLibrary
    clip : int
        Whose time course the spikes have.
    n_spikes : int
    rng : numpy.random.Generator
    artifacts : bool
        Eyes and muscles are recorded too.

    Returns
    -------
    array of shape (n_spikes, n_channels, n_times)
        Any unit, average reference.
    """
    course = course_of(clips, clip)
    spike = np.outer(course.values, average_reference(topography))
    levels = rng.uniform(*_SOURCE_DB), rng.uniform(*_NOISE_DB)
    return record_trials(head, spike, clips, n_spikes, levels, rng, artifacts=artifacts)


def record_trials(
    head: HeadModel,
    response: NDArray,
    clips: SpikeLibrary,
    n_trials: int,
    levels: tuple[float, float],
    rng: np.random.Generator,
    *,
    artifacts: bool = True,
) -> NDArray:
    """Record a response again and again, over other activity each time.

    Parameters
    ----------
    head : HeadModel
    response : array of shape (n_times, n_channels)
        At the scalp, average reference, any unit; its peak :data:`BEFORE` its start.
    clips : SpikeLibrary
        Of the background.
    n_trials : int
    levels : tuple of float
        Response over background and over noise of electrodes, dB, at the peak.
    rng : numpy.random.Generator
    artifacts : bool
        Eyes and muscles are recorded too. Without, all else is as with them.

    Returns
    -------
    array of shape (n_trials, n_channels, n_times)
        Average reference.
    """
    gain = average_reference(head.leadfield)
    backgrounds = Backgrounds(clips, gain / np.linalg.norm(gain, axis=0).mean())
    fields = load_artifact_sources()
    others = ArtifactGenerator(
        fields.at(head.sensors), fields.sites, head.sensors, clips.sfreq, _ARTIFACTS
    )
    peak = round(BEFORE * clips.sfreq)
    made = []
    for _ in range(n_trials):
        eeg = _record(response, peak, backgrounds.draw(rng), levels, clips.sfreq, rng)
        drawn, level = others.draw(len(eeg), rng), rng.uniform(*_ARTIFACT_DB)
        if artifacts:
            eeg = mix_artifacts(eeg, *drawn, level)
        made.append(average_reference(eeg, 1))
    return np.stack(made).swapaxes(1, 2)


def _record(
    spike: NDArray,
    peak: int,
    background: NDArray,
    levels: tuple[float, float],
    sfreq: float,
    rng: np.random.Generator,
) -> NDArray:
    """Add background and noise to one spike, (n_times, n_channels)."""
    around = round(_AROUND * sfreq / 2)
    size = np.exp(_SIZE_SPREAD * rng.standard_normal())
    power = np.mean(spike[peak - around : peak + around] ** 2)
    background = background * np.sqrt(
        power / np.mean(background**2) / 10 ** (levels[0] / 10)
    )
    noise = np.sqrt(power / 10 ** (levels[1] / 10)) * rng.standard_normal(spike.shape)
    return size * spike + background + noise
