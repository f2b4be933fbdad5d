"""What a beamformer lets through, on recordings whose answer is known."""

from __future__ import annotations

from functools import partial

import baselines
import numpy as np
import pytest

from deepsif_lite.head import load_head_model
from deepsif_lite.signals import average_reference
from deepsif_lite.solvers import get_solver
from deepsif_lite.synthesis import Sample


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-64")


def made(head, patch, noise):
    """One course in all regions of a patch, and white noise."""
    rng = np.random.default_rng(0)
    activity = np.zeros((500, head.cortex.n_regions))
    activity[:, patch] = np.sin(np.arange(500) / 9)[:, None]
    eeg = average_reference(activity @ head.leadfield.T, axis=1)
    eeg += noise * eeg.std() * average_reference(rng.standard_normal(eeg.shape), axis=1)
    return Sample(eeg, activity, [patch], 20.0, [20.0], [0])


def test_filters_are_those_of_the_solver(head):
    sample = made(head, np.array([310]), 0.3)
    solve = partial(get_solver("lcmv"), reg=0.05)
    found = baselines.filters(sample.eeg, solve, head)
    image = average_reference(sample.eeg, axis=1) @ found.T
    expected = solve(sample.eeg, head)
    np.testing.assert_allclose(image, expected, atol=1e-6 * np.abs(expected).max())


def test_a_patch_is_cancelled_the_more_the_lower_the_noise(head):
    patch = np.append(310, head.cortex.neighbors[310])
    shares = [
        baselines.passed(
            made(head, patch, noise).eeg, made(head, patch, noise), head, o
        )
        for noise, o in (
            (1.0, {"reg": 0.05}),
            (0.1, {"reg": 0.05}),
            (0.1, {"reg": 5.0}),
        )
    ]
    loud, quiet, regularized = shares
    assert quiet < loud <= 1
    assert quiet < regularized <= 1


def test_labels_tell_options_apart():
    labels = [(m, baselines.label(o)) for m, o in baselines.VARIANTS]
    assert len(set(labels)) == len(labels)
    assert baselines.label({"reg": 0.05, "n_steps": 2}) == "reg=0.05, n_steps=2"
