"""Scores by place: those of an evaluation, kept in the cache."""

import numpy as np
import pytest

import deepsif_lite as dl
from deepsif_lite import evaluation
from deepsif_lite.evaluation import by_place
from deepsif_lite.head import TEN_TWENTY, template_cap


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(by_place, "cache_dir", lambda: tmp_path)
    return tmp_path


def test_a_map_is_the_mean_of_an_evaluation_around_each_region(cache):
    model = dl.load_model("lite").on(template_cap(TEN_TWENTY))
    clips = dl.load_spike_library(split="test")
    options = {"n_samples": 12, "progress": False}
    found = evaluation.trust_map(model, clips, snr_db=10.0, **options)
    table = evaluation.evaluate(
        model,
        clips,
        methods=["deepsif"],
        selections=["probability"],
        n_sources=[1],
        sensor_snr=(10.0,),
        **options,
    )
    seed = int(table["seed_region"].iloc[0])
    distance = model.head.cortex.distances[seed, table["seed_region"]]
    near = table[distance < 0.015]
    assert found.recall[seed] == pytest.approx(near["recall"].mean())
    assert np.isnan(found.recall).sum() > 500  # twelve sources do not cover a cortex


def test_a_map_is_computed_once_for_a_cap_and_noise(cache, monkeypatch):
    model, clips = dl.load_model("lite-75"), dl.load_spike_library(split="test")
    options = {"n_samples": 2, "progress": False}
    first = evaluation.trust_map(model, clips, **options)
    calls = []
    evaluate = by_place.evaluate
    monkeypatch.setattr(
        by_place, "evaluate", lambda *a, **k: calls.append(k) or evaluate(*a, **k)
    )
    again = evaluation.trust_map(model, clips, **options)
    np.testing.assert_array_equal(first.recall, again.recall)
    assert not calls
    evaluation.trust_map(model, clips, snr_db=0.0, **options)
    for path in cache.rglob("*.npz"):  # a damaged one is made anew
        path.write_bytes(path.read_bytes()[:50])
    evaluation.trust_map(model, clips, **options)
    assert len(calls) == 2
