"""Virtual patients and virtual evoked responses, their sources known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..head.jitter import ElectrodeJitter
from .cohort import Patient

if TYPE_CHECKING:
    import mne

    from ..cortex.surface import Cortex
    from ..head.model import HeadModel
    from ..spikes.library import SpikeLibrary


_AMPLITUDE = 60e-6  # V; a virtual spike's largest value (simulated EEG has no unit)


_RESPONSE = 10e-6  # V, largest value of a virtual evoked response


_RESECTION_TO_SOURCE = (1.3, 3.0)  # area of the resection over that of the source


_SPIKE_SNR = (10.0, 15.0, 20.0)  # dB; averages of spikes are cleaner than one spike


_N_CONTACTS = 5


def virtual_cohort(
    n_patients: int,
    head: HeadModel,
    clips: SpikeLibrary,
    *,
    seed: int = 0,
    misplacement: float = 0.005,
) -> list[Patient]:
    """Make virtual patients with one spiking patch each.

    Parameters
    ----------
    n_patients : int
        Number of patients.
    head : HeadModel
        The head model that the images are made with.
    clips : SpikeLibrary
        Simulated spikes, best those that no network was trained on.
    seed : int
        Patient ``i`` depends on ``seed`` and ``i`` alone.
    misplacement : float
        Root mean square distance, m, of a patient's electrodes from where ``head``
        has them.

    Returns
    -------
    list of Patient
    """
    return [
        _virtual_patient(i, head, clips, seed, misplacement) for i in range(n_patients)
    ]


def _virtual_patient(
    index: int, head: HeadModel, clips: SpikeLibrary, seed: int, misplacement: float
) -> Patient:
    from ..synthesis.stream import SyntheticEEG

    rng = np.random.default_rng([seed, index])
    stream = SyntheticEEG(
        misplace_electrodes(head, misplacement, rng),
        clips,
        n_sources=1,
        seed=int(rng.integers(2**31)),
        sensor_snr=_SPIKE_SNR,
    )
    sample = stream[0]
    source = np.asarray(sample.patches[0])
    to_seed = head.cortex.distances[source[0], source]
    return Patient(
        name=f"virtual patient {index + 1}",
        evoked=_spike_evoked(sample.eeg, head, clips.sfreq),
        virtual=True,
        outcome="virtual: the source lies inside the resection",
        resection=_grow(source, rng.uniform(*_RESECTION_TO_SOURCE), head.cortex, rng),
        onset_zone=source[np.argsort(to_seed)[:_N_CONTACTS]],
        source=source,
    )


def virtual_response(
    head: HeadModel,
    place: tuple[float, float, float],
    *,
    latency: float,
    radius: float = 0.015,
    noise: float = 0.1,
    seed: int = 0,
) -> mne.Evoked:
    """Make an evoked response of a virtual subject, its source known.

    It stands in for a published recording that cannot be reached.

    Parameters
    ----------
    head : HeadModel
        Electrodes and leadfield.
    place : tuple of float
        Center of the source, m, fsaverage RAS. The source is every region of that
        hemisphere within ``radius``, and at least the nearest one.
    latency : float
        Time of the peak, s after the stimulus at 0.
    radius : float
        Extent of the source, m.
    noise : float
        White noise, standard deviation over the response's largest value.
    seed : int
        Of the noise.

    Returns
    -------
    mne.Evoked
        From -0.2 to 0.5 s at 500 Hz, V.
    """
    import mne

    cortex, sfreq = head.cortex, head.info["sfreq"]
    apart = np.linalg.norm(cortex.centroids - np.asarray(place), axis=1)
    side = cortex.hemisphere == cortex.hemisphere[apart.argmin()]
    source = np.flatnonzero(side & (apart <= max(radius, apart.min())))
    times = np.arange(round(-0.2 * sfreq), round(0.5 * sfreq)) / sfreq
    # A positive wave of 20 ms, then a broader one the other way.
    course = np.exp(-(((times - latency) / 0.02) ** 2) / 2)
    course -= 0.6 * np.exp(-(((times - latency - 0.08) / 0.04) ** 2) / 2)
    data = np.outer(head.leadfield[:, source].sum(axis=1), course)
    data *= _RESPONSE / np.abs(data).max()
    rng = np.random.default_rng(seed)
    data += noise * _RESPONSE * rng.standard_normal(data.shape)
    comment = "virtual response"
    return mne.EvokedArray(
        data, head.info.copy(), tmin=times[0], comment=comment, verbose=False
    )


def misplace_electrodes(
    head: HeadModel, distance: float, rng: np.random.Generator
) -> HeadModel:
    """Return the head model with its electrodes moved, at the same names.

    Parameters
    ----------
    head : HeadModel
    distance : float
        Root mean square of the moves, m. They are random and independent.
    rng : numpy.random.Generator
        Source of the moves.

    See Also
    --------
    deepsif_lite.head.ElectrodeJitter : Makes the moves.
    """
    from dataclasses import replace

    moved = ElectrodeJitter(head.sensors).draw(distance, rng)
    return replace(head, leadfield=moved @ head.leadfield, vertex_gain=None)


def _spike_evoked(eeg: NDArray, head: HeadModel, sfreq: float) -> mne.Evoked:
    import mne

    peak = int(eeg.std(axis=1).argmax())
    info = mne.create_info(head.ch_names, sfreq, "eeg")
    evoked = mne.EvokedArray(
        (_AMPLITUDE * eeg).T.astype(float),
        info,
        tmin=-peak / sfreq,
        comment="virtual interictal spike",
        verbose=False,
    )
    return evoked.set_montage(head.info.get_montage(), verbose=False)


def _grow(
    source: NDArray, ratio: float, cortex: Cortex, rng: np.random.Generator
) -> NDArray:
    """Add neighbors of a patch until its area is ``ratio`` times as large.

    The nearest to one of its regions, drawn at random, come first: surgery removes
    a block.
    """
    center = rng.choice(source)
    grown = set(source.tolist())
    wanted = ratio * cortex.areas[source].sum()
    while cortex.areas[list(grown)].sum() < wanted:
        edge = {int(n) for region in grown for n in cortex.neighbors[region]} - grown
        if not edge:  # the hemisphere is used up
            break
        grown.add(min(edge, key=lambda region: cortex.distances[center, region]))
    return np.array(sorted(grown))
