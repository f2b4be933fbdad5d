"""How well an estimate matches the truth: pure functions of arrays.

Activity is (n_times, n_regions); a set of regions is an array of indices;
distances (n_regions, n_regions) and errors are in meters, areas in square meters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import OptionError, SignalError, check_shape
from .extent import active_regions

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
    active: np.ndarray, patches: Sequence[np.ndarray], distances: np.ndarray
) -> list[np.ndarray]:
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
    found: np.ndarray, truth: np.ndarray, areas: np.ndarray | None = None
) -> tuple[float, float]:
    """Compare two sets of regions.

    Parameters
    ----------
    found, truth : array of int
        Regions of the estimate and of the source.
    areas : array of shape (n_regions,), optional
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
    weight = np.ones(1 + max(found.max(initial=0), truth.max(initial=0)))
    weight = weight if areas is None else areas
    hit = weight[np.intersect1d(found, truth)].sum()
    precision = hit / weight[found].sum() if len(found) else np.nan
    return float(precision), float(hit / weight[truth].sum())


def f_measure(precision: float, recall: float) -> float:
    """Return the harmonic mean of precision and recall; 0 where nothing was found."""
    precision = np.nan_to_num(precision)
    total = precision + recall
    return float(2 * precision * recall / total) if total > 0 else 0.0


def nan_mean(values: np.ndarray) -> float:
    """Return the mean of what is not NaN; NaN where nothing else is there."""
    values = np.asarray(values)
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")


def localization_error(
    found: np.ndarray,
    truth: np.ndarray,
    distances: np.ndarray,
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
    >>> distances = np.array([[0.0, 0.01, 0.03], [0.01, 0.0, 0.02], [0.03, 0.02, 0.0]])
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


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation of two time courses; NaN where one is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / norm) if norm > 0 else float("nan")


def score_sources(
    activity: np.ndarray,
    truth_activity: np.ndarray,
    patches: Sequence[np.ndarray],
    cortex: Parcels,
    variant: str = "corrected",
    active: np.ndarray | None = None,
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
    active : array of int, optional
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
    activity, truth_activity = _samples(activity), np.asarray(truth_activity)
    patches = [np.asarray(patch, dtype=int) for patch in patches]
    _check(activity, truth_activity, patches, cortex)
    if active is None:
        active = active_regions(activity, variant=variant)
    parts = assign_regions(active, patches, cortex.distances)
    return [
        _score_source(found, patch, activity, truth_activity, cortex)
        for found, patch in zip(parts, patches, strict=True)
    ]


def score(
    activity: np.ndarray,
    truth_activity: np.ndarray,
    patches: Sequence[np.ndarray],
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
    >>> scores = dl.score(truth, truth, [patch], cortex)  # a perfect estimate
    >>> scores["recall"], scores["precision"], scores["localization_error"]
    (1.0, 1.0, 0.0)
    """
    activity = _samples(activity)
    active = active_regions(activity, variant=variant)
    sources = score_sources(activity, truth_activity, patches, cortex, active=active)
    table = {key: np.array([s[key] for s in sources]) for key in sources[0]}
    scores = {key: nan_mean(table[key]) for key in _SOURCE_MEANS}
    scores["recall"] = float(np.nan_to_num(table["recall_detected"]).mean())
    scores["recall_area"] = float(np.nan_to_num(table["recall_area_detected"]).mean())
    scores["precision_pooled"], scores["recall_pooled"] = precision_recall(
        active, np.unique(np.concatenate([np.asarray(p, dtype=int) for p in patches]))
    )
    scores["area_true"] = float(table["area_true"].sum())
    scores["area_found"] = float(table["area_found"].sum())
    scores["n_sources"] = float(len(sources))
    scores["n_missed"] = float((table["detected"] == 0).sum())
    return scores


def _samples(estimate: np.ndarray) -> np.ndarray:
    """Return activity as (n_times, n_regions); a source image holds its transpose."""
    activity = getattr(estimate, "activity", None)
    return np.asarray(estimate) if activity is None else activity.T


def _score_source(found, patch, activity, truth_activity, cortex) -> dict[str, float]:
    areas = {
        "area_true": float(cortex.areas[patch].sum()),
        "area_found": float(cortex.areas[found].sum()),
    }
    if not len(found):
        return {"detected": 0.0, **dict.fromkeys(_SOURCE_MEANS, np.nan), **areas}
    counted = precision_recall(found, patch)
    weighted = precision_recall(found, patch, cortex.areas)
    return {
        "detected": 1.0,
        "precision": counted[0],
        "recall_detected": counted[1],
        "precision_area": weighted[0],
        "recall_area_detected": weighted[1],
        "correlation": correlation(
            activity[:, found].mean(axis=1), truth_activity[:, patch[0]]
        ),
        "localization_error": localization_error(found, patch, cortex.distances),
        **areas,
    }


def _check(activity, truth_activity, patches, cortex) -> None:
    n_regions = len(cortex.areas)
    check_shape("activity", activity.shape, ("n_times", n_regions))
    if activity.shape != truth_activity.shape:
        msg = (
            f"activity {activity.shape} and truth_activity {truth_activity.shape} "
            "must have the same shape (n_times, n_regions)."
        )
        raise SignalError(msg)
    if not patches or any(
        not len(p) or p.min() < 0 or p.max() >= n_regions for p in patches
    ):
        msg = f"patches must be non-empty sets of regions in 0..{n_regions - 1}."
        raise OptionError(msg)
