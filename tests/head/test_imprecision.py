"""Leadfields that are wrong as a computed one is for a person's own head."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import deepsif_lite as dl
from deepsif_lite.head.imprecision import draw_shift, misjudged

N_DRAWS = 400


@pytest.fixture(scope="module")
def head():
    return dl.load_head_model("template-75")


@pytest.fixture(scope="module")
def electrodes(head):
    return head.sensors


def test_no_error_changes_nothing(head):
    rng = np.random.default_rng(0)
    adjacency = head.cortex.adjacency
    same = misjudged(head.leadfield, head.sensors, adjacency, 0.0, rng)
    np.testing.assert_array_equal(same, head.leadfield)
    assert not draw_shift(head.sensors, 0.0, rng).any()


@pytest.mark.parametrize("error", [0.5, 1.0])
def test_a_shift_is_a_centimeter_along_the_scalp(electrodes, error):
    rng = np.random.default_rng(1)
    draws = np.array([draw_shift(electrodes, error, rng) for _ in range(N_DRAWS)])
    along = 2 / 3 * (draws**2).sum(axis=2).mean()  # two of three components
    assert np.sqrt(along) == pytest.approx(0.01 * error, rel=0.05)


def test_neighbors_are_shifted_alike_and_the_other_side_is_not(electrodes):
    rng = np.random.default_rng(2)
    draws = np.array([draw_shift(electrodes, 1.0, rng)[:, 0] for _ in range(N_DRAWS)])
    alike, apart = np.corrcoef(draws.T), cdist(electrodes, electrodes)
    near = (apart > 0) & (apart < 0.03)
    assert alike[near].min() > 0.75
    assert np.abs(alike[apart > 0.16]).max() < 0.3


def test_what_an_electrode_records_is_scaled_for_all_parcels(head):
    rng = np.random.default_rng(3)
    nobody = np.zeros_like(head.cortex.adjacency)
    logs = []
    for _ in range(N_DRAWS // 4):
        other = misjudged(head.leadfield, head.sensors, nobody, 1.0, rng)
        scale = other / head.leadfield
        np.testing.assert_allclose(scale, np.tile(scale[:, :1], scale.shape[1]))
        logs.append(np.log(scale[:, 0]))
    assert np.std(logs) == pytest.approx(0.2, rel=0.1)


def test_parcels_take_from_their_neighbors_alone(head):
    rng, adjacency = np.random.default_rng(4), head.cortex.adjacency
    one = np.zeros((1, head.cortex.n_regions))
    one[0, 7] = 1.0  # what only parcel 7 makes is now recorded of its neighbors too
    other = misjudged(one, np.zeros((1, 3)), adjacency, 1.0, rng)[0]
    np.testing.assert_array_equal(
        np.flatnonzero(other), np.flatnonzero(adjacency[7] + one[0])
    )


def test_an_error_of_one_is_that_of_a_person(head):
    """Of subject A0206 by finite elements: .965, and .90 for one parcel in twenty."""
    rng, medians = np.random.default_rng(5), []
    for _ in range(20):
        other = misjudged(head.leadfield, head.sensors, head.cortex.adjacency, 1.0, rng)
        medians.append(np.median(_alike(head.leadfield, other)))
    assert 0.93 < np.mean(medians) < 0.98


def _alike(first, second):
    first, second = (a - a.mean(axis=0) for a in (first, second))
    norms = np.linalg.norm(first, axis=0) * np.linalg.norm(second, axis=0)
    return (first * second).sum(axis=0) / norms
