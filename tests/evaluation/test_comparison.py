from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, wilcoxon

import deepsif_lite as dl
from deepsif_lite import evaluation
from deepsif_lite.evaluation.comparison import holm, paired_test


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    base = rng.normal(size=40)
    rows = {
        "deepsif": base,
        "worse": base - 1 + 0.1 * rng.normal(size=40),
        "same": base + 0.1 * rng.normal(size=40),
    }
    return pd.concat(
        pd.DataFrame({"method": m, "sample": range(40), "recall": v})
        for m, v in rows.items()
    )


def test_pairs_are_compared_recording_by_recording(samples):
    shuffled = samples.sample(frac=1, random_state=1)
    table = evaluation.compare_methods(shuffled, "deepsif", ["recall"])
    wide = samples.pivot(index="sample", columns="method", values="recall")
    expected = wilcoxon(wide["worse"], wide["deepsif"]).pvalue
    row = table.loc[("worse", "recall")]
    assert row["p"] == pytest.approx(expected)
    assert row["p_holm"] == pytest.approx(min(2 * expected, 1))
    assert row["difference"] == pytest.approx(-1, abs=0.1)
    assert table.loc[("same", "recall"), "p_holm"] > 0.05
    # A recording that one method lacks is no pair.
    samples.loc[samples["sample"] == 0, "recall"] = np.nan
    table = evaluation.compare_methods(samples, "deepsif", ["recall"])
    assert set(table["n"]) == {39}


def test_holm_by_its_definition():
    p = np.random.default_rng(3).random(8) ** 3
    ordered = np.sort(p)
    expected = [max((8 - j) * ordered[j] for j in range(k + 1)) for k in range(8)]
    corrected = np.sort(holm(p))
    np.testing.assert_allclose(corrected, np.minimum(expected, 1))
    # It is stricter than a control of the rate of false discoveries.
    assert (holm(p) >= false_discovery_control(p) - 1e-12).all()


def test_scores_over_the_cortex_are_means_around_each_region():
    cortex = dl.load_cortex()
    table = pd.DataFrame(
        {"seed_region": [3, 3, 500, 7], "error_mm": [1.0, 3.0, 8.0, np.nan]}
    )
    values = evaluation.over_cortex(table, "error_mm", cortex)
    assert values[3] == 2
    assert values[500] == 8
    far = cortex.distances[:, [3, 500]].min(axis=1) > 0.015
    assert np.isnan(values[far]).all()


def test_tests_of_pairs_share_their_core(samples):
    wide = samples.pivot(index="sample", columns="method", values="recall")
    gap = (wide["worse"] - wide["deepsif"]).to_numpy()
    tested = paired_test(gap, "less")
    assert tested["p"] == pytest.approx(wilcoxon(gap, alternative="less").pvalue)
    assert tested["effect"] == pytest.approx(-1)  # below in nearly every pair
    assert paired_test(np.zeros(5)) == {"n": 5, "difference": 0, "p": 1, "effect": 0}


def test_rise_of_a_median_has_the_error_of_its_pairs():
    rng = np.random.default_rng(5)
    base, n = rng.normal(size=400), 400
    table = pd.DataFrame({"n_sources": 2, "sample": range(n), "error_mm": base})
    # The same recordings, each 0.3 worse: no doubt at all about the rise.
    alike = table.assign(error_mm=base + 0.3).sample(frac=1, random_state=0)
    rise = evaluation.rise_of_median(alike, table, "error_mm")
    assert rise.value == pytest.approx(0.3)
    assert rise.se == pytest.approx(0, abs=1e-9)
    # Unrelated ones: sqrt(pi / 2 n) is the standard error of a median of normal values.
    other = table.assign(error_mm=rng.normal(size=n))
    rise = evaluation.rise_of_median(other, table, "error_mm")
    assert rise.se == pytest.approx(np.sqrt(2) * np.sqrt(np.pi / (2 * n)), rel=0.2)
    assert rise.n == n
