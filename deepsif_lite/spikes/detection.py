"""Find interictal spikes in simulated activity and cut one-second clips around them.

The rules are those of the DeepSIF paper's code (Sun et al. 2022, SI; script
``process_raw_nmm.m``), read as they were meant:

- stretches of one simulation follow each other in time (the script joins files in
  lexical order, 0, 1, 10, 11, ...; here a simulation is one run);
- a peak on the last sample of a window of the fixed grid belongs to that window (in
  the script it opens the next one);
- the four regions without a node of their own are raised at the node that takes
  their place (in the script they never spike);
- a window that holds several spikes is saved once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SFREQ = 500.0  # Sampling rate of clips, Hz.
# Length of a clip: one second.
CLIP_SAMPLES = 500
THRESHOLD = 8.0  # Least height of a spike's peak, mV.
REFRACTORY = 100  # samples since the previous peak in any region
GUARD = 200  # samples around a clip in which no other region may spike
HALF = 250  # samples around a spike in which its start and end are sought
# Of these, away from the peak: where start and end may lie, and the trough that follows.
_REACH, _TROUGH = 200, slice(51, 151)
_AT_MEAN, _WIDER = 0.1, 0.05  # mV from the mean that count as at it, and steps of it


@dataclass(frozen=True, eq=False)
class Clip:
    """One second of simulated activity with at least one spike of the seed region.

    Attributes
    ----------
    start : int
        First sample of the clip in its simulation.
    activity : array of shape (CLIP_SAMPLES, n_regions)
        y1 - y2 (mV).
    peaks : array of int, shape (n_spikes,)
        Samples of the accepted spikes within the clip.
    spans : array of int, shape (n_spikes, 2)
        First and last-plus-one sample of each spike, within the clip.
    mean : float
        Mean of the seed's time course over the simulation (mV).
    """

    start: int
    activity: NDArray[np.float32]
    peaks: NDArray[np.int64]
    spans: NDArray[np.int64]
    mean: float


def find_peaks(
    activity: NDArray, threshold: float = THRESHOLD
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the local maxima of every region that reach a threshold.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions)
        mV.
    threshold : float
        mV.

    Returns
    -------
    samples, regions : arrays of int, shape (n_peaks,)
        Sorted by time, then region. A plateau counts once, at its center.
    """
    from scipy import signal

    regions = np.flatnonzero((activity >= threshold).any(axis=0))
    peaks = [signal.find_peaks(activity[:, r], height=threshold)[0] for r in regions]
    samples = np.concatenate([*peaks, np.empty(0, int)]).astype(int)
    regions = np.repeat(regions, [len(p) for p in peaks])
    order = np.lexsort((regions, samples))
    return samples[order], regions[order]


def keep_isolated(
    samples: NDArray[np.int64], previous: int = -REFRACTORY - 1
) -> NDArray[np.bool_]:
    """Mark peaks that come more than 200 ms after the one before, in any region.

    A peak is compared with its predecessor even where that one was not kept, so of
    a burst only the first peak remains.

    Parameters
    ----------
    samples : array of int, shape (n_peaks,)
        Sorted.
    previous : int
        Sample of the peak before the first of these; by default there is none.
    """
    return np.diff(samples, prepend=previous) > REFRACTORY


def spike_span(waveform: NDArray, peak: int) -> tuple[int, int]:
    """Find where a spike starts and ends: the seed's mean crossings around it.

    Parameters
    ----------
    waveform : array of shape (n_times,)
        Seed time course minus its mean over the simulation (mV), with at least
        249 samples before the peak and 250 after it.
    peak : int
        Sample of the spike's peak.

    Returns
    -------
    start, stop : int
        The spike is ``waveform[start:stop]``.

    Notes
    -----
    Start is the last sample before the peak within 0.1 mV of the mean; the end is
    the first such sample after the trough that follows the spike by 100 to 200 ms.
    Where there is none, the tolerance grows in steps of 0.05 mV.
    """
    first = peak - HALF + 1
    cut = np.abs(waveform[first : peak + HALF + 1])
    place = np.arange(2 * HALF)
    inner = (place >= HALF - _REACH) & (place < HALF + _REACH)
    tolerance = _AT_MEAN

    def near(where: NDArray[np.bool_]) -> NDArray[np.int64]:
        nonlocal tolerance
        while not (found := place[inner & where & (cut < tolerance)]).size:
            tolerance += _WIDER
        return found

    start = near(place < HALF - 1)[-1]
    after = waveform[peak + _TROUGH.start : peak + _TROUGH.stop]
    trough = HALF - 1 + _TROUGH.start + int(np.argmin(after))
    stop = near(place > trough)[0] + 1
    return first + int(start), first + int(stop)


def rescale_spikes(
    waveform: NDArray, spans: NDArray, mean: float, alpha: float
) -> NDArray:
    """Scale the spikes of a time course and leave what lies between them alone.

    Parameters
    ----------
    waveform : array of shape (n_times,)
        Seed time course (mV).
    spans : array of int, shape (n_spikes, 2)
        Start and stop of each spike; rows that are empty are skipped.
    mean : float
        Mean of the time course over its simulation (mV): what is scaled is the
        deviation from it.
    alpha : float
        Factor.

    Returns
    -------
    scaled : array of shape (n_times,)
    """
    inside = np.zeros(len(waveform), dtype=bool)
    for start, stop in spans:
        inside[start:stop] = True
    return np.where(inside, mean + alpha * (waveform - mean), waveform)


class ClipCutter:
    """Cut the clips of one simulation while it runs.

    Stretches of one second come in through :meth:`feed`; only the last three are
    held, besides the clips themselves.

    Parameters
    ----------
    seed : int
        Region with raised gain.
    max_clips : int | None
        Keep the first so many.
    """

    def __init__(self, seed: int, max_clips: int | None = None):
        self.seed, self.max_clips = seed, max_clips
        self.n_spikes = 0
        self._seconds: list[NDArray] = []
        self._n_fed = 0
        self._peaks: list[tuple[int, int]] = []  # kept ones
        self._last_peak = -REFRACTORY - 1
        self._course: list[NDArray] = []
        self._windows: list[tuple[int, NDArray]] = []

    @property
    def full(self) -> bool:
        """Whether no further clip is wanted."""
        return self.max_clips is not None and len(self._windows) >= self.max_clips

    def feed(self, second: NDArray) -> None:
        """Take the next second, shape (CLIP_SAMPLES, n_regions), mV."""
        self._seconds.append(second)
        self._course.append(second[:, self.seed].copy())
        self._n_fed += 1
        if len(self._seconds) >= 2:
            self._find(self._n_fed - 2)
        if len(self._seconds) == 3:
            self._decide(self._n_fed - 3)
            self._seconds.pop(0)

    def clips(self) -> Iterator[Clip]:
        """Yield the clips, with the spikes delimited, once the simulation is over."""
        course = np.concatenate(self._course)
        mean = float(course.mean())
        for start, activity in self._windows:
            peaks = np.array(self._spikes(start)) - start
            spans = np.array([spike_span(course - mean, p + start) for p in peaks])
            spans = np.clip(spans - start, 0, CLIP_SAMPLES)
            yield Clip(start, activity, peaks, spans, mean)

    def _find(self, second: int) -> None:
        """Find the peaks of a second, now that the sample after it is known."""
        before = self._seconds[-3][-1:] if len(self._seconds) == 3 else None
        here, after = self._seconds[-2], self._seconds[-1][:1]
        parts = [here, after] if before is None else [before, here, after]
        samples, regions = find_peaks(np.concatenate(parts))
        samples += second * CLIP_SAMPLES - (before is not None)
        kept = keep_isolated(samples, self._last_peak)
        self._peaks += zip(samples[kept].tolist(), regions[kept].tolist(), strict=True)
        self.n_spikes += int((regions == self.seed).sum())
        if samples.size:
            self._last_peak = int(samples[-1])

    def _spikes(self, start: int) -> list[int]:
        """Kept peaks of the seed in a window, clear of the record's ends."""
        return [
            sample
            for sample, region in self._peaks
            if region == self.seed
            and start <= sample < start + CLIP_SAMPLES
            and sample - HALF + 1 >= 0
            and sample + HALF < self._n_fed * CLIP_SAMPLES
        ]

    def _decide(self, second: int) -> None:
        """Keep a second as a clip where only the seed spikes in and around it."""
        start = second * CLIP_SAMPLES
        if self.full or not self._spikes(start):
            return
        others = any(
            start - GUARD <= sample < start + CLIP_SAMPLES + GUARD
            for sample, region in self._peaks
            if region != self.seed
        )
        if not others:
            self._windows.append((start, self._seconds[0].copy()))
