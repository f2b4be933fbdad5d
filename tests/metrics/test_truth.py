"""Scores of many selections at once, beside plain sets of regions, one at a time."""

import numpy as np
import pytest

from deepsif_lite import metrics
from deepsif_lite.cortex import grow_patch, load_cortex
from deepsif_lite.metrics.truth import Truth


def plain_scores(activity, truth, patches, cortex, active):
    rows = []
    parts = metrics.assign_regions(active, patches, cortex.distances)
    for found, patch in zip(parts, patches, strict=True):
        counted = metrics.precision_recall(found, patch)
        weighted = metrics.precision_recall(found, patch, cortex.areas)
        course = activity[:, found].sum(axis=1)  # no mean of nothing
        missed = len(found) == 0
        rows.append(
            {
                "detected": float(not missed),
                "precision": counted[0],
                "recall_detected": np.nan if missed else counted[1],
                "precision_area": weighted[0],
                "recall_area_detected": np.nan if missed else weighted[1],
                "correlation": metrics.correlation(course, truth[:, patch[0]]),
                "localization_error": metrics.localization_error(
                    found, patch, cortex.distances
                ),
                "area_true": cortex.areas[patch].sum(),
                "area_found": cortex.areas[found].sum(),
            }
        )
    return rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_sources", [1, 2, 3])
def test_scores_are_those_of_plain_sets(n_sources, dtype):
    rng, cortex = np.random.default_rng(n_sources), load_cortex()
    seeds = rng.choice(cortex.n_regions, n_sources, replace=False)
    patches = [grow_patch(cortex, seed, rng=rng) for seed in seeds]
    truth = np.zeros((120, cortex.n_regions), dtype)
    for patch in patches:
        truth[:, patch] += rng.standard_normal((120, 1))
    activity = truth + rng.standard_normal(truth.shape).astype(dtype)
    around = np.concatenate([*patches, cortex.neighbors[seeds[0]]])
    selections = [
        np.unique(rng.choice(around, 12)),
        rng.choice(cortex.n_regions, 400, replace=False),
        patches[0],  # the other sources are missed
        np.array([], dtype=int),
        np.arange(cortex.n_regions),
    ]
    found = Truth(truth, patches, cortex).scores(activity, selections)
    assert any(source["detected"] == 0 for rows in found[:3] for source in rows) == (
        n_sources > 1
    )
    single = dtype == np.float32
    rounding = {"rel": 1e-5, "abs": 1e-6} if single else {"rel": 1e-12}
    for rows, active in zip(found, selections, strict=True):
        expected = plain_scores(activity, truth, patches, cortex, active)
        for ours, theirs in zip(rows, expected, strict=True):
            assert ours.keys() == theirs.keys()
            assert ours == pytest.approx(theirs, **rounding, nan_ok=True)


def test_a_constant_course_has_no_correlation():
    cortex = load_cortex()
    truth = np.zeros((20, cortex.n_regions))
    truth[:, 7] = np.hanning(20)
    (rows,) = Truth(truth, [np.array([7])], cortex).scores(
        np.zeros_like(truth), [np.array([7])]
    )
    assert rows[0]["detected"] == 1
    assert np.isnan(rows[0]["correlation"])
