"""How strong the sources are, in ampere-meters: a scaling after imaging.

A network sees EEG that was scaled to a largest magnitude of one, so its image has no
unit. The recording has one: the image, projected to the scalp, must be as large as
what was measured there. One factor for the whole image does that (least squares), and
it says how many ampere-meters a unit of the image is. How sources of one image compare
with each other stays as the network has it.

The factor rests on the head model: a skull that conducts half as well as the one
assumed needs a source about twice as strong for the same EEG.

What is reported of a response is the moment of some regions at its peak. It has a range,
over the times around the peak and over two factors, that of the whole window and that of
the times around the peak alone; and where its sign changes within these, or its regions
cancel each other, there is no moment to report (:func:`source_moment`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import MismatchError, OptionError, SignalError
from ..recordings.windows import check_window, inside
from ..signals import referenced
from .evidence import Evidence, window_behind

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .source_image import SourceImage

_STANDARDIZED = ("sloreta", "lcmv")  # their images are no currents, up to any factor
_BLOCKS = 10  # of time, left out in turn for the standard error
_UNIT = "A m"
_TINY = np.finfo(float).tiny
# Below, regions of both signs cancel half of each other, and their sum says little.
_LEAST_COHERENCE = 0.5


class Amplitude(NamedTuple):
    """What turns an image into ampere-meters.

    Attributes
    ----------
    scale : float
        Ampere-meters, at each vertex of a region, of one unit of the image.
    error : float
        Its standard error (jackknife over blocks of time), without that of the head
        model.
    explained : float
        Share of the variance of the recording that the scaled image explains.
    """

    scale: float
    error: float
    explained: float


class Moment(NamedTuple):
    """The dipole moment of some regions together around a time, A m.

    Attributes
    ----------
    value : float
        At its largest magnitude in the window.
    low, high : float
        Range over the window, by the factor of the whole image and by that of the
        window alone.
    coherence : float
        Magnitude of the sum over the regions beside the sum of their magnitudes, at
        the same time: 1 where all have one sign.
    """

    value: float
    low: float
    high: float
    coherence: float

    @property
    def reliable(self) -> bool:
        """Whether the sign is one all over the window and of most of the regions."""
        return self.low * self.high > 0 and self.coherence > _LEAST_COHERENCE

    def __str__(self) -> str:
        value, low, high = map(_in_nam, (self.value, self.low, self.high))
        if self.low * self.high <= 0:
            return f"not reliable: the sign changes, {low} to {high} nA m"
        if not self.reliable:
            return f"not reliable: the regions cancel ({self.coherence:.0%} is left)"
        return f"{value} nA m ({low} to {high})"


def _in_nam(moment: float) -> str:
    """Return a moment in nA m with three digits, never as a power of ten."""
    return f"{float(f'{1e9 * moment:.3g}'):g}"


def fit_amplitude(
    image: SourceImage, tmin: float | None = None, tmax: float | None = None
) -> Amplitude:
    """Return the factor that makes an image as large as the potentials measured.

    Parameters
    ----------
    image : SourceImage
        Of a recording in volts, whole: not cropped or loaded from a file.
    tmin, tmax : float | None
        Times, s, that are fitted; by default all.

    Raises
    ------
    MismatchError
        The method's image is not proportional to currents, or the window that it was
        made of is not with it.
    SignalError
        The image is zero, or has another polarity than the recording.
    """
    evidence = _evidence(image)
    head = evidence.head
    shown = (head.referenced_leadfield @ image.activity).T
    shown = shown - shown.mean(axis=0)
    eeg = referenced(evidence.eeg - evidence.eeg.mean(axis=0), head.modality, 1)
    fitted = inside(image.times, *check_window(image.times, tmin, tmax))
    shown, eeg = shown[fitted], eeg[fitted]
    product, power = (shown * eeg).sum(axis=1), (shown**2).sum(axis=1)
    if product.sum() <= 0:
        msg = "The image does not explain its recording: no positive factor fits."
        raise SignalError(msg)
    scale = product.sum() / power.sum()
    rest = ((eeg - scale * shown) ** 2).sum() / (eeg**2).sum()
    return Amplitude(float(scale), _jackknife(product, power), float(1 - rest))


def in_ampere_meters(image: SourceImage) -> SourceImage:
    """Return the image with the dipole moment of each region, A m.

    A region's moment is that of all its vertices together. Multiply by 1e9 for the
    nA m of the literature.

    Parameters
    ----------
    image : SourceImage
        As for :func:`fit_amplitude`.
    """
    return replace(
        image, activity=_moments(image, fit_amplitude(image).scale), unit=_UNIT
    )


def source_moment(
    image: SourceImage, regions: ArrayLike, tmin: float, tmax: float
) -> Moment:
    """Return the moment of some regions around a time, with its range.

    Parameters
    ----------
    image : SourceImage
        As for :func:`fit_amplitude`.
    regions : array of int
        Whose moments are added up.
    tmin, tmax : float
        Window around the time of interest, s.

    Returns
    -------
    Moment
        Print it: it says so where it is not reliable.

    Raises
    ------
    MismatchError, SignalError
        As of :func:`fit_amplitude`.
    OptionError
        There are no regions.
    WindowError
        The window lies outside the image.
    """
    regions = np.atleast_1d(regions)
    if not len(regions):
        msg = "regions is empty; give those of image.strongest or image.extent."
        raise OptionError(msg)
    scale = fit_amplitude(image).scale
    strong = _moments(image, scale)[regions]
    strong = strong[:, inside(image.times, *check_window(image.times, tmin, tmax))]
    total = strong.sum(axis=0)
    at = int(np.abs(total).argmax())
    try:
        factor = fit_amplitude(image, tmin, tmax).scale / scale
    except SignalError:  # here the image has the other polarity than as a whole
        factor = -1.0
    every = np.concatenate([total, factor * total])
    coherence = np.abs(total[at]) / max(np.abs(strong[:, at]).sum(), _TINY)
    return Moment(
        float(total[at]), float(every.min()), float(every.max()), float(coherence)
    )


def _moments(image: SourceImage, scale: float) -> NDArray:
    """Return the moment of each region: that of all its vertices together."""
    vertices = image.cortex.region_of_vertex
    size = np.bincount(vertices[vertices >= 0], minlength=image.cortex.n_regions)
    return scale * image.activity * size[:, None]


def _evidence(image: SourceImage) -> Evidence:
    """Return the window behind an image, whose samples are the same."""
    if image.method in _STANDARDIZED:
        msg = f"An image of method={image.method!r} is standardized, not a current."
        raise MismatchError(msg)
    evidence = window_behind(image)
    if evidence is None:
        msg = "image does not hold the window that it was made of; take a whole one."
        raise MismatchError(msg)
    if image.unit == _UNIT:
        msg = f"image is in {_UNIT} already."
        raise MismatchError(msg)
    return evidence


def _jackknife(product: NDArray, power: NDArray) -> float:
    """Return the standard error of a ratio of sums over blocks of time."""
    blocks = np.array_split(np.arange(len(product)), _BLOCKS)
    sums = np.array([[product[b].sum(), power[b].sum()] for b in blocks])
    left = sums.sum(axis=0) - sums
    scales = left[:, 0] / np.where(left[:, 1] > 0, left[:, 1], np.nan)
    spread = np.nansum((scales - np.nanmean(scales)) ** 2)
    return float(np.sqrt((_BLOCKS - 1) / _BLOCKS * spread))
