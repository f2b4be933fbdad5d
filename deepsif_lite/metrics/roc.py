"""How well a map tells source from false alarms, whatever the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels

NEAR = 0.03
"""Distance (m) within which a false alarm counts as near (Chowdhury et al. 2013)."""


def auc(
    strength: NDArray,
    truth: NDArray,
    cortex: Parcels,
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
    seed : int | Generator | None
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


def _draw(first, then, size, rng) -> NDArray:
    taken = rng.permutation(first)[:size]
    return np.r_[taken, rng.permutation(then)[: size - len(taken)]]


def _roc_area(strength, truth, false, cortex) -> float:
    from sklearn.metrics import roc_auc_score

    chosen = np.r_[truth, false]
    is_true = np.arange(len(chosen)) < len(truth)
    return roc_auc_score(is_true, strength[chosen], sample_weight=cortex.areas[chosen])
