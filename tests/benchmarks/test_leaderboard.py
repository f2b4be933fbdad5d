"""The leaderboard without invertmeeg: what is ours in it."""

from __future__ import annotations

import leaderboard
import numpy as np
import pandas as pd
import pytest


def test_the_cap_has_the_electrodes_of_the_leaderboard():
    head = leaderboard.load_cap()
    assert head.leadfield.shape == (32, head.cortex.n_regions)
    assert {"Fp1", "PO3", "Oz"} < set(head.ch_names)


def test_stretching_keeps_what_the_samples_say():
    times = np.arange(50)[:, None]
    eeg = np.sin(2 * np.pi * times * np.array([[1, 3]]) / 50)
    seen = []

    def predict(window):
        seen.append(len(window))
        return window

    np.testing.assert_allclose(leaderboard.stretched(eeg, predict), eeg, atol=1e-12)
    assert seen == [leaderboard.STRETCH * 50]


def test_our_rows_pair_every_recording_with_its_truth_and_noise():
    rng = np.random.default_rng(0)
    batches = []
    for _ in leaderboard.SETS:
        eegs, noise = rng.random((3, 4, 5)), list(rng.random((3, 4, 4)))
        truths = np.stack([cov[:1] @ eeg for eeg, cov in zip(eegs, noise, strict=True)])
        facts = pd.DataFrame({"noise_cov_est_scaled": noise})
        batches.append((eegs, truths, facts))

    def score(truth, found):
        return {"EMD": np.abs(truth - found).max(), "AP": 1.0}

    methods = {("right", "given"): lambda eeg, cov: eeg @ cov[:1].T}
    rows = list(leaderboard.rows_of_ours(methods, batches, score))
    assert [row["recordings"] for row in rows] == np.repeat(
        leaderboard.SETS, 3
    ).tolist()
    assert max(row["EMD"] for row in rows) < 1e-12


def test_summary_leaves_out_images_of_zeros_and_counts_them():
    rows = [
        ("noisy", "deepsif", "none", "us", emd, 0.5, 1.0)
        for emd in (0.01, 0.03, np.nan)
    ]
    columns = ["recordings", "method", "noise", "by", "EMD", "AP", "seconds"]
    row = leaderboard.summarize(pd.DataFrame(rows, columns=columns)).iloc[0]
    assert row["EMD_mm"] == pytest.approx(20)
    assert row["EMD_mm_se"] == pytest.approx(10)
    assert (row["empty"], row["n"]) == (1, 3)
