from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite.evaluation import (
    misplace_electrodes,
    published_patient,
    score_patient,
    virtual_cohort,
    virtual_response,
)
from deepsif_lite.head import load_head_model, topography_correlation
from deepsif_lite.imaging import SourceImage
from deepsif_lite.signals import average_reference
from deepsif_lite.spikes import SpikeLibrary


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-64")


@pytest.fixture(scope="module")
def clips(head):
    """Three clips: a smooth spike at sample 250 over a weak random background."""
    n_clips, n_regions, n_coefs = 3, head.cortex.n_regions, 30
    rng = np.random.default_rng(0)
    times = np.arange(500)
    wave = 2 + 8 * np.exp(-(((times - 250) / 12) ** 2) / 2)
    return SpikeLibrary(
        waveforms=np.tile(wave, (n_clips, 1)).astype(np.float32),
        seeds=np.array([5, 300, 800]),
        peaks=np.full(n_clips, 250),
        spans=[np.array([[200, 300]])] * n_clips,
        means=np.full(n_clips, 2.5),
        gains=np.full(n_clips, 3.6),
        settings=np.ones((n_clips, 2)),
        levels=rng.integers(-20, 20, (n_clips, n_regions, n_coefs)).astype(np.int16),
        step=0.05,
        sfreq=500.0,
        cortex="template-994",
    )


@pytest.fixture(scope="module")
def cohort(head, clips):
    return virtual_cohort(4, head, clips, seed=1)


def truth_image(patient, head, regions):
    activity = np.full((head.cortex.n_regions, len(patient.evoked.times)), 0.01)
    activity[regions] = 1
    return SourceImage(activity, patient.evoked.times, head.cortex, "truth")


def test_patients_depend_on_seed_and_index_alone(head, clips, cohort):
    again = virtual_cohort(2, head, clips, seed=1)
    other = virtual_cohort(2, head, clips, seed=2)
    for a, b, c in zip(cohort, again, other, strict=False):
        np.testing.assert_allclose(a.evoked.data, b.evoked.data, atol=1e-9)
        np.testing.assert_array_equal(a.resection, b.resection)
        assert not np.array_equal(a.source, c.source)


def test_source_and_onset_zone_lie_inside_the_resection(head, cohort):
    for patient in cohort:
        assert patient.virtual
        assert set(patient.source) < set(patient.resection)
        assert set(patient.onset_zone) <= set(patient.source)
        areas = head.cortex.areas
        ratio = areas[patient.resection].sum() / areas[patient.source].sum()
        assert 1.2 < ratio < 3.5
        assert len(set(head.cortex.hemisphere[patient.resection])) == 1


def test_recording_is_a_plausible_spike(head, cohort):
    for patient in cohort:
        evoked = patient.evoked
        assert evoked.ch_names == head.ch_names
        assert np.abs(evoked.data).max() == pytest.approx(60e-6)
        assert evoked.times[evoked.data.std(axis=0).argmax()] == 0
        at_peak = evoked.data[:, evoked.times == 0]
        topography = head.leadfield[:, patient.source].sum(axis=1, keepdims=True)
        assert abs(topography_correlation(at_peak, topography)[0]) > 0.9


def test_electrodes_move_by_the_distance_asked_for(head):
    rng = np.random.default_rng(0)
    still = misplace_electrodes(head, 0.0, rng)
    reference = average_reference(head.leadfield)
    np.testing.assert_allclose(
        average_reference(still.leadfield), reference, atol=1e-6 * reference.max()
    )
    medians = [
        np.median(
            topography_correlation(
                misplace_electrodes(head, d, rng).leadfield, head.leadfield
            )
        )
        for d in (0.002, 0.005, 0.010)
    ]
    assert medians[0] > 0.99
    assert medians[0] > medians[1] > medians[2] > 0.9


def test_scores_of_a_perfect_and_a_partial_image(head, cohort):
    patient = cohort[0]
    perfect = score_patient(patient, truth_image(patient, head, patient.resection))
    assert perfect["precision"] == pytest.approx(1)
    assert perfect["recall"] == pytest.approx(1)
    assert perfect["spatial_dispersion"] == 0
    assert perfect["onset_zone_error"] == 0
    part = score_patient(patient, truth_image(patient, head, patient.source))
    areas = head.cortex.areas
    share = areas[patient.source].sum() / areas[patient.resection].sum()
    assert part["recall"] == pytest.approx(share)
    assert part["precision"] == pytest.approx(1)
    assert part["onset_zone_average_error"] > 0


@pytest.mark.published(
    "fast-ires/Spikes/Spike_I/Data_Avg.mat", "fast-ires/Raw 273/273_ele_ERD.xyz"
)
def test_published_patient_has_no_published_resection(head):
    patient = published_patient()
    assert not patient.virtual
    assert patient.evoked.data.shape == (75, 2001)
    with pytest.raises(ValueError, match="resection"):
        score_patient(patient, truth_image(patient, head, [0]))


def test_virtual_response_peaks_when_and_where_it_should(head):
    place = (-0.010, -0.085, 0.0)
    evoked = virtual_response(head, place, latency=0.093, noise=0)
    assert evoked.times[0] == pytest.approx(-0.2)
    peak = np.abs(evoked.data).max(axis=0).argmax()
    assert evoked.times[peak] == pytest.approx(0.093, abs=0.004)
    fit = topography_correlation(evoked.data[:, [peak]], head.leadfield)
    best = 1e3 * head.cortex.centroids[np.abs(fit).argmax()]
    assert np.linalg.norm(best - 1e3 * np.array(place)) < 25
