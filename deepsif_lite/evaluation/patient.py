"""An epilepsy patient, real or virtual: spikes, and whatever else is known.

Real and virtual patients are of one type, so that one pipeline images and scores
both. Everything but the averaged spike may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ..errors import SignalError, check_shape

if TYPE_CHECKING:
    import mne

    from ..cortex.surface import Cortex
    from ..head.model import HeadModel


@dataclass(frozen=True, eq=False)
class Intracranial:
    """Electrodes inside the head, and what they recorded.

    Attributes
    ----------
    names : list of str
    places : array of shape (n_contacts, 3)
        Meters, fsaverage RAS.
    in_onset_zone : array of bool, shape (n_contacts,)
        Whether seizures start at the contact.
    kinds : list of str
        ``"depth"`` or ``"grid"``; empty where it is not known.
    spikes : array of shape (n_spikes, n_contacts, n_times) | None
        Recorded at the times of spikes, V.
    times : array of shape (n_times,) | None
        Seconds.

    Raises
    ------
    SignalError
        The shapes do not belong together.
    """

    names: list[str]
    places: NDArray
    in_onset_zone: NDArray
    kinds: list[str] = field(default_factory=list)
    spikes: NDArray | None = None
    times: NDArray | None = None

    def __post_init__(self) -> None:
        n_contacts = len(self.names)
        check_shape("places", np.shape(self.places), (n_contacts, 3))
        check_shape("in_onset_zone", np.shape(self.in_onset_zone), (n_contacts,))
        if self.spikes is not None:
            n_times = 0 if self.times is None else len(self.times)
            shape = ("n_spikes", n_contacts, n_times)
            check_shape("spikes", np.shape(self.spikes), shape)

    def regions(self, cortex: Cortex, *, onset_only: bool = False) -> NDArray:
        """Return the region nearest to each contact (of the onset zone), in order."""
        places = self.places[self.in_onset_zone] if onset_only else self.places
        return cdist(places, cortex.centroids).argmin(axis=1)


@dataclass(frozen=True, eq=False)
class Patient:
    """A patient with interictal spikes.

    Attributes
    ----------
    name : str
    evoked : mne.Evoked
        Averaged spike, V, its peak at time 0. Its channels are the cap.
    virtual : bool
        True where the recording is simulated.
    outcome : str
        What is known about the surgery.
    spikes : mne.Epochs | None
        The single spikes, as recorded, their peaks at time 0.
    quiet : tuple of float | None
        Times before the spikes, s, from which solvers can take the noise.
    head : HeadModel | None
        The patient's own head under this cap, where it is known. Images are made
        with the template, as for anybody else.
    resection : array of int | None
        Resected regions.
    onset_zone : array of int | None
        Regions under the contacts of the seizure onset zone.
    intracranial : Intracranial | None
        Electrodes inside the head.
    source : array of int | None
        Regions that make the spike; known for virtual patients only.
    age : float | None
        Years.
    """

    name: str
    evoked: mne.Evoked
    virtual: bool
    outcome: str = ""
    spikes: mne.BaseEpochs | None = None
    quiet: tuple[float | None, float | None] | None = None
    head: HeadModel | None = None
    resection: NDArray | None = None
    onset_zone: NDArray | None = None
    intracranial: Intracranial | None = None
    source: NDArray | None = None
    age: float | None = None

    @property
    def n_spikes(self) -> int:
        """How many spikes the average holds."""
        return self.evoked.nave if self.spikes is None else len(self.spikes)

    @property
    def label(self) -> str:
        """The name, with a word that says so where the patient is virtual."""
        named = not self.virtual or "virtual" in self.name
        return self.name if named else f"{self.name} (virtual)"

    @property
    def largest_channel(self) -> str:
        """The channel of the largest deflection at time 0."""
        at_peak = self.evoked.data[:, np.abs(self.evoked.times).argmin()]
        return self.evoked.ch_names[int(np.abs(at_peak).argmax())]

    def spike(self, number: int) -> mne.Evoked:
        """Return a single spike as a response of its own.

        Raises
        ------
        SignalError
            Single spikes are not known, or there is no such number (from 0).
        """
        known = 0 if self.spikes is None else len(self.spikes)
        if self.spikes is None or not 0 <= number < known:
            msg = f"number={number}: {self.name!r} has {known} single spikes."
            raise SignalError(msg)
        return self.spikes[number].average()
