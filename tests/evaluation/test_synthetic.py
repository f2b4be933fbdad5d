from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from skimage.filters import threshold_otsu

import deepsif_lite as dl
from deepsif_lite import evaluation
from deepsif_lite.imaging.batches import run_batches
from deepsif_lite.solvers import SOLVERS, get_solver
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
        selections=("corrected", "probability", 0.55, 0.65),
        n_sources=(1, 2),
        n_samples=5,
        seed=9,
        n_jobs=1,
        progress=False,
    )


def test_the_truth_makes_no_error(table):
    truth = table.query("method == 'deepsif' and selection == 'corrected'")
    single = truth[truth["n_sources"] == 1]
    assert len(truth) == 5 + 10
    # Otsu may cut the weakest edge of a patch, so recall need not be one.
    assert (single["precision"] == 1).all()
    assert (single["error_mm"] == 0).all()
    assert (single["correlation"] > 0.999).all()
    assert (truth["detected"] == 1).mean() > 0.8


def test_probability_selects_whole_patches(table):
    likely = table[table["selection"] == "probability"]
    assert (likely["method"] == "deepsif").all()  # sLORETA gives none
    single = likely[likely["n_sources"] == 1]
    assert len(likely) == 5 + 10
    assert (single["precision"] == 1).all()
    assert (single["recall"] == 1).all()


def test_a_number_selects_what_is_more_likely(table):
    area = table.groupby("selection")["area_found_cm2"].sum()
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
        "method == 'deepsif' and selection == 'corrected' and n_sources == 2 "
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


def test_several_networks_see_the_same_recordings(table, head, clips):
    samples = _samples(head, clips, 1, 5, 9)
    model = Oracle(head=head, samples=samples)
    blind = Oracle(head=head, samples=samples[:1])
    blind.predict_with_probability = lambda eeg: (np.zeros((len(eeg), 500, 994)), None)
    both = evaluation.evaluate(
        {"deepsif": model, "blind": blind},
        clips,
        n_sources=(1,),
        n_samples=2,
        seed=9,
        progress=False,
    )
    assert set(both["method"]) == {"deepsif", "blind", *SOLVERS}
    assert (both.query("method == 'blind'")["detected"] == 0).all()
    own = both.query("method == 'deepsif'")
    alone = table.query(
        "method == 'deepsif' and selection == 'corrected' and n_sources == 1 "
        "and sample < 2"
    )
    pd.testing.assert_frame_equal(
        own.reset_index(drop=True), alone.reset_index(drop=True), check_dtype=False
    )


def test_each_method_is_judged_by_its_own_rule(head, clips):
    """By default, and by ``headline`` from a table of several rules."""
    kwargs = {"n_sources": (2,), "n_samples": 1, "seed": 9, "progress": False}
    oracle = Oracle(head=head, samples=_samples(head, clips, 2, 1, 9))
    default = evaluation.evaluate(oracle, clips, **kwargs)
    rules = dict(zip(default["method"], default["selection"], strict=True))
    assert rules == {"deepsif": "corrected"} | dict.fromkeys(SOLVERS, "map")
    many = evaluation.evaluate(oracle, clips, selections=("corrected", "map"), **kwargs)
    assert len(many) == 2 * len(default)
    pd.testing.assert_frame_equal(
        evaluation.headline(many).reset_index(drop=True), default
    )


def test_map_is_the_root_mean_square_over_time(head, clips):
    kwargs = {"n_sources": (1,), "n_samples": 3, "seed": 4, "progress": False}
    model = SimpleNamespace(head=head)
    rows = evaluation.evaluate(model, clips, methods=("sloreta",), **kwargs)
    for sample, (_, row) in zip(
        _samples(head, clips, 1, 3, 4), rows.iterrows(), strict=True
    ):
        strength = get_solver("sloreta")(sample.eeg, head).std(axis=0)  # no mean
        found = strength > threshold_otsu(strength, nbins=100)
        area = head.cortex.areas[found].sum() * 1e4
        assert row["area_found_cm2"] == pytest.approx(area, rel=1e-3)


def test_heads_of_one_name_share_the_recordings(head, clips):
    rows = evaluation.across_heads(
        SimpleNamespace(head=head),
        clips,
        {"own": head, "others": [head, dl.load_head_variant("jitter-5mm")]},
        methods=("sloreta",),
        n_sources=(1,),
        n_samples=4,
        seed=3,
        progress=False,
    )
    samples = evaluation.per_sample(rows)
    assert samples["head"].tolist() == ["own"] * 4 + ["others"] * 4
    assert samples["sample"].tolist() == [0, 1, 2, 3] * 2
    # The first of the others is the same head and has the same seed.
    own, others = (samples[samples["head"] == name] for name in ("own", "others"))
    assert own["error_mm"].tolist()[:2] == others["error_mm"].tolist()[:2]
    direct = evaluation.evaluate(
        SimpleNamespace(head=head),
        clips,
        methods=("sloreta",),
        n_sources=(1,),
        n_samples=2,
        seed=13,
        head=dl.load_head_variant("jitter-5mm"),
        progress=False,
    )
    assert others["error_mm"].tolist()[2:] == direct["error_mm"].tolist()


def test_synthesis_is_handed_on(head, clips):
    kwargs = {"methods": ("sloreta",), "n_sources": (1,), "n_samples": 2}
    kwargs |= {"seed": 4, "progress": False}
    model = SimpleNamespace(head=head)
    literal = evaluation.evaluate(model, clips, synthesis="published", **kwargs)
    ours = evaluation.evaluate(model, clips, **kwargs)
    assert literal["seed_region"].tolist() == ours["seed_region"].tolist()
    assert (literal["correlation"] != ours["correlation"]).all()


def test_unknown_words_are_refused(head, clips):
    model = SimpleNamespace(head=head)
    with pytest.raises(ValueError, match=r"method='dics' .* 'deepsif', 'sloreta'"):
        evaluation.evaluate(model, clips, methods=("dics",))
    with pytest.raises(ValueError, match=r"selection='otsu' .* 'corrected'"):
        evaluation.evaluate(model, clips, selections=("otsu",))
    with pytest.raises(ValueError, match=r"selection=1.5 must lie between 0 and 1"):
        evaluation.evaluate(model, clips, selections=(1.5,))


def test_batches_come_in_order_and_give_the_threads_back():
    before = torch.get_num_threads()
    seen = list(run_batches(lambda indices: (indices, torch.get_num_threads()), 40, 2))
    assert [i for indices, _ in seen for i in indices] == list(range(40))
    assert {threads for _, threads in seen} == {1}
    assert torch.get_num_threads() == before


def test_missed_sources_count_in_recall_alone():
    rows = {
        "method": "lcmv",
        "selection": "corrected",
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
    ours = samples.query("method == 'deepsif' and selection == 'corrected'")
    assert (scores["test_samples"], scores["seed"]) == (5, 9)
    two = ours[ours["n_sources"] == 2]
    assert scores["corrected"]["2 sources"]["recall"] == pytest.approx(
        two["recall"].mean(), abs=1e-4
    )
    assert scores["corrected"]["all"]["error_mm"] == pytest.approx(
        ours["error_mm"].mean(), abs=1e-4
    )
    assert scores["probability"]["1 sources"]["precision"] == 1


def test_an_evaluation_in_parts_is_the_same(head, clips):
    network = Oracle(head=head, samples=_samples(head, clips, 2, 5, 3))
    options = {"methods": ("deepsif", "sloreta"), "n_sources": (2,), "seed": 3}
    options["progress"] = False
    whole = evaluation.evaluate(network, clips, n_samples=5, **options)
    parts = [
        evaluation.evaluate(network, clips, n_samples=n, first=k, **options)
        for k, n in ((0, 2), (2, 3))
    ]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


def test_scores_of_whole_maps(head, clips):
    samples = _samples(head, clips, 2, 2, 3)
    table = evaluation.evaluate(
        Oracle(head=head, samples=samples),
        clips,
        methods=("deepsif", "sloreta"),
        n_sources=(2,),
        n_samples=2,
        seed=3,
        transport=True,
        progress=False,
    )
    means = evaluation.per_sample(table).set_index(["method", "sample"])
    # The oracle's image is the truth, and its members are all likely.
    assert (means.loc["deepsif", "average_precision"] == 1).all()
    assert means.loc["deepsif", "emd_mm"].max() < 1e-6
    for k, sample in enumerate(samples):
        image = get_solver("sloreta")(sample.eeg, head)
        strength = np.sqrt((image**2).mean(axis=0))
        truth = np.unique(np.concatenate(sample.patches))
        expected = dl.metrics.average_precision(strength, truth)
        row = means.loc[("sloreta", k)]
        assert row["average_precision"] == pytest.approx(expected)
        # Most of a smooth map lies some centimeters from the sources.
        assert 10 < row["emd_mm"] < 100
