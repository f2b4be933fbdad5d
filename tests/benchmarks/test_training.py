"""The benchmark of training, at a size that says nothing about speed."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from toys import toy_clips, toy_head

from deepsif_lite.training import monitor

PATH = Path(__file__).parents[2] / "benchmarks" / "training.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("benchmark_training", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_prints_every_number(benchmark, monkeypatch, capsys):
    head, clips = toy_head(60), toy_clips(60, n_times=125)
    monkeypatch.setattr(benchmark, "load_training_head", lambda _: head)
    monkeypatch.setattr(benchmark, "load_spike_library", lambda _, split: clips)
    for module in (benchmark, monitor):
        monkeypatch.setattr(module, "LOG_EVERY", 2)
    arguments = "training.py --device cpu --batch-size 8 --steps 4"
    monkeypatch.setattr(sys, "argv", arguments.split())
    benchmark.main()
    lines = [line.rsplit(maxsplit=4) for line in capsys.readouterr().out.splitlines()]
    table = {line[0].strip(): line[1:] for line in lines if len(line) == 5}
    for name, batch in (("lite", 8), ("paper", 1), ("paper, as published", 1)):
        size, speed, waiting, _ = map(float, table[name])
        assert size == batch
        assert speed > 0
        assert 0 <= waiting <= 100
    assert float(table["paper, as published"][3]) == 1  # its ratio to itself


def test_published_structure_makes_whole_samples(benchmark):
    head = toy_head()
    data = benchmark.PublishedDataset(head, toy_clips(), 3)
    eeg, activity = data[1]
    assert eeg.shape == (500, 20)
    assert activity.shape == (500, 120)
    assert float(activity.max()) == pytest.approx(1)
    assert 2 < np.count_nonzero(activity.any(axis=0)) < 80
    np.testing.assert_allclose(eeg.mean(axis=1), 0, atol=1e-6)
    assert float(np.abs(eeg).max()) == pytest.approx(1)
