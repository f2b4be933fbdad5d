from __future__ import annotations

import literal_trainings as trainings
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import sem

import deepsif_lite as dl


@pytest.fixture(scope="module")
def cortex():
    return dl.load_head_model("template-75").cortex


def a_batch(n_regions: int, n_times: int = 5):
    generator = torch.Generator().manual_seed(0)
    shapes = (2, n_times, 4), (2, 3, n_times), (2, 3, n_regions)
    eeg, waveforms, weights = (torch.randn(s, generator=generator) for s in shapes)
    return dl.synthesis.Batch(eeg, waveforms, weights, np.zeros((4, n_regions)))


def test_the_mean_is_the_sum_over_all_numbers():
    batch = a_batch(6)
    torch.manual_seed(0)
    summed = dl.network.PaperNetwork(4, 6, width=3)
    mean = trainings.MeanError(4, 6, width=3)
    mean.load_state_dict(summed.state_dict())
    expected = torch.nn.functional.mse_loss(mean(batch.eeg), batch.activity)
    torch.testing.assert_close(mean.loss(batch)["total"], expected)
    assert summed.loss(batch)["total"] > 10 * expected


def test_groups_hold_the_mean_of_their_regions(cortex):
    groups = trainings.groups_of(cortex)
    assert ((groups > 0).sum(1) == 1).all()  # each region is in one
    torch.testing.assert_close(groups.sum(0), torch.ones(trainings.N_GROUPS))
    batch = a_batch(cortex.n_regions)
    grouped = trainings.in_groups(batch, cortex).activity
    one = (groups[:, 3] > 0).nonzero()[:, 0]
    mean = batch.activity[0, :, one].mean(1)
    scale = (batch.activity[0] @ groups).abs().max()
    torch.testing.assert_close(grouped[0, :, 3], mean / scale)


def test_pairs_are_averaged_over_seeds_and_their_error_is_over_recordings(tmp_path):
    rng = np.random.default_rng(0)
    literal = trainings.READINGS["lite"][1]
    paths, gaps = {}, []
    for seed in trainings.SEEDS:
        values = rng.normal(size=(2, 9))
        values[1, 4] += 3
        gaps.append(values[1] - values[0])
        for name, column in zip(("", literal.name), values, strict=True):
            paths["lite", seed, name] = tmp_path / f"{seed}{name}.csv"
            table = pd.DataFrame({"recall": column})
            table.to_csv(paths["lite", seed, name], index=False)
    (row,) = trainings.compare("lite", literal, paths)
    mean = np.mean(gaps, axis=0)
    assert row["difference"] == pytest.approx(mean.mean())
    assert row["difference_se"] == pytest.approx(sem(mean))
    of_seeds = np.mean(gaps, axis=1)
    assert row["between_seeds"] == pytest.approx(abs(of_seeds[0] - of_seeds[1]) / 2)


def test_samples_are_those_of_the_reading():
    readings = {reading.name: reading for reading in trainings.READINGS["lite"]}
    _, clips, _ = trainings._data()
    for name in ("one half-distance of decay for all", "clips of one gain alone"):
        options = readings[name].stream(0, clips)
        assert len(options) == 1
        if "library" in options:
            assert set(np.round(options["library"].gains, 6)) == {3.5}
        else:
            assert len(set(options["half_distance"])) == 1
