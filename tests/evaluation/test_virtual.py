from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite.errors import OptionError
from deepsif_lite.evaluation import (
    cluster_spikes,
    misplace_electrodes,
    virtual_cohort,
)
from deepsif_lite.evaluation.people import N_PEOPLE, own_head, temporal_lobe
from deepsif_lite.evaluation.spike_recordings import course_of
from deepsif_lite.head import (
    HEAD_VARIANTS,
    load_cap_sampler,
    load_head_model,
    topography_correlation,
    training_caps,
)
from deepsif_lite.metrics import correlation
from deepsif_lite.network import load_card
from deepsif_lite.signals import average_reference
from deepsif_lite.spikes import load_spike_library


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-75")


@pytest.fixture(scope="module")
def clips():
    return load_spike_library("lite", split="test")


@pytest.fixture(scope="module")
def cohort(head, clips):
    return virtual_cohort(3, head, clips, seed=1)


def test_patients_depend_on_seed_and_index_alone(head, clips, cohort):
    again = virtual_cohort(2, head, clips, seed=1)
    other = virtual_cohort(2, head, clips, seed=2)
    for a, b, c in zip(cohort, again, other, strict=False):
        np.testing.assert_allclose(a.evoked.data, b.evoked.data, atol=1e-9)
        np.testing.assert_array_equal(a.resection, b.resection)
        assert not np.array_equal(a.source, c.source)


def test_heads_are_none_of_the_training(head):
    """Shapes have other seeds, and at equal electrodes the leadfields differ."""
    mine = {HEAD_VARIANTS[f"shape-{k + 1:02d}"].geometry.shape for k in range(N_PEOPLE)}
    first = training_caps._FIRST_SHAPE
    assert not mine & set(range(first, first + training_caps._N_HEADS))
    sampler = load_cap_sampler()
    trained = [scalp.at(head.sensors) for scalp in (sampler.scalp, *sampler.others)]
    rng = np.random.default_rng(0)
    for index in range(0, N_PEOPLE, 5):
        own = own_head(index, head, 0.0, rng)
        for leadfield in trained:
            apart = average_reference(own.leadfield) - average_reference(leadfield)
            size = np.linalg.norm(average_reference(leadfield), axis=0)
            assert np.median(np.linalg.norm(apart, axis=0) / size) > 0.03


def test_clips_are_none_of_the_training(clips):
    trained = load_spike_library("lite", split="train")
    known = {wave.tobytes() for wave in trained.waveforms}
    assert not known & {wave.tobytes() for wave in clips.waveforms}
    # Not a piece of a training clip either: no waveform follows from one.
    waves = trained.waveforms - trained.waveforms.mean(axis=1, keepdims=True)
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    own = clips.waveforms - clips.waveforms.mean(axis=1, keepdims=True)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    assert np.abs(own @ waves.T).max() < 0.9999


def test_seeds_are_none_of_the_training(head, clips, monkeypatch):
    """The cohort's key is longer than any stream of samples has."""
    keys, make = [], np.random.default_rng

    def listen(key=None):
        keys.append(key)
        return make(key)

    monkeypatch.setattr(np.random, "default_rng", listen)
    virtual_cohort(1, head, clips, seed=load_card("lite")["training"]["seed"])
    first = [key[0] for key in keys if isinstance(key, list)]
    assert first
    assert min(first) > 2**32  # seeds of trainings are 32-bit numbers


def test_make_up_is_that_of_the_paper(head):
    from deepsif_lite.evaluation.people import draw_person

    people = [
        draw_person(k, head, 0.005, np.random.default_rng([7, k]))
        for k in range(N_PEOPLE)
    ]
    lobe, areas = temporal_lobe(head.cortex), head.cortex.areas
    assert sum(lobe[person.source[0]] for person in people) == 14
    assert sum(person.outcome.endswith("ILAE 2") for person in people) == 2
    assert sum(person.implanted for person in people) == 14
    held = []
    for person in people:
        assert set(person.onset_zone) <= set(person.source)
        assert len(set(head.cortex.hemisphere[person.resection])) == 1
        inside = np.isin(person.source, person.resection)
        held.append(areas[person.source[inside]].sum() / areas[person.source].sum())
    assert min(held) < 0.9 < max(held)  # surgery need not take all of the source


def test_no_more_patients_than_heads(head, clips):
    with pytest.raises(OptionError, match="n_patients=21"):
        virtual_cohort(21, head, clips)


def test_recording_is_a_plausible_spike(head, cohort):
    for patient in cohort:
        assert patient.virtual
        assert patient.evoked.ch_names == head.ch_names
        assert patient.n_spikes == len(patient.spikes)
        assert np.abs(patient.evoked.data).max() == pytest.approx(60e-6)
        at_peak = patient.evoked.data[:, [np.abs(patient.evoked.times).argmin()]]
        own = patient.head.leadfield[:, patient.source].sum(axis=1, keepdims=True)
        assert abs(topography_correlation(at_peak, own)[0]) > 0.8


def test_a_course_holds_one_spike_with_its_peak_at_one_time(clips):
    for clip in range(0, len(clips), 20):
        values, peak = course_of(clips, clip)
        wave = clips.waveforms[clip] - clips.means[clip]
        top = wave[clips.peaks[clip]]
        assert values[peak] == pytest.approx(top / np.abs(wave).max(), abs=0.6)
        assert np.abs(values).max() == pytest.approx(1)
        assert values[peak] > 0.4
        assert values[0] == values[-1] == 0


def test_temporal_lobe_lies_below_the_fissure(head):
    """Known places: the tip, the fusiform gyrus; motor cortex, the orbit."""
    centers = head.cortex.centroids
    places = {(-40, 10, -35): True, (40, -30, -22): True}
    places |= {(-40, -20, 60): False, (20, 40, -18): False, (0, -85, 5): False}
    for place, inside in places.items():
        nearest = np.linalg.norm(centers - 1e-3 * np.array(place), axis=1).argmin()
        assert temporal_lobe(head.cortex)[nearest] == inside


def test_the_kind_of_intracranial_spike_is_found(cohort):
    """The chosen cluster is that of the patient's own events: its course fits."""
    for patient in cohort:
        inside = patient.intracranial
        assert inside.in_onset_zone.any()
        zone = set(inside.regions(load_head_model("template-75").cortex))
        assert zone & set(patient.source)
        clusters = cluster_spikes(patient)
        assert clusters.alike[clusters.chosen] == clusters.alike.max()
        assert len(clusters.labels) == len(inside.spikes)
        assert abs(correlation(clusters.course, clusters.scalp)) > 0.8


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
