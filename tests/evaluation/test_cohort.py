from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deepsif_lite.errors import MismatchError
from deepsif_lite.evaluation import (
    Patient,
    compare_cohort,
    image_spike,
    score_cohort,
    score_patient,
    spike_extent,
    spike_map,
    summarize_cohort,
    virtual_cohort,
)
from deepsif_lite.head import load_head_model
from deepsif_lite.imaging import SourceImage
from deepsif_lite.spikes import load_spike_library

# Images here are scored, not believed.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-75")


@pytest.fixture(scope="module")
def cohort(head):
    return virtual_cohort(2, head, load_spike_library("lite", split="test"), seed=1)


def truth_image(patient, head, regions):
    times = patient.evoked.times
    activity = np.full((head.cortex.n_regions, len(times)), 0.01)
    activity[regions] = 1
    return SourceImage(activity, times, head.cortex, "truth")


def test_scores_of_a_perfect_and_a_partial_image(head, cohort):
    patient, areas = cohort[0], head.cortex.areas
    perfect = score_patient(patient, truth_image(patient, head, patient.resection))
    assert perfect["precision"] == pytest.approx(1)
    assert perfect["recall"] == pytest.approx(1)
    assert perfect["spatial_dispersion"] == 0
    assert perfect["area"] == pytest.approx(areas[patient.resection].sum())
    part = patient.resection[:3]
    scores = score_patient(patient, truth_image(patient, head, part))
    share = areas[part].sum() / areas[patient.resection].sum()
    assert scores["recall"] == pytest.approx(share)
    assert scores["harmonic_mean"] == pytest.approx(2 * share / (1 + share))
    assert scores["geometric_mean"] == pytest.approx(share**0.5)


def test_onset_zone_errors_by_hand(head, cohort):
    patient, cortex = cohort[0], head.cortex
    far = int(cortex.distances[patient.onset_zone[0]].argmax())
    scores = score_patient(patient, truth_image(patient, head, [far]))
    apart = np.linalg.norm(
        cortex.centroids[patient.onset_zone] - cortex.centroids[far], axis=1
    )
    assert scores["onset_zone_error"] == pytest.approx(apart.mean(), rel=1e-6)
    both = (apart.mean() + apart.min()) / 2
    assert scores["onset_zone_average_error"] == pytest.approx(both, rel=1e-6)


def test_without_a_resection_there_is_nothing_to_score(head, cohort):
    bare = Patient("bare", cohort[0].evoked, virtual=True)
    with pytest.raises(MismatchError, match="resection of 'bare'"):
        score_patient(bare, truth_image(bare, head, [0]))


def test_the_map_is_the_mean_over_100_ms_and_otsu_splits_it(head, cohort):
    image = image_spike(cohort[0], "sloreta", head=head)
    assert image.times[0] == pytest.approx(-0.5)
    at_peak = np.abs(image.times) <= 0.05 + 1e-9
    strength = np.abs(image.activity[:, at_peak].mean(axis=1))
    np.testing.assert_allclose(spike_map(image), strength)
    filters = pytest.importorskip("skimage.filters")
    threshold = filters.threshold_otsu(strength, nbins=100)
    np.testing.assert_array_equal(
        spike_extent(image), np.flatnonzero(strength > threshold)
    )


def test_cohort_is_scored_as_each_patient_is(head, cohort):
    table = score_cohort(cohort, ["sloreta"], head=head)
    assert list(table["patient"]) == [patient.name for patient in cohort]
    own = score_patient(cohort[1], image_spike(cohort[1], "sloreta", head=head))
    assert table.loc[1, list(own)].to_dict() == pytest.approx(own)
    summary = summarize_cohort(table, ["precision"])
    column = table["precision"]
    found = summary.loc[("precision", "sloreta")]
    assert found.to_list() == pytest.approx(
        [column.mean(), column.std(), column.median(), 2]
    )


def test_paired_tests_go_one_way():
    rng = np.random.default_rng(0)
    ours = 0.7 + 0.1 * rng.random(12)
    rows = [
        {"patient": k, "method": method, "precision": p, "spatial_dispersion": d}
        for k in range(12)
        for method, p, d in (
            ("deepsif", ours[k], 1.0),
            ("sloreta", ours[k] - 0.01 * (k + 1), 2.0 + k),
        )
    ]
    table = pd.DataFrame(rows)
    tests = compare_cohort(table, ["precision", "spatial_dispersion"])
    for metric in ("precision", "spatial_dispersion"):
        row = tests.loc[(metric, "sloreta")]
        assert row["p"] == pytest.approx(2.0**-12)  # all of 12 pairs: the exact test
        assert row["effect"] == pytest.approx(1)
        assert row["stars"] == "**"
    turned = compare_cohort(table, ["precision"], reference="sloreta")
    assert turned.loc[("precision", "deepsif"), "p"] == pytest.approx(1)
    assert turned.loc[("precision", "deepsif"), "effect"] == pytest.approx(-1)
