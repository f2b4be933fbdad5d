"""Virtual patients: twenty people with spikes, made up as the paper's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import check_range
from ..imaging.batches import one_thread_each
from .implanting import intracranial_of
from .patient import Patient
from .people import N_PEOPLE, Person, draw_person
from .spike_recordings import BEFORE, scalp_spikes
from .steps import average_spikes, filtered

if TYPE_CHECKING:
    import mne

    from ..head.model import HeadModel
    from ..spikes.library import SpikeLibrary

_COHORT = 1 << 40  # key of the cohort's draws, which no stream of samples has
_AMPLITUDE = 60e-6  # V; the averaged spike's largest value (simulated EEG has no unit)
_SPIKES = (18.0, 20.0)  # mean and standard deviation of their number, as in the paper
_FEWEST, _MOST = 3, 60
_QUIET = (None, -0.6)  # s


def virtual_cohort(
    n_patients: int,
    head: HeadModel,
    clips: SpikeLibrary,
    *,
    seed: int = 0,
    misplacement: float = 0.005,
    **conditions,
) -> list[Patient]:
    """Make virtual patients, each with a head and spikes of its own.

    Of ten, seven have temporal lobe epilepsy, nine are free of seizures, seven have
    electrodes inside the head.

    Parameters
    ----------
    n_patients : int
        Number of patients, at most 20: each has one of the head shapes that no
        network was trained on.
    head : HeadModel
        The head model that images are made with: the template with electrodes of the
        10-10 system, such as ``"template-75"``.
    clips : SpikeLibrary
        Simulated spikes, best those that no network was trained on (``"test"``).
    seed : int
        Patient ``i`` depends on ``seed`` and ``i`` alone.
    misplacement : float
        Root mean square distance, m, of a patient's electrodes from where ``head``
        has them.
    **conditions
        What else is easier or harder than by default, with all other draws as they
        were: ``own_heads=False`` gives all the template's head, ``artifacts=False``
        leaves out eyes and muscles, ``n_spikes`` is the number of spikes of everybody.

    Returns
    -------
    list of Patient

    Raises
    ------
    OptionError
        More patients are asked for than there are heads.
    ChannelError
        ``head`` has electrodes that the stored heads lack.
    """
    check_range("n_patients", n_patients, 1, N_PEOPLE)
    with one_thread_each():  # products are small
        return [
            virtual_patient(i, head, clips, seed, misplacement, **conditions)
            for i in range(n_patients)
        ]


def virtual_patient(
    index: int,
    head: HeadModel,
    clips: SpikeLibrary,
    seed: int = 0,
    misplacement: float = 0.005,
    *,
    own_heads: bool = True,
    artifacts: bool = True,
    n_spikes: int | None = None,
) -> Patient:
    """Make one patient of :func:`virtual_cohort`."""
    rng = np.random.default_rng([_COHORT, seed, index])
    person = draw_person(index, head, misplacement, rng, own=own_heads)
    clip, drawn = int(rng.integers(len(clips))), _number_of_spikes(rng)
    n_spikes = drawn if n_spikes is None else n_spikes
    topography = person.head.leadfield[:, person.source] @ person.strength
    data = scalp_spikes(
        person.head, topography, clips, clip, n_spikes, rng, artifacts=artifacts
    )
    spikes = _epochs(data, head, clips.sfreq)
    inside = None
    if person.implanted:
        inside = intracranial_of(person, head.cortex, clips, clip, n_spikes, rng)
    return _patient(index, person, spikes, inside)


def _patient(index: int, person: Person, spikes: mne.BaseEpochs, inside) -> Patient:
    evoked = average_spikes(spikes)
    evoked.comment = "virtual interictal spike"
    return Patient(
        name=f"virtual patient {index + 1}",
        evoked=evoked,
        virtual=True,
        outcome=person.outcome,
        spikes=spikes,
        quiet=_QUIET,
        head=person.head,
        resection=person.resection,
        onset_zone=person.onset_zone,
        intracranial=inside,
        source=person.source,
        age=person.age,
    )


def _number_of_spikes(rng: np.random.Generator) -> int:
    """Draw from a log-normal distribution of the paper's mean and spread."""
    mean, sd = _SPIKES
    variance = np.log(1 + (sd / mean) ** 2)
    drawn = rng.lognormal(np.log(mean) - variance / 2, np.sqrt(variance))
    return int(np.clip(round(drawn), _FEWEST, _MOST))


def _epochs(data: NDArray, head: HeadModel, sfreq: float) -> mne.BaseEpochs:
    """Return single spikes, (n_spikes, n_channels, n_times), as epochs in V."""
    import mne

    info = mne.create_info(head.ch_names, sfreq, "eeg")
    average = mne.EvokedArray(data.mean(axis=0), info, tmin=-BEFORE, verbose="error")
    scale = _AMPLITUDE / np.abs(filtered(average).data).max()
    epochs = mne.EpochsArray(scale * data, info, tmin=-BEFORE, verbose="error")
    return epochs.set_montage(head.info.get_montage(), verbose="error")
