"""Noisy activity in numbers: closed forms, and The Virtual Brain's own runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deepsif_lite.neural_mass import load_connectome, simulate
from deepsif_lite.spikes import statistics


@pytest.fixture(scope="module")
def part():
    return statistics.small_brain(load_connectome("template"))


@pytest.fixture(scope="module")
def reference():
    """The Virtual Brain's numbers, made by `make bench-statistics`."""
    return statistics.read_tvb_statistics()


def test_statistics_of_a_known_activity():
    times = np.arange(20 * 500) / 500
    psp = np.zeros((1, len(times), 3))
    psp[0, :, 1] = 1 + 2 * np.sin(2 * np.pi * 10 * times)
    psp[0, :, 2] = 3 + 4 * np.sin(2 * np.pi * 5 * times)
    for peak in (2.0, 5.0, 11.0):
        psp[0, :, 0] += 12 * np.exp(-(((times - peak) / 0.02) ** 2))
    found = statistics.activity_statistics(psp).iloc[0]
    assert found["background mean (mV)"] == pytest.approx(2)
    assert found["background deviation (mV)"] == pytest.approx(3 / np.sqrt(2), rel=1e-3)
    # A sine of amplitude A has the power A**2 / 2; averaged over the two nodes.
    assert found["alpha power (mV²)"] == pytest.approx(1, rel=0.01)
    assert found["theta power (mV²)"] == pytest.approx(4, rel=0.01)
    assert found["beta power (mV²)"] < 1e-3
    assert found[statistics.SPIKE_RATE] == pytest.approx(3 / 20)


def test_oscillation_frequency_of_sines_and_of_rest():
    times = np.arange(4 * 500) / 500
    sines = [
        3 + amplitude * np.sin(2 * np.pi * hertz * times + 1)
        for amplitude, hertz in ((0.2, 10), (5, 3.5), (0.1, 10))
    ]
    found = statistics.oscillation_frequency(np.array(sines))
    np.testing.assert_allclose(found, [10, 3.5, np.nan])


def test_small_brain_keeps_the_regime(part):
    whole = load_connectome("template")
    assert part.n_nodes == 24
    assert np.median(part.weights.sum(axis=1)) == pytest.approx(
        np.median(whole.weights.sum(axis=1))
    )
    # The strongest links of the hub, all scaled alike.
    strongest = np.sort(whole.weights[300])[::-1][:23]
    scale = part.weights[0, 1:] / strongest
    assert np.ptp(scale) < 1e-12
    assert scale[0] > 1


def test_networks_side_by_side_do_not_meet(part):
    rng = np.random.default_rng(0)
    past = rng.uniform(-1, 1, (300, 6, 24))
    options = {"noise_std": 0, "duration": 0.3, "dtype": "float64"}
    three = statistics._side_by_side(part, 3)
    together = simulate(three, initial=np.tile(past, 3), **options)[0]
    alone = simulate(part, initial=past, **options)[0]
    np.testing.assert_allclose(together, np.tile(alone, 3), rtol=0, atol=1e-12)


def assert_equal_statistics(ours, theirs, bound=5.0):
    """Within the bound (%), and no further apart than chance allows.

    Standard errors are known, and must be small enough for the bound to mean
    something. Were all eighty comparisons independent, chance alone would take one of
    them beyond four errors once in two hundred times.
    """
    table = statistics.engine_differences(ours, theirs)
    defined = table.dropna()
    assert len(defined) >= len(table) - 1  # a healthy node never spikes
    assert (table.loc[table["theirs"] == 0, "ours"] < 0.01).all()
    assert defined["error"].max() < 3
    assert defined["difference"].abs().max() < bound
    assert defined["z"].abs().max() < 4


def test_noisy_statistics_equal_tvb(part, reference):
    assert len(reference) == 10 * len(statistics.CONDITIONS)
    ours = pd.concat(
        statistics.summarize_runs(
            statistics.run_condition(
                part, condition, range(2 * condition.n_runs), seed=5
            ),
            condition,
        )
        for condition in statistics.CONDITIONS
    )
    assert_equal_statistics(ours, reference)


@pytest.mark.slow
def test_stored_statistics_are_tvbs(part, reference):
    pytest.importorskip("tvb.simulator", reason="needs the extra 'tvb'")
    condition = statistics.Condition(3.6)
    again = statistics.run_condition(part, condition, range(3), "tvb", 9, copies=5)
    again = statistics.summarize_runs(again, condition)
    stored = reference[
        (reference["gain"] == 3.6) & (reference["noise_std"] == condition.noise_std)
    ]
    assert_equal_statistics(again, stored)


@pytest.mark.slow
def test_torch_engine_makes_the_same_statistics(part, reference):
    condition = statistics.Condition(3.6)
    ours = statistics.run_condition(part, condition, range(24), "torch", seed=5)
    stored = reference[
        (reference["gain"] == 3.6) & (reference["noise_std"] == condition.noise_std)
    ]
    assert_equal_statistics(statistics.summarize_runs(ours, condition), stored)
