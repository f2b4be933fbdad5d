"""Champagne against closed forms, other statements of its updates, planted sources."""

from __future__ import annotations

from types import SimpleNamespace

import mne
import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_array
from scipy.stats import multivariate_normal

import deepsif_lite as dl
from deepsif_lite.head import template_cap
from deepsif_lite.solvers import fit_champagne, get_solver, whiten
from deepsif_lite.solvers.champagne import (
    BACKGROUND_SHARE,
    independent_samples,
    samples_that_count,
)
from deepsif_lite.solvers.patch_model import PatchModel
from deepsif_lite.solvers.patches import ring_patches, smooth_patches

BIOSEMI = 64


@pytest.fixture(scope="module")
def head():
    return dl.load_head_model("template-64")


@pytest.fixture(scope="module")
def small():
    """Six candidates on five channels, two of them in the data."""
    rng = np.random.default_rng(0)
    gain, n_times = rng.standard_normal((5, 6)), 4000
    sources = np.array([[2.0], [0.7]]) * rng.standard_normal((2, n_times))
    data = gain[:, [1, 4]] @ sources + 0.5 * rng.standard_normal((5, n_times))
    return PatchModel(data, gain, gain, n_times)


def _planted(head, regions, snr_db, seed, n_times=300):
    """A wave in some regions, with white noise on the electrodes."""
    rng = np.random.default_rng(seed)
    wave = 1e-9 * np.exp(-(((np.arange(n_times) - n_times / 2) / 20) ** 2))
    signal = np.outer(wave, head.leadfield[:, regions].sum(axis=1))
    signal -= signal.mean(axis=1, keepdims=True)
    noise = 10 ** (-snr_db / 20) * np.sqrt((signal**2).mean())
    return signal + noise * rng.standard_normal(signal.shape), wave


def test_variance_of_one_candidate_is_that_of_the_greatest_likelihood(small):
    """Against SciPy's density of the samples, searched numerically."""
    log_gain, variance = small.gains()
    noise = np.tensordot(small.noise, small.kinds, 1)
    for k in (0, 1, 4):
        h = small.candidates[:, [k]]

        def lost(log_variance, h=h):
            cov = noise + np.exp(log_variance) * h @ h.T
            return -multivariate_normal(cov=cov).logpdf(small.data.T).sum()

        best = minimize_scalar(lost, bounds=(-20, 5), method="bounded")
        none = -multivariate_normal(cov=noise).logpdf(small.data.T).sum()
        assert none - best.fun == pytest.approx(log_gain[k], rel=1e-4, abs=1e-3)
        if variance[k] > 0:
            assert np.exp(best.x) == pytest.approx(variance[k], rel=1e-3)
    assert variance[1] > 0


def test_updates_reach_what_expectation_maximization_reaches(small):
    """The update of Wipf et al. (2010) against that of EM, with noise known."""
    model = PatchModel(small.data, small.candidates, small.candidates, 4000)
    model.noise = np.array([0.25, 1e-12])
    model.chosen, model.variances = [1, 4], np.ones(2)
    for _ in range(300):
        model.learn(1)
        model.noise = np.array([0.25, 1e-12])
    h, variance = model.candidates[:, model.chosen], np.ones(2)
    for _ in range(3000):  # posterior moments of the sources, and their power
        cov = np.linalg.inv(np.diag(1 / variance) + h.T @ h / 0.25)
        mean = cov @ h.T @ model.data / 0.25
        variance = (mean**2).mean(axis=1) + np.diag(cov)
    np.testing.assert_allclose(model.variances, variance, rtol=1e-4)
    np.testing.assert_allclose(variance, [4, 0.49], rtol=0.1)  # as simulated


def test_learned_noise_and_background_are_those_of_the_data():
    rng = np.random.default_rng(1)
    gain = rng.standard_normal((8, 5))
    model = PatchModel(rng.standard_normal((8, 10)), gain, gain, 10.0)
    wanted = np.array([0.3, 1.7])
    model.covariance = np.tensordot(wanted, model.kinds, 1)
    model.learn(400)
    np.testing.assert_allclose(model.noise, wanted, rtol=1e-3)


@pytest.mark.parametrize("n_sources", [1, 3])
def test_evidence_never_falls(head, n_sources):
    """In backgrounds of the whole cortex, whatever is added or exchanged."""
    rng = np.random.default_rng(n_sources)
    slow = rng.standard_normal((300, head.cortex.n_regions)).cumsum(axis=0)
    eeg = 1e-12 * slow @ head.leadfield.T
    for k in range(n_sources):
        patch = np.append(head.cortex.neighbors[100 + 300 * k], 100 + 300 * k)
        eeg += np.roll(_planted(head, patch, 20, seed=k)[0], 60 * k, axis=0)
    found = fit_champagne(eeg, head)
    rise = np.diff(found.log_evidence)
    assert rise.min() > -1e-9 * np.abs(found.log_evidence).max()
    assert found.log_evidence[-1] - found.log_evidence[0] > 10
    assert len(found.sources) >= n_sources


@pytest.mark.parametrize("region", [12, 300, 555, 900])
def test_one_region_is_found_alone(head, region):
    eeg, wave = _planted(head, [region], snr_db=15, seed=region)
    found = fit_champagne(eeg, head)
    strength = (found.activity**2).mean(axis=0)
    assert head.cortex.distances[strength.argmax(), region] < 0.005
    assert len(found.sources) == 1
    assert found.sources[0].steps == 0
    peak = np.abs(found.activity.sum(axis=1)).max()
    assert peak == pytest.approx(wave.max(), rel=0.3)  # A m


@pytest.mark.parametrize("n_steps", [1, 2])
def test_patches_are_found_with_their_size(head, n_steps):
    patches = ring_patches(head.cortex, n_steps)[-head.cortex.n_regions :]
    precision, recall = [], []
    for seed in (40, 310, 470, 700, 880):
        truth = patches[[seed]].indices
        eeg, _ = _planted(head, truth, snr_db=15, seed=seed)
        found = fit_champagne(eeg, head).sources[0].regions
        hits = len(np.intersect1d(found, truth))
        precision.append(hits / len(found))
        recall.append(hits / len(truth))
    assert np.mean(precision) > 0.8
    assert np.mean(recall) > 0.8


def test_two_planted_sources_are_both_found(head):
    eeg, _ = _planted(head, [100], 15, seed=0)
    other, _ = _planted(head, [800], 15, seed=1)
    found = fit_champagne(eeg + np.roll(other, 80, axis=0), head)
    centers = [source.region for source in found.sources[:2]]
    away = head.cortex.distances[np.ix_(centers, [100, 800])]
    assert sorted(away.argmin(axis=1).tolist()) == [0, 1]
    assert away.min(axis=1).max() < 0.01


def test_noise_has_no_source(head):
    rng = np.random.default_rng(0)
    eeg = 1e-6 * rng.standard_normal((300, BIOSEMI))
    found = fit_champagne(eeg, head)
    assert not found.sources
    assert not found.activity.any()
    assert found.sensor_noise > 10 * found.background


def test_unit_of_the_data_goes_into_the_activity(head):
    eeg, _ = _planted(head, [300], 15, seed=3)
    solve = get_solver("champagne")
    np.testing.assert_allclose(
        solve(1e6 * eeg, head), 1e6 * solve(eeg, head), rtol=1e-6
    )
    assert not solve(np.zeros((50, BIOSEMI)), head).any()


def test_noise_covariance_is_used(head):
    """A noisy channel misleads where it is not known to be noisy."""
    eeg, _ = _planted(head, [300], 10, seed=3)
    noise = np.full(BIOSEMI, 0.3 * eeg.std())
    noise[10] *= 100
    eeg[:, 10] += noise[10] * np.random.default_rng(4).standard_normal(len(eeg))
    away = head.cortex.distances[300]
    ignorant = fit_champagne(eeg, head).activity.std(axis=0).argmax()
    informed = fit_champagne(eeg, head, noise_cov=np.diag(noise**2)).activity
    assert away[informed.std(axis=0).argmax()] < 0.005
    assert away[ignorant] > 0.02


def test_independent_samples_are_counted():
    rng = np.random.default_rng(0)
    white = rng.standard_normal((64, 1000))
    assert independent_samples(white) == pytest.approx(1000, rel=0.05)
    held = np.repeat(white[:, :100], 10, axis=1)
    assert 60 < independent_samples(held) < 200
    assert independent_samples(np.zeros((3, 100))) == 0


def test_rings_are_those_of_the_graph():
    line = SimpleNamespace(n_regions=5, adjacency=np.eye(5, k=1) + np.eye(5, k=-1) > 0)
    members = ring_patches(line, 2).toarray().reshape(3, 5, 5)
    distance = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    for n_steps in range(3):
        np.testing.assert_array_equal(members[n_steps], distance <= n_steps)


def test_smooth_patches_fade_as_a_random_walk_does():
    """On a line, one step each way or none, a third of the time each."""
    n_regions, n_steps = 9, 2
    line = np.eye(n_regions, k=1) + np.eye(n_regions, k=-1) > 0
    cortex = SimpleNamespace(n_regions=n_regions, adjacency=line)
    weights = smooth_patches(cortex, n_steps).toarray()
    weights = weights.reshape(n_steps, n_regions, n_regions)
    np.testing.assert_allclose(weights[0, 4, 3:6], [1, 1, 1])
    np.testing.assert_allclose(weights[1, 4], np.r_[0, 0, 1, 2, 3, 2, 1, 0, 0] / 3)
    assert smooth_patches(cortex, 0).shape == (0, n_regions)


@pytest.mark.parametrize("known", [False, True])
def test_a_slow_source_in_noise_of_the_sensors_is_not_missed(known):
    """Few independent samples, few channels: the background must not swallow it."""
    names = mne.channels.make_standard_montage("biosemi32").ch_names
    head, rng = template_cap(names), np.random.default_rng(8)
    for region in (60, 420, 800):
        course = rng.standard_normal(50).cumsum()
        signal = np.outer(course - course.mean(), head.leadfield[:, region])
        noise = 0.8 * signal.std() * rng.standard_normal(signal.shape)
        cov = np.eye(32) if known else None
        found = fit_champagne(signal + noise, head, noise_cov=cov)
        assert found.sources
        assert head.cortex.distances[found.sources[0].region, region] < 0.02
        assert found.sensor_noise > 2 * found.background


def test_background_makes_samples_count_less(head):
    """Slow as the brain's: each course is held for five samples."""
    rng = np.random.default_rng(0)
    eeg = np.repeat(rng.standard_normal((60, 994)), 5, axis=0) @ head.leadfield.T
    data, _ = whiten(eeg, head, None)
    found = fit_champagne(eeg, head)
    share = found.n_effective / independent_samples(data)
    background = found.background / (found.background + found.sensor_noise)
    assert background > 0.8
    assert share == pytest.approx(1 - background * (1 - BACKGROUND_SHARE), abs=0.05)


def test_all_samples_of_white_noise_count_beside_a_slow_source(head):
    eeg, _ = _planted(head, [500], snr_db=0, seed=3)
    data, _ = whiten(eeg, head, None)
    assert independent_samples(data) < 100
    assert fit_champagne(eeg, head).n_effective > 200


@pytest.mark.parametrize("background", [0.1, 0.5, 0.9])
def test_white_samples_that_count_are_those_of_a_sum_of_two_powers(background):
    """By chance: the variance of a mean of n squares of a normal variable is 2/n."""
    rng = np.random.default_rng(1)
    white = rng.standard_normal((2000, 50))
    model = SimpleNamespace(
        noise_power=np.array([1 - background, background]),
        data=np.repeat(white[:, :25], 2, axis=1),
        residual=lambda: white,
    )
    n_slow = BACKGROUND_SHARE * independent_samples(model.data)
    powers = (1 - background) * rng.chisquare(50, 100_000) / 50
    powers += background * rng.chisquare(n_slow, 100_000) / n_slow
    assert samples_that_count(model) == pytest.approx(2 / powers.var(), rel=0.05)


def test_a_source_that_evidence_does_not_demand_is_there_by_its_odds():
    """Beside a source, by half the price; its own posterior mean by a regression."""
    rng = np.random.default_rng(0)
    gain = np.eye(5)[:, [0, 3]]
    data = np.array([[5.0], [0.15]]) * rng.standard_normal((2, 4000))
    data = gain @ data + 0.5 * rng.standard_normal((5, 4000))
    model = PatchModel(data, np.eye(5), gain, 4000)
    model.chosen, model.variances = [0], np.array([25.0])
    model.learn(50)
    model.variances *= 1.1  # so that more of the same is not the further source
    price = np.log(2)  # candidates
    model.n_effective *= 0.5 * price / model.gains()[0][1]
    there = 1 / (1 + np.exp(0.5 * price))
    _, (_, variance) = model.gains()
    inverse = np.linalg.inv(model.model_covariance())
    seen = gain[:, 1] @ inverse
    mean = variance / (1 + variance * seen @ gain[:, 1]) * (seen @ data)
    activity = model.activity(csr_array(np.eye(2)))
    np.testing.assert_allclose(activity[:, 1], there * mean, rtol=1e-6)


def test_sizes_below_zero_are_refused(head):
    with pytest.raises(ValueError, match="n_steps"):
        fit_champagne(np.zeros((50, BIOSEMI)), head, n_steps=-1)
