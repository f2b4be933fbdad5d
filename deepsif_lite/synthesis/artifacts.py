"""What EEG records that is not cortex: eyes, muscles, electrodes, skin, heart, mains.

A window of real EEG holds all of these, and a network that never met them takes them
for sources at the frontal and temporal poles. Each is a time course times a topography,
so a sample's are two small arrays that one product adds to its EEG.

Eyes and muscles have the fields of dipoles in the scalp, see
:class:`~deepsif_lite.head.ArtifactSources`. Both eyes turn together, up or aside (Berg
and Scherg 1991, "Dipole models of eye movements and blinks"). Muscles are broad in
frequency, from 15 Hz or so to 200 Hz (Goncharova et al. 2003,
doi:10.1016/S1388-2457(03)00093-2), and their motor units fire on their own within one
contraction. The heart (Dirlich et al. 1997, "Cardiac field effects on the EEG") is so
far away that its field is taken to be linear over the head, and that of sweat is too.
Bad electrodes are single channels. Mains reach each channel with a size and phase of
its own, as leads and impedances differ. Electrodes bridged by gel are not here: they
change what there is instead of adding to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import check_option, check_range, check_shape
from ..signals import average_reference
from .artifact_courses import beats, blinks, bursts, mains, slow, steps

if TYPE_CHECKING:
    from torch import Tensor

    from ..head.artifact_sources import ArtifactSites

    Signal = TypeVar("Signal", NDArray, Tensor)


class Occurrence(NamedTuple):
    """How often samples hold a kind of artifact.

    Attributes
    ----------
    share : float
        Of the samples.
    most : int
        A sample that has the kind holds one to so many of it.
    """

    share: float
    most: int = 1


# How often each kind of artifact is in a recording, and how many of it at most.
OCCURRENCES: dict[str, Occurrence] = {
    "eye": Occurrence(0.60, 2),
    "muscle": Occurrence(0.35, 3),
    "electrode": Occurrence(0.25, 2),
    "drift": Occurrence(0.40),
    "heart": Occurrence(0.15),
    "mains": Occurrence(0.15, 2),  # phases
}

_LEAST_SIZE = 0.3  # of an artifact, beside the largest of 1
# Directions of dipoles in the eyes: right, front, top.
_LIDS = (0.0, 0.35, 1.0)  # a blink
_TURN_SPREAD = 0.5  # rad, standard deviation of saccades about the horizontal
_AXIS_SPREAD = 0.15  # of any such direction, from person to person
_CONTRACTIONS = 0.8  # share of muscle artifacts; in others the electrodes move
_HEART = (-0.5, 0.1, -0.85)  # to the left and down
_HEART_SPREAD = 0.2
_SACCADE_DECAY, _POP_DECAY = (0.3, 3.0), (0.05, 1.0)  # s


class ArtifactGenerator:
    """Draws artifacts as a montage records them.

    Parameters
    ----------
    fields : array of shape (n_channels, n_sites, 3)
        Potentials of dipoles at the electrodes, any unit, as
        :meth:`deepsif_lite.head.ArtifactSources.at` returns them.
    sites : ArtifactSites
        What the dipoles are.
    electrodes : array of shape (n_channels, 3)
        Meters, axes right, front, top.
    sfreq : float
        Sampling rate, Hz.
    occurrences : mapping of str to Occurrence
        How often each kind occurs; a kind that is left out never does.

    Raises
    ------
    SignalError
        Fields, sites and electrodes do not belong together.
    OptionError
        The sampling rate is not above 0, or a kind is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> import deepsif_lite as dl
    >>> from deepsif_lite.head import load_artifact_sources
    >>> head = dl.load_head_model("template-64")
    >>> sources = load_artifact_sources()
    >>> fields = sources.at(head.sensors)
    >>> places = sources.sites, head.sensors
    >>> generator = ArtifactGenerator(fields, *places, sfreq=500.0)
    >>> courses, topographies = generator.draw(500, np.random.default_rng(0))
    >>> (courses.T @ topographies).shape
    (500, 64)
    """

    def __init__(
        self,
        fields: NDArray,
        sites: ArtifactSites,
        electrodes: NDArray,
        sfreq: float,
        occurrences: Mapping[str, Occurrence] = OCCURRENCES,
    ) -> None:
        check_range("sfreq", sfreq, 0, open_low=True)
        for kind in occurrences:
            check_option("occurrences", kind, OCCURRENCES)
        self.sites, self.sfreq = sites, sfreq
        self.occurrences = dict(occurrences)
        eyes = sites.kind == "eye"
        variants = np.unique(sites.variant[eyes])
        self._eyes = [np.flatnonzero(eyes & (sites.variant == v)) for v in variants]
        muscles = np.unique(sites.kind[~eyes])
        self._muscles = [np.flatnonzero(sites.kind == name) for name in muscles]
        n_channels, n_sites = len(electrodes), len(sites.kind)
        check_shape("electrodes", electrodes.shape, (n_channels, 3))
        check_shape("fields", fields.shape, (n_channels, n_sites, 3))
        self.fields, self.electrodes = fields, electrodes
        centered = average_reference(electrodes)
        self._places = centered / np.abs(centered).max()

    def draw(self, n_times: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """Draw the artifacts of one sample.

        Parameters
        ----------
        n_times : int
            Length of the window, two or more samples.
        rng : numpy.random.Generator

        Returns
        -------
        courses : array of shape (n_artifacts, n_times)
            float32; mean zero, root mean square one.
        topographies : array of shape (n_artifacts, n_channels)
            float32; average reference, root mean square between 0.3 and 1, the size of
            the artifact beside the others. A sample may have no artifacts.
        """
        check_range("n_times", n_times, 2)
        none = np.empty((0, n_times)), np.empty((0, len(self.fields)))
        made = [none]
        for kind, (share, most) in self.occurrences.items():
            if rng.random() < share:
                count = int(rng.integers(1, most + 1))
                # A kind is drawn by the method of its name.
                made.append(getattr(self, f"_{kind}")(count, n_times, rng))
        courses, topographies = map(np.concatenate, zip(*made, strict=True))
        there = courses.any(axis=1)  # the mains may be beyond the sampling rate
        courses, topographies = _unit(courses[there]), _unit(topographies[there])
        topographies *= rng.uniform(_LEAST_SIZE, 1, (len(topographies), 1))
        return courses.astype(np.float32), topographies.astype(np.float32)

    # ----------------------------------------------------------- kinds of artifacts

    def _eye(
        self, count: int, n_times: int, rng: np.random.Generator
    ) -> tuple[NDArray, NDArray]:
        """Both eyeballs of one person: blinks, saccades, slow turns."""
        pair = self._eyes[rng.integers(len(self._eyes))]
        fields = self.fields[:, pair].sum(axis=1)
        rows, axes = np.empty((count, n_times)), np.empty((count, 3))
        for k in range(count):
            movement = rng.integers(3)
            if movement == 0:
                rows[k], axes[k] = blinks(n_times, self.sfreq, rng), _LIDS
            elif movement == 1:
                rows[k] = steps(n_times, self.sfreq, rng, decay=_SACCADE_DECAY)
                turn = rng.normal(scale=_TURN_SPREAD)
                axes[k] = np.cos(turn), 0, np.sin(turn)
            else:
                rows[k] = slow(1, n_times, self.sfreq, rng)[0]
                axes[k] = rng.standard_normal(3)
        axes += _AXIS_SPREAD * rng.standard_normal(axes.shape)
        return rows, axes @ fields.T

    def _muscle(
        self, count: int, n_times: int, rng: np.random.Generator
    ) -> tuple[NDArray, NDArray]:
        """Motor units of one muscle on both sides; fibers are parallel to the skin."""
        muscle = self._muscles[rng.integers(len(self._muscles))]
        units = rng.choice(muscle, count)
        outward = self.sites.outward[units]
        moments = np.cross(outward, rng.standard_normal((count, 3)))
        topographies = np.einsum("cux,ux->uc", self.fields[:, units], moments)
        course = bursts if rng.random() < _CONTRACTIONS else slow
        return course(count, n_times, self.sfreq, rng), topographies

    def _electrode(
        self, count: int, n_times: int, rng: np.random.Generator
    ) -> tuple[NDArray, NDArray]:
        """Single electrodes: drift, noise, or pops."""
        n_channels = len(self.fields)
        bad = rng.choice(n_channels, min(count, n_channels), replace=False)
        rows = np.empty((len(bad), n_times))
        for k in range(len(bad)):
            fault = rng.integers(3)
            if fault == 0:
                rows[k] = slow(1, n_times, self.sfreq, rng)[0]
            elif fault == 1:
                rows[k] = rng.standard_normal(n_times)
            else:
                rows[k] = steps(n_times, self.sfreq, rng, decay=_POP_DECAY)
        topographies = np.zeros((len(bad), n_channels))
        topographies[np.arange(len(bad)), bad] = 1
        return rows, topographies

    def _drift(
        self, count: int, n_times: int, rng: np.random.Generator
    ) -> tuple[NDArray, NDArray]:
        """Sweat and skin: slow, and linear over the head."""
        return slow(count, n_times, self.sfreq, rng), self._gradients(count, rng)

    def _heart(
        self, count: int, n_times: int, rng: np.random.Generator
    ) -> tuple[NDArray, NDArray]:
        rows = np.tile(beats(n_times, self.sfreq, rng), (count, 1))
        axes = _HEART + _HEART_SPREAD * rng.standard_normal((count, 3))
        return rows, axes @ self._places.T

    def _mains(
        self, count: int, n_times: int, rng: np.random.Generator
    ) -> tuple[NDArray, NDArray]:
        leads = rng.standard_normal((count, len(self.fields)))
        rows = mains(count, n_times, self.sfreq, rng)
        return rows, leads + self._gradients(count, rng)

    def _gradients(self, count: int, rng: np.random.Generator) -> NDArray:
        """Draw potentials that grow along a line, shape (count, n_channels)."""
        return rng.standard_normal((count, 3)) @ self._places.T


def _unit(rows: NDArray) -> NDArray:
    """Return rows of mean zero and root mean square one."""
    rows = average_reference(rows, -1)
    rms = np.sqrt(np.mean(rows**2, axis=1, keepdims=True))
    return rows / np.maximum(rms, np.finfo(float).tiny)


# ---------------------------------------------------------------- adding them to EEG


def stack_artifacts(
    drawn: Sequence[tuple[NDArray, NDArray]],
) -> tuple[NDArray, NDArray]:
    """Put the artifacts of several samples into two arrays.

    Parameters
    ----------
    drawn : sequence of (courses, topographies)
        Of :meth:`ArtifactGenerator.draw`, with one number of times and of channels.

    Returns
    -------
    courses : array of shape (n_samples, n_artifacts, n_times)
    topographies : array of shape (n_samples, n_artifacts, n_channels)
        As many rows as the sample with most artifacts has; zero where there is none.
    """
    most = max(len(courses) for courses, _ in drawn)
    courses, topographies = (
        np.zeros((len(drawn), most, part.shape[1]), np.float32) for part in drawn[0]
    )
    for k, (course, topography) in enumerate(drawn):
        courses[k, : len(course)] = course
        topographies[k, : len(course)] = topography
    return courses, topographies


def mix_artifacts(
    eeg: Signal,
    courses: Signal,
    topographies: Signal,
    level_db: Signal | float,
) -> Signal:
    """Add artifacts to EEG at a given level.

    Parameters
    ----------
    eeg : array | tensor of shape (..., n_times, n_channels)
        Any unit; average reference is kept.
    courses : same type, shape (..., n_artifacts, n_times)
    topographies : same type, shape (..., n_artifacts, n_channels)
    level_db : same type of shape (...) | float
        Power of all artifacts of a sample over that of its EEG (dB), over the window
        and all channels, without the mean of a channel over time.

    Returns
    -------
    eeg : same type and shape
        A sample without artifacts is as it was.
    """
    added = courses.swapaxes(-1, -2) @ topographies
    size, own = _power(eeg), _power(added)
    # Where there is nothing to add, any scale will do.
    scale = (10 ** (level_db / 10) * size / (own + (own == 0))) ** 0.5
    return eeg + scale[..., None, None] * added


def _power(eeg: Signal) -> Signal:
    return ((eeg - eeg.mean(-2, keepdims=True)) ** 2).mean((-2, -1))
