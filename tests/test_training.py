"""Training: it learns, resumes to the bit, and refuses what does not fit."""

import csv

import pytest
import torch
from toys import toy_clips, toy_head

from deepsif_lite.training import TrainingConfig, schedule, start_from, train
from deepsif_lite.weights import load_weights

CONFIG = TrainingConfig(
    n_steps=12, batch_size=8, validation_size=8, n_sources=(1,), learning_rate=2e-3
)


@pytest.fixture(scope="module")
def head():
    return toy_head()


@pytest.fixture(scope="module")
def clips():
    return toy_clips()


def run(head, clips, out, **kwargs):
    options = {"config": CONFIG, "device": "cpu", "progress": False} | kwargs
    return train(head, clips, out, **options)


def weights_of(folder):
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    return state["network"]


def test_a_killed_run_resumes_to_the_bit(head, clips, tmp_path):
    whole = run(head, clips, tmp_path / "whole")
    for _ in range(30):  # each call stops after one step
        parts = run(head, clips, tmp_path / "parts", max_minutes=0)
    a, b = weights_of(whole), weights_of(parts)
    assert all(torch.equal(a[name], b[name]) for name in a)
    logs = [list(csv.DictReader((d / "log.csv").open())) for d in (whole, parts)]
    assert [r["training_loss"] for r in logs[0]] == [
        r["training_loss"] for r in logs[1]
    ]
    assert logs[0][-1]["step"] == "12"


def test_it_learns(head, clips, tmp_path):
    config = TrainingConfig(
        n_steps=80, batch_size=16, validation_size=32, n_sources=(1,)
    )
    out = run(head, clips, tmp_path, config=config)
    rows = list(csv.DictReader((out / "log.csv").open()))
    first, last = (float(rows[k]["validation_loss"]) for k in (0, -1))
    assert last < 0.85 * first


def test_saved_weights_give_the_networks_output(head, clips, tmp_path):
    out = run(head, clips, tmp_path)
    network, card = load_weights(out)
    trained = weights_of(out)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, trained[name], atol=2e-3, rtol=2e-3)
    assert card["training"]["samples"] == 96
    assert card["ch_names"] == head.ch_names


def test_another_configuration_is_refused(head, clips, tmp_path):
    run(head, clips, tmp_path, max_minutes=0)
    other = TrainingConfig(n_steps=13, batch_size=8, validation_size=8)
    with pytest.raises(ValueError, match="another folder"):
        run(head, clips, tmp_path, config=other)


def test_paper_network_trains(head, clips, tmp_path):
    config = TrainingConfig(
        network="paper", n_steps=2, batch_size=2, validation_size=2, n_sources=(2,)
    )
    out = run(head, clips, tmp_path, config=config)
    network, card = load_weights(out)
    assert card["network"]["kind"] == "paper"
    assert network(torch.zeros(1, 7, 20)).shape == (1, 7, 120)


def test_initial_weights_of_the_same_montage_are_copied(head, clips, tmp_path):
    out = run(head, clips, tmp_path)
    source, card = load_weights(out)
    from deepsif_lite.network import build_network

    fresh = build_network(**card["network"])
    start_from(fresh, out, head)
    for name, value in source.state_dict().items():
        assert torch.equal(fresh.state_dict()[name], value)


def test_schedules():
    assert schedule("cosine", 0, 1000) < schedule("cosine", 60, 1000)
    assert schedule("cosine", 999, 1000) < 1e-3
    assert schedule("stepped", 499, 1000) == 1
    assert schedule("stepped", 500, 1000) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="schedule"):
        schedule("linear", 0, 10)
