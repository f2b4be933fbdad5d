"""Trials of virtual subjects, and studies of several: how many trials it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import check_range
from ..imaging.batches import one_thread_each
from ..signals import average_reference
from .people import N_PEOPLE, own_head
from .spike_recordings import BEFORE, n_samples, record_trials

if TYPE_CHECKING:
    import mne

    from ..head.model import HeadModel
    from ..spikes.library import SpikeLibrary

_TRIALS = 1 << 41  # key of the draws
_LEVELS = (-12.0, -6.0)  # dB of one trial's response over background, over noise
_RESPONSE = 10e-6  # V, of the response's largest value
_RADIUS = 0.012  # m, of each source
_MISPLACED = 0.005  # m, root mean square, of a subject's electrodes
_COUNT, _SPREAD, _FEWEST = 27, 3, 10  # trials of a subject, as in the paper
_LATENCY_SPREAD = 0.03  # s, of a subject's peak


def virtual_trials(
    head: HeadModel,
    clips: SpikeLibrary,
    places: Sequence[tuple[float, float, float]],
    *,
    latency: float,
    width: float = 0.02,
    n_trials: int = 27,
    subject: int = 0,
    seed: int = 0,
) -> mne.BaseEpochs:
    """Record trials of an evoked response of a virtual subject.

    Parameters
    ----------
    head : HeadModel
        Of the cap: 10-10 electrodes. What is recorded comes from the subject's own
        head, which no network was trained on, under misplaced electrodes.
    clips : SpikeLibrary
        Of background activity that no network was trained on.
    places : sequence of tuple of float
        Centers of the sources, m, fsaverage RAS; all are active together.
    latency, width : float
        Peak of the response, s after the stimulus at 0, and its standard deviation.
    n_trials : int
    subject : int
        From 0 to 19: whose head.
    seed : int
        Of everything drawn.

    Returns
    -------
    mne.Epochs
        V, from a second before the peak to half a second after it.

    Raises
    ------
    OptionError
        There is no such subject.
    """
    check_range("subject", subject, 0, N_PEOPLE - 1)
    rng = np.random.default_rng([_TRIALS, seed, subject])
    own = own_head(subject, head, _MISPLACED, rng)
    topography = average_reference(own.leadfield[:, _members(head, places)].sum(axis=1))
    times = np.arange(n_samples(clips.sfreq)) / clips.sfreq - BEFORE
    course = np.exp(-((times / width) ** 2) / 2)
    response = np.outer(course, topography)
    with one_thread_each():
        data = record_trials(own, response, clips, n_trials, _LEVELS, rng)
    scale = _RESPONSE / np.abs(response).max()
    return _epochs(scale * data, head, clips.sfreq, latency - BEFORE)


def virtual_study(
    n_subjects: int,
    head: HeadModel,
    clips: SpikeLibrary,
    places: Sequence[tuple[float, float, float]],
    *,
    latency: float,
    width: float = 0.05,
    seed: int = 0,
) -> list[mne.Evoked]:
    """Average the trials of several virtual subjects.

    Parameters
    ----------
    n_subjects : int
        At most 20.
    head, clips, places, latency, width, seed
        As of :func:`virtual_trials`; each subject's peak is near ``latency``, and of
        27 ± 3 trials, as in the paper's oddball study.

    Returns
    -------
    list of mne.Evoked
    """
    check_range("n_subjects", n_subjects, 1, N_PEOPLE)
    responses = []
    for subject in range(n_subjects):
        rng = np.random.default_rng([_TRIALS, seed, N_PEOPLE + subject])
        count = max(round(rng.normal(_COUNT, _SPREAD)), _FEWEST)
        own = latency + _LATENCY_SPREAD * float(rng.standard_normal())
        trials = virtual_trials(
            head,
            clips,
            places,
            latency=round(own, 3),
            width=width,
            n_trials=count,
            subject=subject,
            seed=seed,
        )
        responses.append(trials.average())
    return responses


def _members(head: HeadModel, places: Sequence[tuple[float, float, float]]) -> NDArray:
    """Return the regions about the places, at least the nearest one of each."""
    chosen = []
    for place in places:
        apart = np.linalg.norm(head.cortex.centroids - np.asarray(place), axis=1)
        chosen.append(np.flatnonzero(apart <= max(_RADIUS, apart.min())))
    return np.unique(np.concatenate(chosen))


def _epochs(
    data: NDArray, head: HeadModel, sfreq: float, tmin: float
) -> mne.BaseEpochs:
    import mne

    info = mne.create_info(head.ch_names, sfreq, "eeg")
    epochs = mne.EpochsArray(data, info, tmin=tmin, verbose="error")
    return epochs.set_montage(head.info.get_montage(), verbose="error")
