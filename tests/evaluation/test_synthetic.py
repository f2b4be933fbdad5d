from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import deepsif_lite as dl
from deepsif_lite.evaluation import synthetic as evaluation
from deepsif_lite.solvers import get_solver
from deepsif_lite.spikes import SpikeLibrary


@pytest.fixture(scope="module")
def head():
    return dl.load_head_model("template-75")


@pytest.fixture(scope="module")
def clips(head):
    """Four clips of a Gaussian spike over a smooth random background."""
    rng = np.random.default_rng(0)
    times = np.arange(500)
    waves = [12 * np.exp(-(((times - p) / 12) ** 2)) for p in (150, 220, 300, 380)]
    n_regions = head.cortex.n_regions
    return SpikeLibrary(
        waveforms=np.array(waves, dtype=np.float32),
        seeds=np.array([3, 50, 400, 800]),
        peaks=np.array([150, 220, 300, 380]),
        spans=[np.array([[p - 40, p + 40]]) for p in (150, 220, 300, 380)],
        means=np.zeros(4),
        gains=np.full(4, 3.5),
        settings=np.full((4, 2), 0.087),
        levels=rng.integers(-3, 4, (4, n_regions, 20)).astype(np.int16),
        step=0.3,
        sfreq=500.0,
        cortex="template-994",
    )


class Oracle(SimpleNamespace):
    """A "network" that recognizes each recording and knows its sources."""

    def predict_with_probability(self, eeg):
        known = np.stack([sample.eeg[::50] for sample in self.samples])
        gaps = np.abs(eeg[:, None, ::50] - known).max(axis=(2, 3))
        assert (gaps.min(axis=1) < 1e-3).all()
        found = [self.samples[i] for i in gaps.argmin(axis=1)]
        member = np.zeros((len(found), self.head.cortex.n_regions))
        for row, sample in zip(member, found, strict=True):
            row[np.concatenate(sample.patches)] = 0.6
        return np.stack([sample.activity for sample in found]), member


def _samples(head, clips, count, n, seed):
    stream = dl.SyntheticEEG(head, clips, n_sources=count, seed=seed + count)
    return [stream[i] for i in range(n)]


@pytest.fixture(scope="module")
def table(head, clips):
    samples = _samples(head, clips, 1, 5, 9) + _samples(head, clips, 2, 5, 9)
    oracle = Oracle(head=head, samples=samples)
    return evaluation.evaluate(
        oracle,
        clips,
        methods=("deepsif", "sloreta"),
        variants=("corrected", "probability", 0.55, 0.65),
        n_sources=(1, 2),
        n_samples=5,
        seed=9,
        n_jobs=1,
        progress=False,
    )


def test_the_truth_makes_no_error(table):
    truth = table.query("method == 'deepsif' and variant == 'corrected'")
    single = truth[truth["n_sources"] == 1]
    assert len(truth) == 5 + 10
    # Otsu may cut the weakest edge of a patch, so recall need not be one.
    assert (single["precision"] == 1).all()
    assert (single["error_mm"] == 0).all()
    assert (single["correlation"] > 0.999).all()
    assert (truth["detected"] == 1).mean() > 0.8


def test_probability_selects_whole_patches(table):
    likely = table[table["variant"] == "probability"]
    assert (likely["method"] == "deepsif").all()  # sLORETA gives none
    single = likely[likely["n_sources"] == 1]
    assert len(likely) == 5 + 10
    assert (single["precision"] == 1).all()
    assert (single["recall"] == 1).all()


def test_a_number_selects_what_is_more_likely(table):
    area = table.groupby("variant")["area_found_cm2"].sum()
    assert area[0.55] == area["probability"] > 0
    assert area[0.65] == 0  # the oracle calls nothing more likely than 0.6


def test_solver_rows_equal_a_direct_score(table, head, clips):
    sample = _samples(head, clips, 1, 5, 9)[3]
    activity = get_solver("sloreta")(sample.eeg, head)
    direct = dl.score(activity, sample.activity, sample.patches, head.cortex)
    row = evaluation.per_sample(table).query(
        "method == 'sloreta' and n_sources == 1 and sample == 3"
    )
    assert row["recall"].item() == pytest.approx(direct["recall"])
    assert row["precision"].item() == pytest.approx(direct["precision"])
    assert row["error_mm"].item() == pytest.approx(1e3 * direct["localization_error"])
    assert row["area_true_cm2"].item() == pytest.approx(1e4 * direct["area_true"])


def test_facts_of_the_sources(table, head, clips):
    pair = table.query(
        "method == 'deepsif' and variant == 'corrected' and n_sources == 2 "
        "and sample == 0"
    )
    sample = _samples(head, clips, 2, 1, 9)[0]
    a, b = (patch[0] for patch in sample.patches)
    apart = np.linalg.norm(head.cortex.centroids[a] - head.cortex.centroids[b])
    assert pair["seed_region"].tolist() == [a, b]
    np.testing.assert_allclose(pair["apart_mm"], apart * 1e3, rtol=1e-6)
    nearest = np.linalg.norm(head.sensors - head.cortex.centroids[a], axis=1).min()
    assert pair["depth_mm"].iloc[0] == pytest.approx(nearest * 1e3)
    assert (pair["snr_db"] == sample.snr_db).all()


def test_thread_count_does_not_change_the_result(head, clips):
    model = SimpleNamespace(head=head)
    kwargs = {"methods": ("lcmv",), "n_sources": (2,), "n_samples": 6, "seed": 1}
    one = evaluation.evaluate(model, clips, n_jobs=1, progress=False, **kwargs)
    two = evaluation.evaluate(model, clips, n_jobs=2, progress=False, **kwargs)
    pd.testing.assert_frame_equal(one, two)


def test_missed_sources_count_in_recall_alone():
    rows = {
        "method": "lcmv",
        "variant": "corrected",
        "n_sources": 2,
        "sample": 0,
        "snr_db": 5.0,
        "detected": [1.0, 0.0],
        "precision": [0.5, np.nan],
        "recall": [0.8, 0.0],
        "recall_detected": [0.8, np.nan],
        "correlation": [0.9, np.nan],
        "error_mm": [4.0, np.nan],
        "area_true_cm2": [10.0, 12.0],
        "area_found_cm2": [14.0, 0.0],
    }
    one = evaluation.per_sample(pd.DataFrame(rows)).iloc[0]
    assert (one["recall"], one["recall_detected"]) == (0.4, 0.8)
    assert (one["precision"], one["error_mm"], one["area_true_cm2"]) == (0.5, 4.0, 22.0)
    means = evaluation.summary(evaluation.per_sample(pd.DataFrame(rows)), ["method"])
    assert means.loc["lcmv", ("recall", "mean")] == 0.4


def test_heads_must_share_channels(head, clips):
    other = dl.load_head_model("template-64")
    with pytest.raises(ValueError, match="differ in channels"):
        evaluation.evaluate(SimpleNamespace(head=head), clips, head=other)


def test_card_has_the_means_of_each_set(table):
    scores = evaluation.card_scores(table, seed=9)
    samples = evaluation.per_sample(table)
    ours = samples.query("method == 'deepsif' and variant == 'corrected'")
    assert (scores["test_samples"], scores["seed"]) == (5, 9)
    two = ours[ours["n_sources"] == 2]
    assert scores["corrected"]["2 sources"]["recall"] == pytest.approx(
        two["recall"].mean(), abs=1e-4
    )
    assert scores["corrected"]["all"]["error_mm"] == pytest.approx(
        ours["error_mm"].mean(), abs=1e-4
    )
    assert scores["probability"]["1 sources"]["precision"] == 1
