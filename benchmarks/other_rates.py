"""Recordings at any sampling rate, brought to the network's as those of users are."""

from __future__ import annotations

from dataclasses import replace
from math import gcd

import mne
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

import deepsif_lite as dl
from deepsif_lite.head import HeadModel
from deepsif_lite.recordings import prepare
from deepsif_lite.spikes import SpikeLibrary
from deepsif_lite.synthesis import Sample

SECONDS = 0.6  # of a recording
MARGIN = 0.1  # s at either end of what is made, where changing the rate leaves traces
SIZE = 20e-6  # V, of the largest value


class AtAnotherRate:
    """Synthetic recordings made at the clips' rate, then recorded at another.

    A second is made, its rate is changed by a polyphase filter (against aliasing, as
    an amplifier's), and what is given is a part well inside it: it is cut as abruptly
    as a user cuts. :func:`deepsif_lite.recordings.prepare` brings it back.

    Parameters
    ----------
    head : HeadModel
    clips : SpikeLibrary
    rate : int
        Hz.
    **options
        Of :class:`deepsif_lite.SyntheticEEG`.
    """

    def __init__(
        self, head: HeadModel, clips: SpikeLibrary, *, rate: int, **options
    ) -> None:
        self.head, self.rate, self.own_rate = head, rate, round(clips.sfreq)
        self._stream = dl.SyntheticEEG(head, clips, **options)
        self._info = mne.create_info(head.ch_names, rate, "eeg")
        self._info.set_montage(head.info.get_montage())

    def __getitem__(self, index: int) -> Sample:
        sample = self._stream[index]
        start = self._start(sample)
        common = gcd(self.rate, self.own_rate)
        factors = self.rate // common, self.own_rate // common
        recorded = resample_poly(sample.eeg, *factors, axis=0)
        recorded = recorded[start : start + round(SECONDS * self.rate)]
        evoked = mne.EvokedArray(SIZE * recorded.T, self._info, verbose=False)
        ready = prepare(evoked, self.head.info, self.own_rate).data.T
        first = round(start / self.rate * self.own_rate)
        activity = sample.activity[first : first + len(ready)]
        return replace(sample, eeg=ready, activity=activity)

    def _start(self, sample: Sample) -> int:
        """Return where the recording begins: its middle is near the first peak."""
        n_times = len(sample.eeg) / self.own_rate
        peak = _peak(sample.activity[:, sample.patches[0][0]]) / self.own_rate
        last = n_times - MARGIN - SECONDS
        return round(np.clip(peak - SECONDS / 2, MARGIN, last) * self.rate)


def _peak(course: NDArray) -> int:
    return int(np.abs(course).argmax())
