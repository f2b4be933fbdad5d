"""Scores by place: those of an evaluation, kept in the cache."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

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


def test_other_weights_or_clips_have_maps_of_their_own(cache):
    model, clips = dl.load_model("lite-75"), dl.load_spike_library(split="test")
    options = {"n_samples": 2, "progress": False}
    evaluation.trust_map(model, clips, **options)
    assert clips.basis is not None  # what is computed of a library is not part of it
    evaluation.trust_map(copy.deepcopy(model), clips, **options)
    assert len(list(cache.rglob("*.npz"))) == 1
    changed = copy.deepcopy(model)  # under the same card
    with torch.no_grad():
        next(changed.network.parameters()).mul_(0.9)
    evaluation.trust_map(changed, clips, **options)
    others = replace(clips, waveforms=clips.waveforms[::-1].copy())
    evaluation.trust_map(model, others, **options)
    assert len(list(cache.rglob("*.npz"))) == 3
