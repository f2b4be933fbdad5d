"""Intracranial spikes by kind, and the kind that the scalp shows (Fig. 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import MismatchError
from ..metrics.scores import correlation
from .steps import spike_map

if TYPE_CHECKING:
    import mne

    from ..imaging.source_image import SourceImage
    from .patient import Intracranial, Patient

N_CLUSTERS = 3


@dataclass(frozen=True, eq=False)
class SpikeClusters:
    """Spikes inside the head, by kind.

    Attributes
    ----------
    labels : array of int, shape (n_spikes,)
    averages : array of shape (n_clusters, n_contacts, n_times)
        Volts.
    times : array of shape (n_times,)
        Seconds.
    contact : int
        The contact of the onset zone where spikes are largest.
    alike : array of shape (n_clusters,)
        Correlation (magnitude) of each kind at that contact with the scalp.
    scalp : array of shape (n_times,)
        The scalp channel with the largest deflection, V.
    """

    labels: NDArray
    averages: NDArray
    times: NDArray
    contact: int
    alike: NDArray
    scalp: NDArray

    @property
    def chosen(self) -> int:
        """The kind that is most like what the scalp shows."""
        return int(self.alike.argmax())

    @property
    def course(self) -> NDArray:
        """The chosen kind at the contact, V."""
        return self.averages[self.chosen, self.contact]


def cluster_spikes(
    patient: Patient, n_clusters: int = N_CLUSTERS, *, seed: int = 0
) -> SpikeClusters:
    """Sort intracranial spikes by k-means and choose the kind that the scalp shows.

    Parameters
    ----------
    patient : Patient
        With intracranial spikes.
    n_clusters : int
        Kinds to look for.
    seed : int
        Of the starts of k-means.

    Returns
    -------
    SpikeClusters

    Raises
    ------
    MismatchError
        The patient has no intracranial spikes, or fewer than kinds.

    References
    ----------
    Sun et al. (2022), Fig. 5: the cluster whose average is most like the scalp
    channel of the largest amplitude.
    """
    from sklearn.cluster import KMeans

    inside = patient.intracranial
    if inside is None or inside.spikes is None or inside.times is None:
        msg = f"{patient.name!r} has no intracranial spikes."
        raise MismatchError(msg)
    if len(inside.spikes) < n_clusters:
        msg = f"n_clusters={n_clusters}, but there are {len(inside.spikes)} spikes."
        raise MismatchError(msg)
    features = inside.spikes[:, inside.in_onset_zone].reshape(len(inside.spikes), -1)
    found = KMeans(n_clusters, n_init=10, random_state=seed).fit(features)
    averages = np.stack(
        [inside.spikes[found.labels_ == k].mean(axis=0) for k in range(n_clusters)]
    )
    scalp = _at_times(patient.evoked, patient.largest_channel, inside.times)
    contact = _largest_contact(inside)
    alike = [abs(correlation(average[contact], scalp)) for average in averages]
    return SpikeClusters(
        found.labels_, averages, inside.times, contact, np.array(alike), scalp
    )


def _largest_contact(inside: Intracranial) -> int:
    """Return the contact of the onset zone where the mean spike is largest."""
    assert inside.spikes is not None
    size = np.abs(inside.spikes.mean(axis=0)).max(axis=1)
    return int(np.where(inside.in_onset_zone, size, -1).argmax())


def _at_times(evoked: mne.Evoked, channel: str, times: NDArray) -> NDArray:
    course = evoked.data[evoked.ch_names.index(channel)]
    return np.interp(times, evoked.times, course)


def source_course(image: SourceImage, times: NDArray) -> NDArray:
    """Return the time course of the strongest region of a spike, at given times (s)."""
    strongest = int(spike_map(image).argmax())
    return np.interp(times, image.times, image.activity[strongest])
