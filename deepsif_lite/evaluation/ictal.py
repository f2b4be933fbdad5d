"""Seizures of virtual patients: a second of sustained activity, its source known.

The networks were trained on spikes between seizures. What a seizure looks like to the
neural mass model depends on gain and input: beyond the values at which single spikes
appear, a region spikes without pause, and with more input still it swings like a sine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import MismatchError, check_option
from ..metrics.scores import score
from ..neural_mass.connectome import Connectome
from ..neural_mass.simulation import simulate
from ..signals import average_reference
from .spike_recordings import BEFORE, n_samples, record_trials
from .steps import SPAN

if TYPE_CHECKING:
    import mne

    from ..imaging.source_image import SourceImage
    from ..spikes.library import SpikeLibrary
    from .patient import Patient

ICTAL_KINDS = {"sustained spikes": (4.0, 0.1), "rhythmic": (3.6, 0.2)}
"""Excitatory gain (mV) and mean input (1/ms) of each kind of seizure waveform."""

_ICTAL = 1 << 42  # key of the draws
_STEP = 0.5e-3  # s, of the simulation
_SETTLED = 2.0  # s after which the random history is forgotten
_RISE = 0.05  # s in which a seizure grows to its full size
_LEVELS = (5.0, 10.0)  # dB of the seizure over background, over noise of electrodes
_AMPLITUDE = 100e-6  # V, largest value at the scalp


class Seizure(NamedTuple):
    """A recorded onset of a seizure.

    Attributes
    ----------
    patient : Patient
        Its ``evoked`` is the recording: half a second before the onset, and the second
        after it, which :func:`deepsif_lite.evaluation.image_spike` images.
    truth : array of shape (n_times, n_regions)
        Activity of the cortex over that second, at most 1.
    """

    patient: Patient
    truth: NDArray


def ictal_waveform(
    kind: str, n_times: int, sfreq: float = 500.0, *, seed: int = 0
) -> NDArray:
    """Simulate the time course of a region in a seizure.

    Parameters
    ----------
    kind : str
        Of :data:`ICTAL_KINDS`.
    n_times : int
    sfreq : float
        Hz.
    seed : int
        Of the region's noise.

    Returns
    -------
    array of shape (n_times,)
        Net post-synaptic potential of a region without links, no mean, at most 1.

    Raises
    ------
    OptionError
        The kind is unknown.
    """
    check_option("kind", kind, ICTAL_KINDS)
    gain, mean_input = ICTAL_KINDS[kind]
    alone = Connectome("one region", np.zeros((1, 1)), np.zeros((1, 1)), np.arange(1))
    psp = simulate(
        alone,
        gain,
        mean_input,
        duration=_SETTLED + n_times / sfreq,
        dt=_STEP,
        stride=round(1 / (sfreq * _STEP)),
        seed=seed,
        n_jobs=1,  # threads have nothing to share in one region
    )
    wave = psp[0, -n_times:, 0].astype(float)
    wave -= wave.mean()
    return wave / np.abs(wave).max()


def virtual_seizure(
    patient: Patient, kind: str, clips: SpikeLibrary, *, seed: int = 0
) -> Seizure:
    """Record the first second of a seizure of a virtual patient.

    All of the source takes part, equally. It is recorded through the patient's own
    head, over background activity, with eyes, muscles and noise of electrodes.

    Parameters
    ----------
    patient : Patient
        Of :func:`deepsif_lite.evaluation.virtual_cohort`.
    kind : str
        Of :data:`ICTAL_KINDS`.
    clips : SpikeLibrary
        Of background activity.
    seed : int

    Raises
    ------
    MismatchError
        The patient's head or source is not known.
    OptionError
        The kind is unknown.
    """
    if patient.head is None or patient.source is None:
        msg = f"Head and source of {patient.name!r} must be known, as of virtual ones."
        raise MismatchError(msg)
    course = _course(kind, clips.sfreq, seed)
    topography = average_reference(
        patient.head.leadfield[:, patient.source].sum(axis=1)
    )
    rng = np.random.default_rng([_ICTAL, seed])
    response = np.outer(course, topography)
    data = record_trials(patient.head, response, clips, 1, _LEVELS, rng)[0]
    truth = np.zeros((len(course), patient.head.cortex.n_regions), np.float32)
    truth[:, patient.source] = course[:, None]
    first, last = (round((BEFORE + edge) * clips.sfreq) for edge in SPAN)
    evoked = _evoked(data, patient, f"virtual seizure, {kind}")
    imaged = replace(
        patient, name=f"{patient.name}, {kind}", evoked=evoked, spikes=None
    )
    return Seizure(imaged, truth[first : last + 1])


def score_seizure(image: SourceImage, seizure: Seizure) -> dict[str, float]:
    """Compare the image of a seizure with its source.

    Parameters
    ----------
    image : SourceImage
        Of the second that :func:`deepsif_lite.evaluation.image_spike` takes.
    seizure : Seizure

    Returns
    -------
    dict of str to float
        As :func:`deepsif_lite.metrics.score`.
    """
    source = seizure.patient.source
    assert source is not None  # that of a virtual patient is known
    return score(image.activity.T, seizure.truth, [source], image.cortex)


def _course(kind: str, sfreq: float, seed: int) -> NDArray:
    """Return a recording's time course: nothing, then the seizure from its onset on."""
    course = np.zeros(n_samples(sfreq))
    onset, rise = round((BEFORE + SPAN[0]) * sfreq), round(_RISE * sfreq)
    course[onset:] = ictal_waveform(kind, len(course) - onset, sfreq, seed=seed)
    course[onset : onset + rise] *= np.linspace(0, 1, rise)
    return course


def _evoked(data: NDArray, patient: Patient, comment: str) -> mne.Evoked:
    """Return a recording (n_channels, n_times), any unit, in V on the patient's cap."""
    import mne

    return mne.EvokedArray(
        _AMPLITUDE / np.abs(data).max() * data,
        patient.evoked.info,
        tmin=-BEFORE,
        comment=comment,
        verbose="error",
    )
