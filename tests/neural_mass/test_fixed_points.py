"""Fixed points against a root finder on The Virtual Brain's equations, and the engine."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from deepsif_lite.neural_mass import (
    Connectome,
    find_fixed_points,
    resting_input,
    right_hand_side,
    simulate,
)
from deepsif_lite.neural_mass.problem import make_problem

SETTINGS = [(3.25, 0.087), (3.6, 0.087), (3.25, 0.16), (3.0, 0.05), (4.0, 0.12)]
ALONE = Connectome("alone", np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1, int))


def tvb_right_hand_side(gain, mean_input):
    """The Virtual Brain's own, as a function of the state."""
    pytest.importorskip("tvb.simulator", reason="needs the extra 'tvb'")
    from deepsif_lite.neural_mass.tvb_engine import _model

    problem = make_problem(ALONE, gain, mean_input, 0.0, 1.0, 0.5e-3, 1, 0, None)
    model = _model(problem, 0)
    model.configure()
    no_coupling = np.zeros((1, 1, 1))

    def slopes(state):
        return model.dfun(np.reshape(state, (6, 1, 1)), no_coupling)[:, 0, 0]

    return slopes


@pytest.mark.parametrize(("gain", "mean_input"), SETTINGS)
def test_right_hand_side_is_tvbs(gain, mean_input):
    theirs = tvb_right_hand_side(gain, mean_input)
    for state in np.random.default_rng(0).uniform(-5, 5, (20, 6)):
        ours = right_hand_side(state, gain, mean_input)
        np.testing.assert_allclose(ours, theirs(state), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("gain", "mean_input"), SETTINGS)
def test_fixed_points_and_their_stability_are_those_of_tvbs_equations(gain, mean_input):
    slopes = tvb_right_hand_side(gain, mean_input)
    found = find_fixed_points(gain, mean_input)
    expected = {}
    for point in np.linspace(-1, 14, 31):
        start = [gain * 0.01, point + 10, 10, 0, 0, 0]
        result = optimize.root(slopes, start, tol=1e-13)
        if np.abs(slopes(result.x)).max() < 1e-11:
            jacobian = optimize.approx_fprime(result.x, slopes, 1e-7)
            growth = np.linalg.eigvals(jacobian).real.max()
            expected[round(result.x[1] - result.x[2], 5)] = bool(growth < 0)
    assert expected
    potentials = np.array([point.potential for point in found])
    assert (np.diff(potentials) > 0).all()
    for potential, stable in expected.items():
        nearest = found[np.abs(potentials - potential).argmin()]
        assert nearest.potential == pytest.approx(potential, abs=1e-4)
        assert nearest.stable == stable
    for point in found:
        assert np.abs(slopes(point.state)).max() < 1e-11


def test_three_fixed_points_below_the_saddle_node_and_one_beyond():
    fold = resting_input(np.linspace(0, 4, 4000), 3.6).max()
    assert len(find_fixed_points(3.6, fold - 1e-4)) == 3
    assert len(find_fixed_points(3.6, fold + 1e-4)) == 1


def test_engine_rests_at_the_stable_fixed_point():
    lowest = find_fixed_points(3.25, 0.06)[0]
    assert lowest.stable
    psp = simulate(
        ALONE,
        mean_input=0.06,
        noise_std=0.0,
        duration=6.0,
        initial=np.zeros((6, 1)),
        dtype="float64",
    )
    assert psp[0, -1, 0] == pytest.approx(lowest.potential, abs=1e-6)
