"""How strong the sources are, in ampere-meters: a scaling after imaging.

A network sees EEG that was scaled to a largest magnitude of one, so its image has no
unit. The recording has one: the image, projected to the scalp, must be as large as
what was measured there. One factor for the whole image does that (least squares), and
it says how many ampere-meters a unit of the image is. How sources of one image compare
with each other stays as the network has it.

The factor rests on the head model: a skull that conducts half as well as the one
assumed needs a source about twice as strong for the same EEG.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import MismatchError, SignalError
from ..signals import average_reference
from .evidence import Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .source_image import SourceImage

_STANDARDIZED = ("sloreta", "lcmv")  # their images are no currents, up to any factor
_BLOCKS = 10  # of time, left out in turn for the standard error
_UNIT = "A m"


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


def fit_amplitude(image: SourceImage) -> Amplitude:
    """Return the factor that makes an image as large as the potentials measured.

    Parameters
    ----------
    image : SourceImage
        Of a recording in volts, whole: not cropped or loaded from a file.

    Raises
    ------
    MismatchError
        The method's image is not proportional to currents, or the window that it was
        made of is not with it.
    SignalError
        The image is zero, or has another polarity than the recording.
    """
    evidence = _evidence(image)
    shown = (evidence.head.referenced_leadfield @ image.activity).T
    shown = shown - shown.mean(axis=0)
    eeg = average_reference(evidence.eeg - evidence.eeg.mean(axis=0), 1)
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
    vertices = image.cortex.region_of_vertex
    size = np.bincount(vertices[vertices >= 0], minlength=image.cortex.n_regions)
    moments = fit_amplitude(image).scale * image.activity * size[:, None]
    return replace(image, activity=moments, unit=_UNIT)


def _evidence(image: SourceImage) -> Evidence:
    """Return the window behind an image, whose samples are the same."""
    if image.method in _STANDARDIZED:
        msg = f"An image of method={image.method!r} is standardized, not a current."
        raise MismatchError(msg)
    evidence = image.evidence
    if not isinstance(evidence, Evidence) or len(evidence.eeg) != len(image.times):
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
