"""How well an estimate matches the truth: pure functions of arrays.

Activity is (n_times, n_regions); a set of regions is an array of indices;
distances (n_regions, n_regions) and errors are in meters, areas in square meters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .extent import Selector
from .truth import Truth

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels

_SOURCE_MEANS = (
    "precision",
    "recall_detected",
    "precision_area",
    "recall_area_detected",
    "correlation",
    "localization_error",
)


def assign_regions(
    active: NDArray, patches: Sequence[NDArray], distances: NDArray
) -> list[NDArray]:
    """Give each active region to the source that lies nearest.

    Parameters
    ----------
    active : array of int, shape (n_active,)
        Active regions.
    patches : sequence of arrays of int
        Regions of each true source.
    distances : array of shape (n_regions, n_regions)
        Distance between regions, m.

    Returns
    -------
    list of arrays of int
        For each source the active regions given to it; ties go to the first source.

    References
    ----------
    The authors' ``eval_calculate_sim_results``.
    """
    to_source = np.array([distances[np.ix_(active, p)].min(axis=1) for p in patches])
    nearest = to_source.argmin(axis=0)
    return [active[nearest == k] for k in range(len(patches))]


def precision_recall(
    found: NDArray, truth: NDArray, areas: NDArray | None = None
) -> tuple[float, float]:
    """Compare two sets of regions.

    Parameters
    ----------
    found, truth : array of int
        Regions of the estimate and of the source.
    areas : array of shape (n_regions,) | None
        Weight of each region, m^2. By default regions are counted.

    Returns
    -------
    precision : float
        Share of ``found`` that is true; NaN where nothing was found.
    recall : float
        Share of ``truth`` that was found.

    Examples
    --------
    >>> import numpy as np
    >>> from deepsif_lite.metrics import precision_recall
    >>> precision_recall(np.array([3, 4, 5, 6]), np.array([3, 4]))
    (0.5, 1.0)
    """
    weight = areas
    if weight is None:
        weight = np.ones(1 + max(found.max(initial=0), truth.max(initial=0)))
    hit = weight[np.intersect1d(found, truth)].sum()
    precision = hit / weight[found].sum() if len(found) else np.nan
    return float(precision), float(hit / weight[truth].sum())


def f_measure(precision: float, recall: float) -> float:
    """Return the harmonic mean of precision and recall; 0 where nothing was found."""
    precision = np.nan_to_num(precision)
    total = precision + recall
    return float(2 * precision * recall / total) if total > 0 else 0.0


def nan_mean(values: NDArray) -> float:
    """Return the mean of what is not NaN; NaN where nothing else is there."""
    values = np.asarray(values)
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")


def localization_error(
    found: NDArray,
    truth: NDArray,
    distances: NDArray,
    *,
    symmetric: bool = False,
) -> float:
    """Mean distance from the estimated regions to the nearest true region.

    Parameters
    ----------
    found, truth : array of int
        Regions of the estimate and of the source.
    distances : array of shape (n_regions, n_regions)
        Distance between regions, m.
    symmetric : bool
        Average it with the mean distance from the true regions to the nearest
        estimated one.

    Returns
    -------
    float
        Error, m; 0 where every estimated region is true, NaN where none was found.

    Examples
    --------
    >>> import numpy as np
    >>> from deepsif_lite.metrics import localization_error
    >>> distances = np.array([[0, 1, 3], [1, 0, 2], [3, 2, 0]]) / 100  # m
    >>> float(localization_error(np.array([1, 2]), np.array([0]), distances))
    0.02
    """
    if not len(found):
        return float("nan")
    between = distances[np.ix_(found, truth)]
    forward = between.min(axis=1).mean()
    if not symmetric:
        return float(forward)
    return float((forward + between.min(axis=0).mean()) / 2)


def correlation(a: NDArray, b: NDArray) -> float:
    """Pearson correlation of two time courses; NaN where one is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / norm) if norm > 0 else float("nan")


def score_sources(
    activity: NDArray,
    truth_activity: NDArray,
    patches: Sequence[NDArray],
    cortex: Parcels,
    variant: str = "corrected",
    active: NDArray | None = None,
) -> list[dict[str, float]]:
    """Score each true source of a sample.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions) | SourceImage
        Estimated activity.
    truth_activity : array of shape (n_times, n_regions)
        True activity.
    patches : sequence of arrays of int
        Regions of each true source, its seed region first.
    cortex : Cortex
        Distances and areas of the regions.
    variant : {"corrected", "published"}
        How active regions are found, see :func:`deepsif_lite.metrics.active_regions`.
    active : array of int | None
        Regions selected in another way; ``variant`` is not used then.

    Returns
    -------
    list of dict
        For each source ``detected`` (1 or 0), ``precision``, ``recall_detected``,
        ``precision_area``, ``recall_area_detected``, ``correlation`` (of the mean
        estimate over the regions given to the source with the true time course of
        its seed), ``localization_error`` (m), ``area_true`` and ``area_found``
        (m^2). All but the first and the areas are NaN for a source that is missed.

    References
    ----------
    Sun et al. (2022), Methods; the authors' ``eval_calculate_sim_results``.
    """
    activity = _samples(activity)
    truth = Truth(truth_activity, patches, cortex)
    if active is None:
        active = Selector(activity).select(variant)
    return truth.scores(activity, [active])[0]


def score(
    activity: NDArray,
    truth_activity: NDArray,
    patches: Sequence[NDArray],
    cortex: Parcels,
    variant: str = "corrected",
) -> dict[str, float]:
    """Score a sample: means over its true sources.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions) | SourceImage
        Estimated activity.
    truth_activity : array of shape (n_times, n_regions)
        True activity.
    patches : sequence of arrays of int
        Regions of each true source, its seed region first.
    cortex : Cortex
        Distances and areas of the regions.
    variant : {"corrected", "published"}
        How active regions are found, see :func:`deepsif_lite.metrics.active_regions`.

    Returns
    -------
    dict of str to float
        ``recall``, ``recall_area``: a missed source counts 0. ``recall_detected``,
        ``recall_area_detected``, ``precision``, ``precision_area``,
        ``correlation``, ``localization_error`` (m): missed sources are dropped, as
        in the paper, and NaN means that all were missed. ``precision_pooled``,
        ``recall_pooled``: all sources taken as one. ``area_true``, ``area_found``
        (m^2): sums over sources. ``n_sources``, ``n_missed``.

    Raises
    ------
    SignalError
        Shapes do not match.
    OptionError
        There is no patch, or a region does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> import deepsif_lite as dl
    >>> cortex = dl.load_cortex()
    >>> patch = dl.grow_patch(cortex, 100, rng=0)
    >>> truth = np.zeros((500, cortex.n_regions))
    >>> truth[200:300, patch] = 1.0
    >>> scores = dl.score(truth, truth, [patch], cortex)  # perfect
    >>> scores["recall"], scores["precision"], scores["localization_error"]
    (1.0, 1.0, 0.0)
    """
    activity = _samples(activity)
    truth = Truth(truth_activity, patches, cortex)
    active = Selector(activity).select(variant)
    sources = truth.scores(activity, [active])[0]
    table = {key: np.array([s[key] for s in sources]) for key in sources[0]}
    scores = {key: nan_mean(table[key]) for key in _SOURCE_MEANS}
    scores["recall"] = float(np.nan_to_num(table["recall_detected"]).mean())
    scores["recall_area"] = float(np.nan_to_num(table["recall_area_detected"]).mean())
    scores["precision_pooled"], scores["recall_pooled"] = precision_recall(
        active, np.unique(np.concatenate(truth.patches))
    )
    scores["area_true"] = float(table["area_true"].sum())
    scores["area_found"] = float(table["area_found"].sum())
    scores["n_sources"] = float(len(sources))
    scores["n_missed"] = float((table["detected"] == 0).sum())
    return scores


def _samples(estimate: NDArray) -> NDArray:
    """Return activity as (n_times, n_regions); a source image holds its transpose."""
    activity = getattr(estimate, "activity", None)
    return np.asarray(estimate) if activity is None else activity.T
