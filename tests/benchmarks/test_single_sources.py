from __future__ import annotations

import numpy as np
import pytest
import single_sources as single

import deepsif_lite as dl
from deepsif_lite.metrics import precision_recall


@pytest.fixture(scope="module")
def model():
    return dl.load_model("lite-75")


def test_the_best_threshold_is_the_best(model):
    rng = np.random.default_rng(0)
    probability, patch = rng.random(50), np.arange(8)
    probability[patch] += 0.4
    found = single.best_threshold(probability, patch)
    # It is a threshold: nothing left out is likelier than what is in.
    out = np.setdiff1d(np.arange(50), found)
    assert probability[found].min() > probability[out].max()
    best = single.f_measure(*precision_recall(found, patch))
    for cut in probability:
        above = np.flatnonzero(probability >= cut)
        if len(above) < 2 * len(patch):
            assert single.f_measure(*precision_recall(above, patch)) <= best


def test_a_truth_is_blurred_to_be_like_the_image(model):
    cortex = model.head.cortex
    truth = np.zeros((10, cortex.n_regions))
    truth[:, 100] = 1
    blur = single.Blur(cortex)
    wide = truth @ blur._kernels[-1]
    np.testing.assert_allclose(blur.like(3 * wide, truth), wide)
    sharp = blur.like(truth, truth)
    assert sharp[0].argmax() == 100
    assert sharp[0, 100] > 0.99 * sharp[0].sum()


def test_without_noise_the_list_tells_the_patch(model):
    stream = dl.SyntheticEEG(
        model.head,
        dl.load_spike_library(split="test"),
        n_sources=1,
        seed=single.SEED,
        **single.RECORDINGS["hardly any noise"],
    )
    candidates = single.Candidates(model, single.SEED)
    sample = stream[0]
    assert any(np.array_equal(sample.patches[0], p) for p in candidates._patches)
    found = candidates.likest(sample.eeg)
    precision, recall = precision_recall(found, sample.patches[0])
    assert min(precision, recall) > 0.9
