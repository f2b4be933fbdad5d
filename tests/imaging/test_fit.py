"""Channels from each other, beside predictions that leave each channel out in turn."""

from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite.head import load_head_model
from deepsif_lite.imaging.fit import MISFIT, PREDICTED, fit_of
from deepsif_lite.signals import average_reference


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-75")


def misfit_of(eeg, covariance):
    """Generalized least squares about an unknown reference."""
    inverse = np.linalg.inv(covariance)
    ones = np.ones((len(covariance), 1))
    inside = inverse - inverse @ ones @ ones.T @ inverse / (ones.T @ inverse @ ones)
    return np.sum((eeg @ inside) * eeg)


def test_misfit_is_what_leaving_a_channel_out_saves():
    rng = np.random.default_rng(0)
    leadfield, eeg = rng.standard_normal((18, 40)), rng.standard_normal((30, 18))
    gain = average_reference(leadfield)
    covariance = gain @ gain.T
    covariance *= 18 / np.trace(covariance)
    covariance += 0.03 * np.eye(18)
    whole = misfit_of(eeg, covariance)
    found = fit_of(eeg, leadfield).misfit
    for i in range(18):
        others = np.delete(np.arange(18), i)
        part = misfit_of(eeg[:, others], covariance[np.ix_(others, others)])
        assert found[i] == pytest.approx(1 - part / whole)


def test_reference_and_unit_do_not_matter():
    rng = np.random.default_rng(0)
    leadfield, eeg = rng.standard_normal((18, 40)), rng.standard_normal((30, 18))
    plain = fit_of(average_reference(eeg, 1), leadfield)
    other = fit_of(1e-6 * (eeg - eeg[:, :1]), leadfield)
    np.testing.assert_allclose(other.misfit, plain.misfit)


def test_patches_fit_and_noise_and_shuffled_channels_do_not(head):
    rng = np.random.default_rng(0)
    course = np.exp(-(((np.arange(200) - 100) / 12) ** 2))
    noise = rng.standard_normal((200, 75))
    noise -= noise.mean(axis=0)
    for region in range(0, head.cortex.n_regions, 31):
        patch = [region, *head.cortex.neighbors[region]]
        field = average_reference(head.leadfield[:, patch].sum(axis=1))
        eeg = 60 / np.abs(field).max() * np.outer(course - course.mean(), field)
        fit = fit_of(eeg + noise, head.leadfield)
        assert fit.misfit.max() < MISFIT, region
        assert fit.predicted > PREDICTED, region
        shuffled = fit_of((eeg + noise)[:, rng.permutation(75)], head.leadfield)
        assert shuffled.predicted < PREDICTED, region
    assert fit_of(noise, head.leadfield).predicted < PREDICTED
