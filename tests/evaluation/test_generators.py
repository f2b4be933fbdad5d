"""Recordings in which something is set, and those of the second generator."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

import deepsif_lite as dl
from deepsif_lite import evaluation
from deepsif_lite.evaluation import ControlledEEG, IndependentEEG


@pytest.fixture(scope="module")
def parts():
    head = dl.load_head_model("template-75")
    return head, dl.load_spike_library("lite", split="test")


def courses(sample):
    return sample.activity[:, [patch[0] for patch in sample.patches]].T


def test_nothing_set_is_the_same_recording(parts):
    plain = dl.SyntheticEEG(*parts, n_sources=2, seed=3)[5]
    same = ControlledEEG(*parts, n_sources=2, seed=3)[5]
    # But for the second source, which is as strong over its background as the first.
    assert [p.tolist() for p in same.patches] == [p.tolist() for p in plain.patches]
    one = {"n_sources": 1, "seed": 3}
    np.testing.assert_array_equal(
        ControlledEEG(*parts, **one)[5].eeg, dl.SyntheticEEG(*parts, **one)[5].eeg
    )


def test_places(parts):
    head, _ = parts
    near = ControlledEEG(*parts, n_sources=2, seed=1, apart=(0.02, 0.03))
    ranges = ((0.06, 0.09), (0.0, 0.03))
    deep = ControlledEEG(*parts, n_sources=2, seed=1, depths=ranges)
    for i in range(8):
        seeds = [patch[0] for patch in near[i].patches]
        assert 0.02 <= head.cortex.distances[*seeds] <= 0.03
        depth = [head.depth[patch[0]] for patch in deep[i].patches]
        assert all(lo <= d <= hi for d, (lo, hi) in zip(depth, ranges, strict=True))
    with pytest.raises(dl.errors.OptionError, match="no region lies"):
        ControlledEEG(*parts, n_sources=2, apart=(1, 2))[0]


@pytest.mark.parametrize("wanted", [-0.5, 0.0, 0.7, 1.0])
def test_correlation(parts, wanted):
    stream = ControlledEEG(
        *parts, n_sources=3, seed=1, correlation=wanted, apart=(0.07, 1)
    )
    for i in range(3):
        sample = stream[i]
        shared = set.intersection(*(set(p.tolist()) for p in sample.patches[:2]))
        if shared:
            continue
        first, *others = courses(sample)
        found = [np.corrcoef(first, other)[0, 1] for other in others]
        np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_strength_courses_growth_and_band(parts):
    head, clips = parts
    weak = ControlledEEG(*parts, n_sources=2, seed=1, weaker_db=12)[0]
    assert weak.source_snr_db[0] - weak.source_snr_db[1] == pytest.approx(12)

    def sine(n_times, sfreq, rng):
        return np.sin(2 * np.pi * 7 * np.arange(n_times) / sfreq)

    def alone(cortex, seed, rng):
        return np.array([seed])

    sample = ControlledEEG(
        *parts, n_sources=1, seed=1, course=sine, grow=alone, band=(5, 9)
    )[0]
    assert [len(patch) for patch in sample.patches] == [1]
    expected = sine(clips.n_times, clips.sfreq, None)
    assert np.corrcoef(courses(sample)[0], expected)[0, 1] == pytest.approx(1)
    power = np.abs(np.fft.rfft(sample.eeg, axis=0)) ** 2
    frequency = np.fft.rfftfreq(len(sample.eeg), 1 / clips.sfreq)
    inside = (frequency >= 4.5) & (frequency <= 9.5)
    assert power[~inside].sum() < 1e-6 * power.sum()


def test_the_second_generator(parts):
    head, clips = parts
    stream = IndependentEEG(*parts, n_sources=2, seed=4)
    sample = stream[3]
    np.testing.assert_array_equal(sample.eeg, stream[3].eeg)
    assert np.abs(sample.eeg).max() == pytest.approx(1)
    np.testing.assert_allclose(sample.eeg.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(sample.eeg.mean(axis=1), 0, atol=1e-6)
    members = np.unique(np.concatenate(sample.patches))
    active = np.flatnonzero(np.abs(sample.activity).max(axis=0))
    np.testing.assert_array_equal(active, members)
    for patch in sample.patches:
        inside = head.cortex.adjacency[np.ix_(patch, patch)]
        assert connected_components(inside)[0] == 1
    # Without background and noise, the recording is the leadfield times the activity.
    shown = sample.activity @ (head.leadfield - head.leadfield.mean(axis=0)).T
    shown -= shown.mean(axis=0)
    assert np.corrcoef(shown.ravel(), sample.eeg.ravel())[0, 1] > 0.8


def test_growth_ends_where_the_area_is_reached(parts):
    cortex, rng = parts[0].cortex, np.random.default_rng(0)
    for area in (1e-4, 12e-4, 40e-4):
        patch = evaluation.grow_at_random(cortex, 55, area, rng)
        assert cortex.areas[patch].sum() >= min(area, cortex.areas[55])
        assert cortex.areas[patch[:-1]].sum() < area
