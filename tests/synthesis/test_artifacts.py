"""Artifacts: spectra, topographies, levels, and that seeds tell them all."""

import pickle

import numpy as np
import pytest
import torch

import deepsif_lite as dl
from deepsif_lite.errors import OptionError, SignalError
from deepsif_lite.head import load_artifact_sources
from deepsif_lite.synthesis import (
    OCCURRENCES,
    ArtifactGenerator,
    Occurrence,
    artifact_courses,
    mix_artifacts,
    stack_artifacts,
)

SFREQ, N_TIMES = 500.0, 1000


@pytest.fixture(scope="module")
def head():
    return dl.load_head_model("template-75")


@pytest.fixture(scope="module")
def generator(head):
    sources = load_artifact_sources()
    return ArtifactGenerator(
        sources.at(head.sensors), sources.sites, head.sensors, SFREQ
    )


@pytest.fixture
def only(generator):
    """Draw many samples of one kind; each has one artifact."""

    def draw(kind, n_samples=60, most=1):
        one = ArtifactGenerator(
            generator.fields,
            generator.sites,
            generator.electrodes,
            SFREQ,
            {kind: Occurrence(1.0, most)},
        )
        rng = np.random.default_rng(5)
        drawn = [one.draw(N_TIMES, rng) for _ in range(n_samples)]
        return [np.concatenate(parts) for parts in zip(*drawn, strict=True)]

    return draw


def share_of_power(courses, low, high):
    """Share of the power between two frequencies, by a periodogram, over all rows."""
    spectrum = np.abs(np.fft.rfft(courses * np.hanning(courses.shape[1]))) ** 2
    frequencies = np.fft.rfftfreq(courses.shape[1], 1 / SFREQ)
    inside = (frequencies >= low) & (frequencies <= high)
    return spectrum[:, inside].sum(axis=1) / spectrum.sum(axis=1)


# ------------------------------------------------------------------------- a sample


def test_every_artifact_has_mean_zero_size_one_and_average_reference(generator):
    rng = np.random.default_rng(0)
    drawn = [generator.draw(N_TIMES, rng) for _ in range(200)]
    for courses, topographies in drawn:
        assert courses.shape == (len(topographies), N_TIMES)
        assert topographies.shape == (len(courses), 75)
        assert courses.dtype == topographies.dtype == np.float32
        np.testing.assert_allclose(courses.mean(axis=1), 0, atol=1e-5)
        np.testing.assert_allclose((courses**2).mean(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(topographies.mean(axis=1), 0, atol=1e-6)
        size = np.sqrt((topographies**2).mean(axis=1))
        assert ((size > 0.299) & (size < 1.001)).all()
    # Kinds are independent of each other: so many samples have none.
    none = np.prod([1 - occurrence.share for occurrence in OCCURRENCES.values()])
    without = np.mean([len(courses) == 0 for courses, _ in drawn])
    assert without == pytest.approx(none, abs=4 * np.sqrt(none / 200))


def test_a_seed_tells_the_sample_also_after_pickling(generator):
    again = pickle.loads(pickle.dumps(generator))
    for seed in range(20):
        first = generator.draw(N_TIMES, np.random.default_rng(seed))
        second = again.draw(N_TIMES, np.random.default_rng(seed))
        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("sfreq", "n_times"), [(50.0, 2), (100.0, 50), (128.0, 20)])
def test_slow_amplifiers_and_short_windows_have_artifacts_too(
    generator, sfreq, n_times
):
    slow = ArtifactGenerator(
        generator.fields, generator.sites, generator.electrodes, sfreq
    )
    rng = np.random.default_rng(1)
    courses = np.concatenate([slow.draw(n_times, rng)[0] for _ in range(100)])
    np.testing.assert_allclose((courses**2).mean(axis=1), 1, rtol=1e-5)


def test_a_rate_too_low_for_the_mains_has_none():
    rng = np.random.default_rng(0)
    assert not artifact_courses.mains(2, 50, 100.0, rng).any()


def test_what_does_not_belong_together_is_refused(generator, head):
    sites = generator.sites
    with pytest.raises(SignalError, match="fields has shape"):
        ArtifactGenerator(generator.fields[:4], sites, head.sensors, SFREQ)
    with pytest.raises(SignalError, match="electrodes has shape"):
        ArtifactGenerator(generator.fields, sites, head.sensors[:, :2], SFREQ)
    with pytest.raises(OptionError, match="sfreq=0"):
        ArtifactGenerator(generator.fields, sites, head.sensors, 0)
    with pytest.raises(OptionError, match="'breath' is unknown"):
        ArtifactGenerator(
            generator.fields, sites, head.sensors, SFREQ, {"breath": Occurrence(1)}
        )
    with pytest.raises(OptionError, match="n_times=1"):
        generator.draw(1, np.random.default_rng(0))


# ------------------------------------------------------------------ spectra in time


def test_mains_are_at_50_or_60_hertz_and_harmonics(only):
    courses, _ = only("mains")
    shares = [share_of_power(courses, base - 2, base + 2) for base in (50, 60)]
    assert np.maximum(*shares).min() > 0.9
    assert 0.2 < np.mean(shares[0] > 0.5) < 0.8
    # A harmonic of 1/4 the size and one of 1/9.
    lines = sum(
        share_of_power(courses, base * k - 2, base * k + 2)
        for base in (50, 60)
        for k in (1, 2, 3)
    )
    assert lines.min() > 0.999
    assert shares[0].max() < 1 / (1 + 1 / 16)


def test_contracting_muscles_are_above_15_hertz_and_the_others_slow(only):
    courses, _ = only("muscle", 300)
    fast = share_of_power(courses, 14, 205)
    assert ((fast > 0.95) | (fast < 0.05)).all()
    assert np.mean(fast > 0.5) == pytest.approx(0.8, abs=0.08)


def test_motor_units_share_an_envelope_and_nothing_else():
    rng = np.random.default_rng(2)
    units = artifact_courses.bursts(2, 20000, SFREQ, rng)
    assert abs(np.corrcoef(units)[0, 1]) < 0.1
    smooth = np.ones(1000) / 1000
    envelopes = [np.convolve(unit**2, smooth, "same") for unit in units]
    assert np.corrcoef(envelopes)[0, 1] > 0.8


@pytest.mark.parametrize("kind", ["eye", "drift"])
def test_eyes_and_sweat_are_slow(only, kind):
    courses, _ = only(kind)
    # A saccade has an edge, whose spectrum falls as 1/f.
    assert np.median(share_of_power(courses, 0, 10)) > 0.95


def test_a_heart_beats_50_to_100_times_a_minute():
    for seed in range(20):
        course = artifact_courses.beats(10000, SFREQ, np.random.default_rng(seed))
        peaks = np.flatnonzero(
            (course[1:-1] > 0.8)
            & (course[1:-1] >= course[:-2])
            & (course[1:-1] > course[2:])
        )
        rate = 60 * SFREQ / np.diff(peaks)
        assert 49 < rate.min() <= rate.max() < 101
        assert np.ptp(rate) < 1


def test_a_blink_lasts_80_to_200_milliseconds():
    times = np.arange(4000) / 4000
    for seed in range(50):
        # The tallest of two that may overlap, so at most about twice as long.
        course = artifact_courses.blinks(4000, 4000.0, np.random.default_rng(seed))
        assert course.max() > 0.6
        wide = times[course > course.max() / 2]
        assert 0.02 < len(wide) / 4000 < 0.41


def test_the_power_of_slow_noise_falls_as_1_over_f_to_1_over_f_squared():
    rng = np.random.default_rng(0)
    rows = np.concatenate(
        [artifact_courses.slow(1, 4000, 100.0, rng) for _ in range(300)]
    )
    spectrum = (np.abs(np.fft.rfft(rows * np.hanning(4000))) ** 2).mean(axis=0)
    frequencies = np.fft.rfftfreq(4000, 1 / 100)
    band = (frequencies > 0.2) & (frequencies < 2)
    slope = np.polyfit(np.log10(frequencies[band]), np.log10(spectrum[band]), 1)[0]
    assert -2.1 < slope < -0.9
    beyond = spectrum[frequencies > 11].sum() / spectrum.sum()
    assert beyond < 1e-3


# -------------------------------------------------------------------- topographies


def test_eyes_are_largest_in_front(only, head):
    _, topographies = only("eye", 200)
    largest = {head.ch_names[k] for k in np.abs(topographies).argmax(axis=1)}
    assert largest <= set("Fp1 Fp2 Fpz AF7 AF8 F7 F8 F9 F10 Nz".split())


def mirrored(ch_names):
    """Position of each channel's partner: even numbers are on the right."""
    partner = []
    for name in ch_names:
        stem = name.rstrip("0123456789")
        digits = name.removeprefix(stem)
        if digits:
            digits = str(int(digits) + (1 if int(digits) % 2 else -1))
        partner.append(ch_names.index(stem + digits))
    return partner


def test_blinks_are_alike_on_both_sides_and_saccades_opposite(only, head):
    _, topographies = only("eye", 300)
    other = topographies[:, mirrored(head.ch_names)]
    symmetry = (topographies * other).sum(axis=1) / (topographies**2).sum(axis=1)
    # A third of the movements are blinks and a third are saccades, mostly level.
    assert 0.28 < np.mean(symmetry > 0.7) < 0.6
    assert 0.15 < np.mean(symmetry < -0.7) < 0.45
    alike = topographies[symmetry > 0.95]
    largest = [head.ch_names[k] for k in np.abs(alike).argmax(axis=1)]
    assert np.mean(np.isin(largest, ("Fp1", "Fp2"))) > 0.8


def test_a_bad_electrode_is_alone(only):
    _, topographies = only("electrode", most=3)
    magnitude = np.sort(np.abs(topographies), axis=1)
    others = np.broadcast_to(magnitude[:, :1], (len(magnitude), 74))
    np.testing.assert_allclose(magnitude[:, :-1], others, rtol=1e-4)
    np.testing.assert_allclose(magnitude[:, -1], 74 * magnitude[:, 0], rtol=1e-4)


@pytest.mark.parametrize("kind", ["drift", "heart"])
def test_sweat_and_heart_are_linear_over_the_head(only, head, kind):
    _, topographies = only(kind)
    plane = np.column_stack([head.sensors, np.ones(75)])
    fitted = plane @ np.linalg.lstsq(plane, topographies.T, rcond=None)[0]
    np.testing.assert_allclose(fitted, topographies.T, atol=1e-4)


def test_a_muscle_is_on_its_side_of_the_head(only, head):
    _, topographies = only("muscle", 200)
    largest = head.sensors[np.abs(topographies).argmax(axis=1)]
    height = largest[:, 2] - head.sensors[:, 2].mean()
    # Temple, jaw, forehead and neck are all around, and none is at the crown.
    assert {tuple(side) for side in np.sign(largest[:, :2])} >= {
        (x, y) for x in (-1, 1) for y in (-1, 1)
    }
    assert height.max() < 0.06


# -------------------------------------------------------------------------- adding


def decibels(signal, other):
    centered = [x - x.mean(axis=1, keepdims=True) for x in (signal, other)]
    powers = [(x.astype(float) ** 2).mean(axis=(1, 2)) for x in centered]
    return 10 * np.log10(powers[0] / powers[1])


@pytest.fixture(scope="module")
def stacked(generator):
    rng = np.random.default_rng(3)
    drawn = [generator.draw(N_TIMES, rng) for _ in range(20)]
    drawn[4] = drawn[4][0][:0], drawn[4][1][:0]  # a sample of none
    eeg = rng.standard_normal((20, N_TIMES, 75)) * rng.uniform(1, 9, (20, 1, 1))
    eeg = eeg - eeg.mean(axis=2, keepdims=True) + rng.standard_normal((20, 1, 1))
    levels = rng.uniform(-20, 10, 20).astype(np.float32)
    return drawn, eeg.astype(np.float32), levels


def test_artifacts_have_their_level_and_keep_the_reference(stacked):
    drawn, eeg, levels = stacked
    courses, topographies = stack_artifacts(drawn)
    mixed = mix_artifacts(eeg, courses, topographies, levels)
    assert mixed.dtype == np.float32
    there = [len(rows) > 0 for rows, _ in drawn]
    found = decibels((mixed - eeg)[there], eeg[there])
    np.testing.assert_allclose(found, levels[there], atol=1e-3)
    np.testing.assert_array_equal(mixed[4], eeg[4])
    np.testing.assert_allclose(mixed.mean(axis=2), eeg.mean(axis=2), atol=1e-4)


def test_a_batch_is_its_samples_and_a_tensor_is_an_array(stacked):
    drawn, eeg, levels = stacked
    courses, topographies = stack_artifacts(drawn)
    mixed = mix_artifacts(eeg, courses, topographies, levels)
    for k in range(len(drawn)):
        alone = mix_artifacts(eeg[k], *drawn[k], float(levels[k]))
        np.testing.assert_allclose(alone, mixed[k], rtol=1e-4, atol=1e-4)
    tensors = (torch.tensor(x) for x in (eeg, courses, topographies, levels))
    np.testing.assert_allclose(mix_artifacts(*tensors), mixed, rtol=1e-4, atol=1e-4)


def test_nothing_is_added_to_a_silent_recording(stacked):
    courses, topographies = stack_artifacts(stacked[0])
    silence = np.zeros((20, N_TIMES, 75), np.float32)
    mixed = mix_artifacts(silence, courses, topographies, 0.0)
    np.testing.assert_array_equal(mixed, silence)
