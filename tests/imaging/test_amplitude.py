from __future__ import annotations

import mne
import numpy as np
import pytest

import deepsif_lite as dl
from deepsif_lite.imaging import (
    Evidence,
    Moment,
    SourceImage,
    fit_amplitude,
    in_ampere_meters,
    source_moment,
)

MOMENT = 250e-9  # A m, of the whole source at its peak


@pytest.fixture(scope="module")
def head():
    return dl.load_head_model("template-75")


@pytest.fixture(scope="module")
def source(head):
    """A patch whose vertices together have a known moment, and its potentials."""
    cortex = head.cortex
    patch = dl.grow_patch(cortex, 120, rng=0)
    n_vertices = np.isin(cortex.region_of_vertex, patch).sum()
    times = np.arange(500) / 500
    course = np.exp(-0.5 * ((times - 0.4) / 0.02) ** 2)
    activity = np.zeros((cortex.n_regions, 500))
    activity[patch] = course * MOMENT / n_vertices
    return patch, activity, (head.leadfield @ activity).T


def an_image(head, activity, eeg):
    times = np.arange(len(eeg)) / 500
    evidence = Evidence(eeg, head)
    return SourceImage(activity, times, head.cortex, "deepsif", evidence=evidence)


def test_a_known_moment_comes_back(head, source):
    patch, activity, eeg = source
    # The reference is another one, and the image has any scale.
    image = an_image(head, activity / activity.max(), eeg + 7e-6)
    found = fit_amplitude(image)
    assert found.scale == pytest.approx(activity.max(), rel=1e-6)
    assert found.explained == pytest.approx(1)
    moments = in_ampere_meters(image)
    assert moments.unit == "A m"
    assert moments.activity[patch].sum(axis=0).max() == pytest.approx(MOMENT, rel=1e-6)
    with pytest.raises(dl.errors.MismatchError, match="already"):
        fit_amplitude(moments)


def test_the_standard_error_is_that_of_repetitions(head, source):
    _, activity, eeg = source
    rng = np.random.default_rng(0)
    times = np.arange(500) / 500
    # Something that lasts, so that every block of time tells of it.
    wave = np.abs(activity).max(axis=1)[:, None] * np.sin(2 * np.pi * 8 * times)
    clean = (head.leadfield @ wave).T
    found = [
        fit_amplitude(
            an_image(
                head, wave, clean + 2 * clean.std() * rng.standard_normal(clean.shape)
            )
        )
        for _ in range(60)
    ]
    spread = np.std([each.scale for each in found])
    assert np.mean([each.scale for each in found]) == pytest.approx(1, abs=0.02)
    assert np.mean([each.error for each in found]) == pytest.approx(spread, rel=0.35)


def test_a_recording_in_volts_is_imaged_in_ampere_meters(head, source):
    patch, _, eeg = source
    rng = np.random.default_rng(1)
    noise = 0.1 * eeg.std() * rng.standard_normal(eeg.shape)
    evoked = mne.EvokedArray((eeg + noise).T, head.info, verbose="error")
    image = in_ampere_meters(dl.image(evoked, "deepsif", head=head))
    strength = np.abs(image.activity.sum(axis=0)).max()
    assert 0.6 * MOMENT < strength < 1.6 * MOMENT
    assert image.strongest(1)[0] in patch


def test_what_cannot_be_scaled_is_refused(head, source):
    _, activity, eeg = source
    image = an_image(head, activity, eeg)
    with pytest.raises(dl.errors.MismatchError, match="take a whole one"):
        fit_amplitude(image.crop(0.1, 0.2))
    with pytest.raises(dl.errors.SignalError, match="no positive factor"):
        fit_amplitude(an_image(head, activity, -eeg))
    evoked = mne.EvokedArray(eeg.T, head.info, verbose="error")
    with pytest.raises(dl.errors.MismatchError, match="standardized"):
        fit_amplitude(dl.image(evoked, "sloreta", head=head))


def test_the_moment_of_a_source_is_given_with_its_range(head, source):
    patch, activity, eeg = source
    found = source_moment(an_image(head, activity, eeg), patch, 0.39, 0.41)
    assert found.value == pytest.approx(MOMENT, rel=1e-6)
    assert found.low == pytest.approx(MOMENT * np.exp(-1 / 8), rel=1e-6)
    assert found.high == pytest.approx(MOMENT, rel=1e-6)
    assert found.reliable
    assert str(found) == "250 nA m (221 to 250)"
    strong = Moment(*(-1e-9 * np.array([1754, 1754, 1523])), 1.0)
    assert str(strong) == "-1750 nA m (-1750 to -1520)"
    # What the rest of the window says otherwise widens it: here, half as much there.
    half = eeg * np.where(np.abs(np.arange(500) / 500 - 0.4) < 0.011, 1, 0.5)[:, None]
    wide = source_moment(an_image(head, activity, half), patch, 0.39, 0.41)
    assert wide.low < 0.95 * wide.high
    assert wide.low < MOMENT * np.exp(-1 / 8) < wide.high


def test_a_moment_without_a_stable_sign_is_flagged(head, source):
    patch, activity, _ = source
    swing = activity * np.sign(np.arange(500) / 500 - 0.401)
    found = source_moment(
        an_image(head, swing, (head.leadfield @ swing).T), patch, 0.39, 0.41
    )
    assert not found.reliable
    assert "the sign changes" in str(found)


def test_regions_that_cancel_each_other_are_flagged(head, source):
    patch, activity, _ = source
    split = activity.copy()
    # Of eight regions' moments all but a little cancel.
    size = np.bincount(
        head.cortex.region_of_vertex[head.cortex.region_of_vertex >= 0],
        minlength=head.cortex.n_regions,
    )
    course = activity[patch[0]]
    for k, region in enumerate(patch[:8]):
        split[region] = course / size[region] * (1.5 if k % 2 else -1)
    image = an_image(head, split, (head.leadfield @ split).T)
    found = source_moment(image, patch[:8], 0.39, 0.41)
    assert found.coherence == pytest.approx(0.2, abs=1e-6)
    assert not found.reliable
    assert "cancel" in str(found)


def test_a_window_of_the_other_polarity_is_flagged(head, source):
    patch, activity, eeg = source
    # As a whole the image fits, but not around the time of interest.
    late = np.roll(activity, 50, axis=1)
    image = an_image(head, activity + 3 * late, -eeg + 9 * np.roll(eeg, 50, axis=0))
    assert not source_moment(image, patch, 0.39, 0.41).reliable


def test_a_moment_of_nothing_is_refused(head, source):
    _, activity, eeg = source
    with pytest.raises(dl.errors.OptionError, match="regions is empty"):
        source_moment(an_image(head, activity, eeg), [], 0.39, 0.41)
