"""The benchmark beside invertmeeg, without it: what both are given, and the scores."""

from __future__ import annotations

import invertmeeg as benchmark
import mne
import numpy as np
import pytest

from deepsif_lite.head import load_head_model
from deepsif_lite.signals import average_reference
from deepsif_lite.synthesis import Sample


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-64")


@pytest.fixture(scope="module")
def sample(head):
    """One region and its neighbors, in colored noise."""
    rng = np.random.default_rng(0)
    patch = np.append(310, head.cortex.neighbors[310])
    activity = np.zeros((400, head.cortex.n_regions))
    activity[:, patch] = np.sin(np.arange(400) / 9)[:, None]
    eeg = average_reference(activity @ head.leadfield.T, axis=1)
    eeg -= eeg.mean(axis=0)
    noise = rng.standard_normal((400, 2)) @ rng.standard_normal((2, 64))
    eeg += 0.1 * eeg.std() * average_reference(noise, axis=1)
    return Sample(eeg, activity, [patch], 20.0, [20.0], [0])


def test_sources_of_the_forward_solution_touch_as_regions_do(head):
    forward = benchmark.as_forward(head)
    touching = mne.spatial_src_adjacency(forward["src"], verbose=False).toarray() > 0
    np.fill_diagonal(touching, False)
    np.testing.assert_array_equal(touching, head.cortex.adjacency)
    np.testing.assert_array_equal(forward["sol"]["data"], head.leadfield)


@pytest.mark.parametrize("how", ["empirical", "ledoit_wolf"])
def test_given_noise_is_what_the_sources_leave(head, sample, how):
    cov = benchmark.given_noise(sample, head, how)
    shares = np.linalg.eigvalsh(cov)[::-1] / np.trace(cov)
    assert shares[:2].sum() > 0.9  # as made, and nothing of the source
    topography = average_reference(head.leadfield)[:, sample.patches[0]].sum(axis=1)
    topography /= np.linalg.norm(topography)
    assert topography @ cov @ topography < 0.1 * np.trace(cov)


def test_the_truth_has_the_best_scores(head, sample):
    found = benchmark.scores(sample.activity, sample, head)
    assert found["AP"] == found["precision"] == found["recall"] == 1
    assert found["error_mm"] == 0
    assert benchmark.scores(np.roll(sample.activity, 200, 1), sample, head)["AP"] < 0.1
