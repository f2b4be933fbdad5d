"""Seizures of virtual patients: waveforms, recordings, scores."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.signal import find_peaks

import deepsif_lite as dl
from deepsif_lite.errors import MismatchError, OptionError
from deepsif_lite.evaluation import (
    ictal_waveform,
    image_spike,
    score_seizure,
    virtual_cohort,
    virtual_seizure,
)

SFREQ = 500.0


@pytest.fixture(scope="module")
def clips():
    return dl.load_spike_library("lite", split="test")


@pytest.fixture(scope="module")
def patient(clips):
    return virtual_cohort(1, dl.load_head_model("template-75"), clips, seed=5)[0]


def test_sustained_spikes_come_without_pause_and_are_sharp():
    wave = ictal_waveform("sustained spikes", 2500, SFREQ, seed=1)
    peaks, _ = find_peaks(wave, height=0.6, distance=25)
    gaps = np.diff(peaks) / SFREQ
    assert 2 < 1 / gaps.mean() < 7  # a second
    assert gaps.max() < 2 * np.median(gaps)
    assert wave.max() == 1
    assert wave.max() > -1.5 * wave.min()


def test_a_rhythm_is_nearly_a_sine_of_one_frequency():
    wave = ictal_waveform("rhythmic", 2500, SFREQ, seed=1)
    power = np.abs(np.fft.rfft(wave)) ** 2
    frequency = np.fft.rfftfreq(len(wave), 1 / SFREQ)
    near = np.abs(frequency - frequency[power.argmax()]) < 1
    assert 8 < frequency[power.argmax()] < 14
    assert power[near].sum() > 0.75 * power.sum()


def test_waveforms_depend_on_the_seed_alone():
    one, again, other = (ictal_waveform("rhythmic", 100, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


def test_kinds_have_names():
    with pytest.raises(OptionError, match="absence"):
        ictal_waveform("absence", 100)


def test_a_seizure_is_quiet_before_its_onset(patient, clips):
    seizure = virtual_seizure(patient, "sustained spikes", clips, seed=1)
    evoked = seizure.patient.evoked
    power = evoked.data.std(axis=0)
    assert power[evoked.times > -0.4].mean() > 1.5 * power[evoked.times < -0.6].mean()
    assert np.flatnonzero(seizure.truth.any(axis=0)).tolist() == sorted(patient.source)


def test_the_truth_scores_as_a_faultless_image(patient, clips):
    seizure = virtual_seizure(patient, "rhythmic", clips, seed=1)
    cortex = patient.head.cortex
    perfect = SimpleNamespace(activity=seizure.truth.T, cortex=cortex)
    scores = score_seizure(perfect, seizure)
    assert scores["precision"] == scores["recall"] == 1
    assert scores["localization_error"] == 0
    assert scores["correlation"] == pytest.approx(1)


def test_the_image_of_a_seizure_has_the_samples_of_its_truth(patient, clips):
    seizure = virtual_seizure(patient, "rhythmic", clips, seed=1)
    image = image_spike(
        seizure.patient, "sloreta", head=dl.load_head_model("template-75")
    )
    assert image.activity.T.shape == seizure.truth.shape
    assert 0 <= score_seizure(image, seizure)["recall"] <= 1


def test_only_known_sources_have_virtual_seizures(patient, clips):
    unknown = SimpleNamespace(name="x", head=None, source=None)
    with pytest.raises(MismatchError, match="'x'"):
        virtual_seizure(unknown, "rhythmic", clips)
