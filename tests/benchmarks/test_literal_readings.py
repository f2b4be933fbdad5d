from __future__ import annotations

import literal_readings as readings
import numpy as np
import pandas as pd
import pytest
from scipy.stats import sem

import deepsif_lite as dl
from deepsif_lite.signals import average_reference


def test_differences_are_taken_in_pairs():
    ours = pd.Series([1.0, 2.0, np.nan, 5.0])
    theirs = pd.Series([1.5, np.nan, 3.0, 5.5])
    row = readings.pairs("r", "recall", ours, theirs, network="deepsif")
    assert (row["ours"], row["literal"], row["n"]) == (3, 3.5, 2)
    assert row["difference"] == 0.5
    assert row["difference_se"] == 0  # worse by as much in either pair
    gap = np.random.default_rng(0).normal(size=9)
    row = readings.pairs("r", "recall", pd.Series(np.zeros(9)), pd.Series(gap))
    assert row["difference_se"] == pytest.approx(sem(gap))


def test_noise_has_the_nominal_ratio_and_the_published_one_not():
    head, clips = dl.load_head_model("template-75"), dl.load_spike_library(split="test")
    for variant, off in (("corrected", False), (("noise",), True)):
        stream = readings.Measured(head, clips, n_sources=1, seed=1, variant=variant)
        _ = stream[0]
        assert (abs(stream.excess_db[0]) > 1) == off


def test_a_recording_in_average_reference_needs_no_preparation(monkeypatch):
    model, clips = dl.load_model("lite-75"), dl.load_spike_library(split="test")
    eeg = dl.SyntheticEEG(model.head, clips, seed=2)[0].eeg
    taken = readings._as_measured(model, eeg)
    prepared = model.predict(eeg)
    assert np.abs(taken - prepared).max() > 0.05
    # The reference is all that is wrong with it.
    at = model.head.ch_names.index(readings.REFERENCE)
    again = average_reference(eeg - eeg[:, [at]], axis=1)
    np.testing.assert_allclose(model.predict(again), prepared, atol=1e-4)


def test_gain_is_raised_where_it_is_overwritten():
    nodes = np.arange(994)
    nodes[list(readings.REGIONS_WITHOUT_VERTEX)] = 994 + np.arange(4)
    weights = np.zeros((998, 998))
    connectome = dl.neural_mass.Connectome("toy", weights, weights, nodes)
    gains = readings._gains_without_vertex(connectome)
    for k, region in enumerate(readings.REGIONS_WITHOUT_VERTEX):
        assert gains["theirs"][k].argmax() == region
        assert gains["ours"][k].argmax() == nodes[region]
    assert (gains["theirs"] > gains["theirs"].min()).sum() == 4
