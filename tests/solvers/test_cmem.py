"""Coherent maximum entropy on the mean, against closed forms and other statements."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import logsumexp
from toys import toy_head

import deepsif_lite as dl
from deepsif_lite.cortex import TEMPORAL, brodmann_regions
from deepsif_lite.errors import OptionError, SignalError
from deepsif_lite.metrics import score_sources, select_regions
from deepsif_lite.solvers import CmemSolution, get_solver, solve_cmem
from deepsif_lite.solvers.cmem import smoothing_kernel
from deepsif_lite.solvers.entropy import Dual
from deepsif_lite.solvers.prelocalization import (
    grow_parcels,
    prelocalization_scores,
    space_time_scores,
)

SPIKE = "fast-ires/Spikes/Spike_I/Data_Avg.mat"
ELECTRODES = "fast-ires/Raw 273/273_ele_ERD.xyz"


@pytest.fixture(scope="module")
def head():
    return toy_head()


@pytest.fixture(scope="module")
def planted(head):
    """A region and its neighbors with one course, and noise: EEG and the regions."""
    patch = np.flatnonzero(head.cortex.adjacency[30])
    patch = np.append(patch, 30)
    course = np.hanning(60)
    eeg = np.outer(course, head.leadfield[:, patch].sum(axis=1))
    rng = np.random.default_rng(3)
    return eeg + 0.05 * eeg.std() * rng.standard_normal(eeg.shape), patch


@pytest.fixture(scope="module")
def found(head, planted):
    return solve_cmem(planted[0], head)


def _dual(seed=0, n_times=3, alphas=None):
    """Return a dual of 6 channels and three parcels, of 2, 3 and 1 regions."""
    rng = np.random.default_rng(seed)
    starts = np.array([0, 2, 5])
    alphas = rng.uniform(0.05, 0.95, (3, n_times)) if alphas is None else alphas
    return Dual(
        data=2 * rng.standard_normal((6, n_times)),
        mixing=rng.standard_normal((6, 6)),
        starts=starts,
        alphas=alphas,
        powers=rng.uniform(0.2, 2, (3, n_times)),
    )


# ------------------------------------------------------------------------- the dual


def test_the_gradient_is_that_of_the_dual():
    dual = _dual(n_times=1)
    at = np.random.default_rng(1).standard_normal(6)

    def value(multipliers):
        return dual.value_and_gradient(multipliers[:, None])[0][0]

    step = 1e-5
    numeric = [
        (value(at + step * unit) - value(at - step * unit)) / (2 * step)
        for unit in np.eye(6)
    ]
    gradient = dual.value_and_gradient(at[:, None])[1][:, 0]
    np.testing.assert_allclose(gradient, numeric, atol=1e-6)
    np.testing.assert_allclose(gradient, approx_fprime(at, value), atol=1e-4)


def test_the_partition_is_a_sum_over_all_states_of_the_parcels():
    """The closed form factorizes; here every set of active parcels is written out."""
    dual = _dual(n_times=1)
    at = np.random.default_rng(2).standard_normal(6)
    terms, members = [], np.array([0, 0, 1, 1, 1, 2])
    for state in np.ndindex(2, 2, 2):
        on = np.array(state, dtype=bool)
        alphas = dual.alphas[:, 0]
        prior = np.prod(np.where(on, alphas, 1 - alphas))
        powers = np.where(on, dual.powers[:, 0], 0)[members]
        cov = (dual.mixing * powers) @ dual.mixing.T  # a Gaussian in the data's space
        terms.append(np.log(prior) + at @ cov @ at / 2)
    expected = at @ dual.data[:, 0] - at @ at / 2 - logsumexp(terms)
    value = dual.value_and_gradient(at[:, None])[0]
    np.testing.assert_allclose(value, expected)


def test_a_parcel_that_is_surely_active_is_the_wiener_solution():
    """And the dual's maximum is half the data's Mahalanobis distance from 0."""
    dual = _dual(alphas=np.ones((3, 2)), n_times=2)
    multipliers = dual.maximize()
    latent, active = dual.expectation(multipliers)
    np.testing.assert_array_equal(active, 1)
    for t in range(2):
        prior = np.diag(np.repeat(dual.powers[:, t], [2, 3, 1]))
        cov = dual.mixing @ prior @ dual.mixing.T + np.eye(6)
        whitened = np.linalg.solve(cov, dual.data[:, t])
        np.testing.assert_allclose(
            latent[:, t], prior @ dual.mixing.T @ whitened, atol=1e-7
        )
        value = dual.value_and_gradient(multipliers)[0][t]
        assert value == pytest.approx(dual.data[:, t] @ whitened / 2)


def test_a_parcel_that_is_surely_silent_stays_so():
    alphas = np.array([[0.0], [0.5], [0.0]])
    dual = _dual(alphas=alphas, n_times=1)
    latent, active = dual.expectation(dual.maximize())
    assert (latent[[0, 1, 5]] == 0).all()
    assert active[1] > 0
    assert (active[[0, 2]] == 0).all()


def test_the_maximum_is_one_and_no_step_leads_higher():
    dual = _dual(seed=5)
    best = dual.maximize()
    value, gradient = dual.value_and_gradient(best)
    assert np.abs(gradient).max() < 1e-6
    rng = np.random.default_rng(6)
    for size in (1e-2, 1, 10):
        other = best + size * rng.standard_normal(best.shape)
        assert (dual.value_and_gradient(other)[0] < value).all()


# ----------------------------------------------------------- scores and parcels


def test_scores_are_those_of_the_projector_as_the_method_writes_it():
    rng = np.random.default_rng(0)
    gain = rng.standard_normal((8, 30)) * np.logspace(0, -3, 8)[:, None]
    data = rng.standard_normal((8, 1))
    unit = gain / np.linalg.norm(gain, axis=0)
    u, spectrum, _ = np.linalg.svd(unit, full_matrices=False)
    d = data / np.linalg.norm(data)
    use = np.diag(u.T @ d @ d.T @ u)
    order = np.argsort(use)[::-1]
    n_kept = 1
    while spectrum[order[:n_kept]].sum() < 0.95 * spectrum.sum():
        n_kept += 1
    kept = u[:, order[:n_kept]]
    assert n_kept < 8
    seen = kept @ kept.T @ d
    projector = seen @ np.linalg.pinv(seen)
    expected = np.diag(unit.T @ projector @ unit)
    np.testing.assert_allclose(prelocalization_scores(gain, data)[0], expected)


def test_the_score_of_a_single_source_is_largest_at_the_source(head):
    course = np.hanning(20)
    for region in (3, 50, 110):
        scores = space_time_scores(
            head.leadfield, np.outer(head.leadfield[:, region], course)
        )
        assert np.argmax(scores.mean(axis=0)) == region
        assert scores.max() == 1


def test_parcels_start_at_the_best_regions_and_cover_all():
    near = np.eye(9, dtype=bool)
    for k in range(7):  # eight regions in a line, and one alone
        near[k, k + 1] = near[k + 1, k] = True
    scores = np.array([0.1, 0.2, 0.3, 0.9, 0.3, 0.2, 0.8, 0.1, 0.5])
    parcels = grow_parcels(scores, near)
    np.testing.assert_array_equal(parcels, [0, 0, 0, 0, 0, 1, 1, 1, 2])


def test_spread_keeps_the_sum_and_is_that_of_the_series():
    """The published kernel is the series of the exponential."""
    adjacency = np.zeros((6, 6), dtype=bool)
    for k in range(5):
        adjacency[k, k + 1] = adjacency[k + 1, k] = True
    laplacian = adjacency - np.diag(adjacency.sum(axis=0).astype(float))
    term, series = np.eye(6), np.eye(6)
    for n in range(1, 8):
        term = term @ laplacian * 0.3 / n
        series = series + term
    kernel = smoothing_kernel(adjacency, 0.6)
    np.testing.assert_allclose(kernel, series, atol=3e-5)
    np.testing.assert_allclose(kernel.sum(axis=0), 1)
    assert (kernel >= 0).all()


# ------------------------------------------------------------------- the whole solver


def test_a_planted_patch_comes_back(head, planted, found):
    strength = np.sqrt((found.activity**2).mean(axis=0))
    eeg, patch = planted
    strongest = np.argsort(strength)[-len(patch) :]
    assert len(np.intersect1d(strongest, patch)) >= 0.7 * len(patch)
    distance = head.cortex.distances[strength.argmax(), patch].min()
    assert distance == 0


@pytest.mark.slow
def test_simulated_patches_come_back():
    """Fifty recordings at 15 dB: most of the source, and little that is far from it."""
    head = dl.load_head_model("template-75")
    clips = dl.load_spike_library("lite", split="test")
    stream = dl.SyntheticEEG(head, clips, n_sources=1, sensor_snr=(15.0,), seed=2013)
    rows = []
    for k in range(50):
        sample = stream[k]
        activity = get_solver("cmem")(sample.eeg, head)
        active = select_regions(activity, "map")
        rows += score_sources(
            activity, sample.activity, sample.patches, head.cortex, active=active
        )
    recall = np.mean([np.nan_to_num(row["recall_detected"]) for row in rows])
    error = np.nanmean([row["localization_error"] for row in rows])
    assert recall >= 0.8
    assert error <= 0.010


@pytest.mark.published(SPIKE, ELECTRODES)
def test_the_published_spike_is_left_temporal():
    """The patient is free of seizures since that lobe was resected."""
    evoked = dl.load_recording("patient-spike")
    image = dl.image(evoked, "cmem", tmin=-0.5, tmax=0.498, baseline=(None, -0.6))
    near_peak = np.abs(image.times) <= 0.05
    strength = (image.activity[:, near_peak] ** 2).mean(axis=1)
    strongest = np.argsort(strength)[-10:]
    assert np.isin(strongest, brodmann_regions(image.cortex, TEMPORAL)).all()
    assert (image.cortex.centroids[strongest, 0] < 0).all()


def test_what_led_to_the_image_can_be_looked_at(head, planted, found):
    n_times, n_regions = len(planted[0]), head.cortex.n_regions
    n_parcels = found.parcels.max() + 1
    assert isinstance(found, CmemSolution)
    assert found.activity.shape == found.scores.shape == (n_times, n_regions)
    assert found.alphas.shape == found.active.shape == (n_times, n_parcels)
    assert found.gradient.max() < 1e-6
    assert (found.dual >= 0).all()  # 0 at multipliers of 0
    for k in (0, 5, n_parcels - 1):
        median = np.median(found.scores[:, found.parcels == k], axis=1)
        expected = np.where(median > 0.8, 1, median)
        np.testing.assert_allclose(found.alphas[:, k], expected)


def test_a_silent_parcel_is_less_likely_after_the_data_than_the_source(found, planted):
    middle = len(planted[0]) // 2
    of_source = found.parcels[30]
    assert found.active[middle, of_source] > 0.99
    assert np.median(found.active[middle]) < 0.5


def test_scale_and_polarity_pass_through(head, planted, found):
    for factor in (-1.0, 1e-6, 1e3):
        scaled = solve_cmem(factor * planted[0], head)
        np.testing.assert_array_equal(scaled.parcels, found.parcels)
        np.testing.assert_allclose(
            scaled.activity,
            factor * found.activity,
            atol=1e-6 * abs(factor) * np.abs(found.activity).max(),
        )


def test_noise_and_data_in_another_unit_give_the_same_image(head, planted):
    eeg = planted[0]
    cov = np.diag(np.linspace(1, 3, eeg.shape[1])) * 0.01 * eeg.var()
    one = solve_cmem(eeg, head, noise_cov=cov).activity
    other = solve_cmem(1e-6 * eeg, head, noise_cov=1e-12 * cov).activity
    np.testing.assert_allclose(other, 1e-6 * one, atol=1e-12 * np.abs(one).max())


def test_the_order_of_the_regions_does_not_matter(head, planted, found):
    """As in a mirror image, where each region swaps places with its twin."""
    order = np.random.default_rng(4).permutation(head.cortex.n_regions)
    cortex = SimpleNamespace(adjacency=head.cortex.adjacency[np.ix_(order, order)])
    other = SimpleNamespace(
        leadfield=head.leadfield[:, order], cortex=cortex, modality="eeg"
    )
    activity = solve_cmem(planted[0], other).activity
    tolerance = 1e-6 * np.abs(found.activity).max()
    np.testing.assert_allclose(activity, found.activity[:, order], atol=tolerance)


def test_stronger_noise_makes_smaller_images(head, planted):
    eeg = planted[0]
    sizes = [
        np.linalg.norm(
            solve_cmem(eeg, head, noise_cov=level * eeg.var() * np.eye(20)).activity
        )
        for level in (0.01, 0.1, 1.0, 100.0)
    ]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    "option", [{"lambda2": 0}, {"depth": -1}, {"smoothing": -1}, {"order": 0},
               {"variance": 0}]
)  # fmt: skip
def test_options_out_of_range_are_refused(head, planted, option):
    (name,) = option
    with pytest.raises(OptionError, match=name):
        solve_cmem(planted[0], head, **option)


def test_silence_is_refused(head):
    with pytest.raises(SignalError, match="eeg is zero"):
        solve_cmem(np.ones((10, 20)), head)
