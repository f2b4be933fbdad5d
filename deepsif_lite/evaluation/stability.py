"""How sure an image of an averaged spike is: single spikes, how many, other places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import MismatchError, OptionError, SignalError
from ..imaging.amplitude import source_moment
from ..imaging.evidence import window_behind
from .steps import average_spikes, image_spike, spike_extent, spike_map

if TYPE_CHECKING:
    import pandas as pd

    from ..cortex.surface import Cortex
    from ..imaging.imager import Imager
    from ..imaging.source_image import SourceImage
    from .patient import Patient

AT_PEAK = 0.01
"""Seconds either side of the peak within which a moment is taken."""
_MOST_DRAWS = 8  # subsets of each size


def focus(image: SourceImage) -> NDArray:
    """Return the center of the ten strongest regions at the peak, (3,), m."""
    strength = spike_map(image)
    top = np.argsort(-strength, kind="stable")[:10]
    return np.average(image.cortex.centroids[top], axis=0, weights=strength[top])


def image_singles(
    patient: Patient,
    methods: Sequence[str] = ("deepsif",),
    *,
    model: Imager | None = None,
) -> pd.DataFrame:
    """Image each single spike and compare it with the averaged one.

    Parameters
    ----------
    patient : Patient
        With single spikes.
    methods : sequence of str
    model : Imager | None
        The network of ``"deepsif"``.

    Returns
    -------
    DataFrame
        One row a method and spike: ``x_mm``, ``y_mm``, ``z_mm`` of the focus,
        ``from_average_mm``, ``overlap`` (Dice coefficient of the areas), ``probability``
        (largest; NaN where the method gives none), ``moment_nam`` (of the average's
        extent at the peak, nA m; NaN where the image has no such unit).

    Raises
    ------
    MismatchError
        There are no single spikes.
    """
    import pandas as pd

    if patient.spikes is None:
        msg = f"{patient.name!r} has no single spikes."
        raise MismatchError(msg)
    rows = []
    for method in methods:
        whole = image_spike(patient, method, model=model)
        for number in range(len(patient.spikes)):
            one = average_spikes(patient.spikes, [number])
            image = image_spike(one, method, model=model, quiet=patient.quiet)
            rows.append(
                {"method": method, "spike": number + 1, **_beside(image, whole)}
            )
    return pd.DataFrame(rows)


def _beside(image: SourceImage, whole: SourceImage) -> dict[str, float]:
    place = focus(image)
    sure = image.probability
    pair = spike_extent(image), spike_extent(whole)
    return {
        **dict(zip(("x_mm", "y_mm", "z_mm"), 1e3 * place, strict=True)),
        "from_average_mm": 1e3 * float(np.linalg.norm(place - focus(whole))),
        "overlap": dice(*pair, image.cortex),
        "probability": float("nan") if sure is None else float(sure.max()),
        "moment_nam": 1e9 * _moment(image, pair[1]),
    }


def _moment(image: SourceImage, regions: NDArray) -> float:
    """Return the moment of regions at the peak, A m; NaN where there is none."""
    try:
        return source_moment(image, regions, -AT_PEAK, AT_PEAK).value
    except (MismatchError, SignalError, OptionError):
        return float("nan")


def dice(first: NDArray, second: NDArray, cortex: Cortex) -> float:
    """Return twice the common area of two sets of regions over the sum of both."""
    both = np.intersect1d(first, second)
    areas = [cortex.areas[part].sum() for part in (both, first, second)]
    return float(2 * areas[0] / max(areas[1] + areas[2], np.finfo(float).tiny))


def explained_by_patches(image: SourceImage, at: float = 0.0) -> NDArray:
    """Return which share of one scalp map each patch of cortex explains alone.

    A patch is a region and its neighbors, of one moment a unit of area. Where patches
    far from each other explain nearly as much, the scalp cannot tell between them.

    Parameters
    ----------
    image : SourceImage
        Made of a recording.
    at : float
        Time of the scalp map, s.

    Returns
    -------
    array of shape (n_regions,)
        0 to 1, at the region in the middle of each patch.

    Raises
    ------
    MismatchError
        The image does not know its recording.
    """
    behind = window_behind(image)
    if behind is None:
        msg = "The image does not know its recording; give one as dl.image makes it."
        raise MismatchError(msg)
    scalp = behind.centered()[np.abs(image.times - at).argmin()]
    cortex = image.cortex
    members = cortex.adjacency | np.eye(cortex.n_regions, dtype=bool)
    fields = behind.head.referenced_leadfield @ (members * cortex.areas[:, None])
    return (scalp @ fields) ** 2 / ((fields**2).sum(axis=0) * (scalp @ scalp))


def image_averages(
    patient: Patient,
    counts: Sequence[int],
    *,
    model: Imager | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Average some of the spikes and image that, for several numbers of them.

    Parameters
    ----------
    patient : Patient
        With single spikes.
    counts : sequence of int
        How many to average; what exceeds the number of spikes is left out.
    model : Imager | None
        The network.
    seed : int
        Draws the spikes.

    Returns
    -------
    DataFrame
        One row a subset: ``count``, ``probability`` (largest), ``verdict`` of the
        trust, ``from_average_mm``, ``overlap``; ``error_mm`` where the source is
        known: from the focus to the center of the source.
    """
    import pandas as pd

    if patient.spikes is None:
        msg = f"{patient.name!r} has no single spikes."
        raise MismatchError(msg)
    rng, whole = np.random.default_rng(seed), image_spike(patient, model=model)
    rows = []
    for count in (c for c in counts if c <= len(patient.spikes)):
        for _ in range(1 if count == len(patient.spikes) else _MOST_DRAWS):
            chosen = rng.choice(len(patient.spikes), count, replace=False)
            one = average_spikes(patient.spikes, sorted(chosen.tolist()))
            image = image_spike(one, model=model, quiet=patient.quiet)
            row = {"count": count, "verdict": _verdict(image), **_beside(image, whole)}
            if patient.source is not None:
                center = image.cortex.centroids[patient.source].mean(axis=0)
                row["error_mm"] = 1e3 * float(np.linalg.norm(focus(image) - center))
            rows.append(row)
    return pd.DataFrame(rows)


def _verdict(image: SourceImage) -> str:
    return "" if image.trust is None else image.trust.verdict
