"""How well an estimate matches the truth: pure functions of arrays.

Activity is (n_times, n_regions); a set of regions is an array of indices;
distances (n_regions, n_regions) and errors are in meters, areas in square meters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .extent import active_regions

if TYPE_CHECKING:
    from ..cortex.surface import Cortex

NEAR = 0.03
"""Distance (m) within which a false alarm counts as near (Chowdhury et al. 2013)."""

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
    """
    weight = np.ones(1 + max(found.max(initial=0), truth.max(initial=0)))
    weight = weight if areas is None else areas
    hit = weight[np.intersect1d(found, truth)].sum()
    precision = hit / weight[found].sum() if len(found) else np.nan
    return float(precision), float(hit / weight[truth].sum())


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
    """
    if not len(found):
        return float("nan")
    between = distances[np.ix_(found, truth)]
    forward = between.min(axis=1).mean()
    if not symmetric:
        return float(forward)
    return float((forward + between.min(axis=0).mean()) / 2)


def spatial_dispersion(
    strength: np.ndarray, found: np.ndarray, truth: np.ndarray, distances: np.ndarray
) -> float:
    """Mean distance from the estimate to the truth, weighted by the estimate.

    SD = sum_i w_i min_j d(i, j), with i over ``found``, j over ``truth`` and w the
    strength divided by its sum over ``found``.

    Parameters
    ----------
    strength : array of shape (n_regions,)
        Non-negative map.
    found, truth : array of int
        Selected regions and the true (or resected) ones.
    distances : array of shape (n_regions, n_regions)
        Distance between regions, m.

    Returns
    -------
    float
        Dispersion, m; NaN where nothing was found.
    """
    if not len(found):
        return float("nan")
    nearest = distances[np.ix_(found, truth)].min(axis=1)
    return float(np.average(nearest, weights=strength[found]))


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation of two time courses; NaN where one is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / norm) if norm > 0 else float("nan")


def score_sources(
    activity: np.ndarray,
    truth_activity: np.ndarray,
    patches: Sequence[np.ndarray],
    cortex: Cortex,
    variant: str = "corrected",
    active: np.ndarray | None = None,
) -> list[dict[str, float]]:
    """Score each true source of a sample.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions)
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
    activity, truth_activity = np.asarray(activity), np.asarray(truth_activity)
    patches = [np.asarray(patch, dtype=int) for patch in patches]
    _check(activity, truth_activity, patches, cortex)
    if active is None:
        active = active_regions(activity, variant=variant)
    return _score_each(active, activity, truth_activity, patches, cortex)


def score(
    activity: np.ndarray,
    truth_activity: np.ndarray,
    patches: Sequence[np.ndarray],
    cortex: Cortex,
    variant: str = "corrected",
) -> dict[str, float]:
    """Score a sample: means over its true sources.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions)
        Estimated activity. A :class:`~deepsif_lite.imaging.SourceImage` holds its
        transpose.
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
    ValueError
        Shapes do not match, there is no patch, or a region does not exist.
    """
    activity, truth_activity = np.asarray(activity), np.asarray(truth_activity)
    patches = [np.asarray(patch, dtype=int) for patch in patches]
    _check(activity, truth_activity, patches, cortex)
    active = active_regions(activity, variant=variant)
    sources = _score_each(active, activity, truth_activity, patches, cortex)
    table = {key: np.array([s[key] for s in sources]) for key in sources[0]}
    scores = {key: _nanmean(table[key]) for key in _SOURCE_MEANS}
    scores["recall"] = float(np.nan_to_num(table["recall_detected"]).mean())
    scores["recall_area"] = float(np.nan_to_num(table["recall_area_detected"]).mean())
    scores["precision_pooled"], scores["recall_pooled"] = precision_recall(
        active, np.unique(np.concatenate(patches))
    )
    scores["area_true"] = float(table["area_true"].sum())
    scores["area_found"] = float(table["area_found"].sum())
    scores["n_sources"] = float(len(sources))
    scores["n_missed"] = float((table["detected"] == 0).sum())
    return scores


def _score_each(active, activity, truth_activity, patches, cortex) -> list[dict]:
    parts = assign_regions(active, patches, cortex.distances)
    return [
        _score_source(found, patch, activity, truth_activity, cortex)
        for found, patch in zip(parts, patches, strict=True)
    ]


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
    if activity.shape != truth_activity.shape:
        msg = (
            f"activity {activity.shape} and truth_activity {truth_activity.shape} "
            "must have the same shape (n_times, n_regions)."
        )
        raise ValueError(msg)
    n_regions = len(cortex.areas)
    if activity.ndim != 2 or activity.shape[1] != n_regions:
        msg = (
            f"activity has shape {activity.shape}; the cortex asks for "
            f"(n_times, {n_regions})."
        )
        raise ValueError(msg)
    if not patches or any(
        not len(p) or p.min() < 0 or p.max() >= n_regions for p in patches
    ):
        msg = f"patches must be non-empty sets of regions in 0..{n_regions - 1}."
        raise ValueError(msg)


def _nanmean(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")


def auc(
    strength: np.ndarray,
    truth: np.ndarray,
    cortex: Cortex,
    *,
    near: float = NEAR,
    n_draws: int = 20,
    seed: int | np.random.Generator | None = 0,
) -> float:
    """Area under the ROC curve against false alarms near and far.

    As many regions as the source has are drawn among those within ``near`` of it,
    and as many around the strongest false alarm farther away; a set that is too
    small is filled up from the remaining regions. Both curves weight regions by
    area and are averaged, and so are the draws.

    Parameters
    ----------
    strength : array of shape (n_regions,)
        Non-negative map.
    truth : array of int
        Regions of the source.
    cortex : Cortex
        Distances and areas of the regions.
    near : float
        Radius, m.
    n_draws : int
        Random draws.
    seed : int or numpy.random.Generator
        Source of the draws.

    Returns
    -------
    float
        Area between 0 and 1; 0.5 is chance.

    References
    ----------
    Chowdhury et al. (2013), PLoS ONE 8, e55969; Grova et al. (2006). The authors'
    code walks a grid of 1001 thresholds; here every value is a threshold.
    """
    rng = np.random.default_rng(seed)
    outside = np.setdiff1d(np.arange(len(strength)), truth)
    is_near = cortex.distances[np.ix_(outside, truth)].min(axis=1) <= near
    around, rest = outside[is_near], outside[~is_near]
    areas = []
    for _ in range(n_draws):
        areas.append(
            _roc_area(strength, truth, _draw(around, rest, len(truth), rng), cortex)
        )
        if len(rest):
            alarm = rest[np.argmax(strength[rest])]
            close = cortex.distances[alarm, rest] <= near
            far = _draw(rest[close], rest[~close], len(truth), rng)
            areas.append(_roc_area(strength, truth, far, cortex))
    return float(np.mean(areas))


def _draw(first, then, size, rng) -> np.ndarray:
    taken = rng.permutation(first)[:size]
    return np.r_[taken, rng.permutation(then)[: size - len(taken)]]


def _roc_area(strength, truth, false, cortex) -> float:
    from sklearn.metrics import roc_auc_score

    chosen = np.r_[truth, false]
    is_true = np.arange(len(chosen)) < len(truth)
    return roc_auc_score(is_true, strength[chosen], sample_weight=cortex.areas[chosen])


def score_resection(
    strength: np.ndarray, found: np.ndarray, resection: np.ndarray, cortex: Cortex
) -> dict[str, float]:
    """Compare an estimate with the tissue that was resected.

    Parameters
    ----------
    strength : array of shape (n_regions,)
        Non-negative map, the mean of the estimate around the spike's peak.
    found : array of int
        Regions selected from the map.
    resection : array of int
        Resected regions.
    cortex : Cortex
        Distances and areas of the regions.

    Returns
    -------
    dict of str to float
        ``precision``, ``recall`` (shares of area), their ``harmonic_mean`` and
        ``geometric_mean``, ``spatial_dispersion`` (m). NaN where nothing was
        selected, but recall and both means are then 0.

    References
    ----------
    Sun et al. (2022), Methods and Fig. 6.
    """
    precision, recall = precision_recall(found, resection, cortex.areas)
    p = np.nan_to_num(precision)
    total = p + recall
    return {
        "precision": precision,
        "recall": recall,
        "harmonic_mean": float(2 * p * recall / total) if total else 0.0,
        "geometric_mean": float(np.sqrt(p * recall)),
        "spatial_dispersion": spatial_dispersion(
            strength, found, resection, cortex.distances
        ),
    }
