"""Average the images of several people, or of several recordings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..cortex.parcels import Parcels
from ..errors import MismatchError, SignalError, WindowError
from .source_image import SourceImage

_UNIT = "share of the largest"


def average(
    images: Sequence[SourceImage],
    at: Sequence[float] | None = None,
    *,
    magnitude: bool = False,
) -> SourceImage:
    """Average source images, each divided by its largest magnitude first.

    Images of networks have no unit, and the head of one person gives larger potentials
    than that of another: so each counts alike.

    Parameters
    ----------
    images : sequence of SourceImage
        Of one method, on one cortex, at one sampling rate.
    at : sequence of float | None
        A time of each image, s, such as its peak. These become time 0, and what all
        images have around it is kept. By default times are as they are, and must agree.
    magnitude : bool
        Average magnitudes: where people's sources have other signs, or lie a little
        beside each other, signed ones cancel.

    Returns
    -------
    SourceImage
        ``probability`` is the mean, where all have one. It has no ``trust``: ask the
        images.

    Raises
    ------
    SignalError
        There are no images.
    MismatchError
        Methods, cortices or sampling rates differ.
    WindowError
        Times differ, or a time of ``at`` lies outside its image.

    Examples
    --------
    >>> import numpy as np
    >>> import deepsif_lite as dl
    >>> from deepsif_lite.imaging import SourceImage
    >>> cortex, times = dl.load_cortex(), np.arange(5) / 100
    >>> images = [SourceImage(np.full((994, 5), k), times, cortex, "deepsif")
    ...           for k in (1.0, 4.0)]
    >>> dl.average(images).activity.max()
    np.float64(1.0)
    """
    images = list(images)
    if not images:
        msg = "images holds none; give one or more."
        raise SignalError(msg)
    _check_alike(images)
    windows = _common_windows(images, at)
    parts = [image.activity[:, w] for image, w in zip(images, windows, strict=True)]
    if magnitude:
        parts = [np.abs(part) for part in parts]
    scaled = [part / (np.abs(part).max() or 1.0) for part in parts]
    first = images[0]
    times = first.times[windows[0]] - (0.0 if at is None else _nearest(first, at[0]))
    sure = [image.probability for image in images if image.probability is not None]
    return SourceImage(
        np.mean(scaled, axis=0),
        times,
        first.cortex,
        first.method,
        _UNIT,
        np.mean(sure, axis=0) if len(sure) == len(images) else None,
    )


def _check_alike(images: Sequence[SourceImage]) -> None:
    first = images[0]
    for number, image in enumerate(images[1:], 1):
        same = {
            "method": image.method == first.method,
            "cortex": _same_parcels(image.cortex, first.cortex),
            "sampling rate": np.isclose(image.sfreq, first.sfreq),
        }
        differs = [name for name, is_same in same.items() if not is_same]
        if differs:
            msg = f"images[{number}] has another {differs[0]} than images[0]."
            raise MismatchError(msg)


def _same_parcels(first: Parcels, second: Parcels) -> bool:
    return first is second or np.array_equal(
        first.region_of_vertex, second.region_of_vertex
    )


def _common_windows(
    images: Sequence[SourceImage], at: Sequence[float] | None
) -> list[slice]:
    """Return which samples of each image belong together."""
    if at is None:
        times = images[0].times
        for number, image in enumerate(images):
            if len(image.times) != len(times) or not np.allclose(image.times, times):
                msg = (
                    f"images[{number}] has other times than images[0]; crop them, or "
                    "give a time of each (at)."
                )
                raise WindowError(msg)
        return [slice(None)] * len(images)
    if len(at) != len(images):
        msg = f"at holds {len(at)} times for {len(images)} images."
        raise WindowError(msg)
    centers = [_sample(image, t) for image, t in zip(images, at, strict=True)]
    before = min(centers)
    after = min(len(image.times) - c for image, c in zip(images, centers, strict=True))
    return [slice(c - before, c + after) for c in centers]


def _sample(image: SourceImage, time: float) -> int:
    low, high = image.times[[0, -1]]
    if not low <= time <= high:
        msg = f"at: {time} s lies outside an image of {low:.3f} to {high:.3f} s."
        raise WindowError(msg)
    return int(np.abs(image.times - time).argmin())


def _nearest(image: SourceImage, time: float) -> float:
    return float(image.times[_sample(image, time)])
