"""Training: it learns, resumes to the bit, and refuses what does not fit."""

import copy
import csv
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import toy_clips, toy_head

from deepsif_lite.errors import FolderInUse, MismatchError, OptionError
from deepsif_lite.metrics import scores as metrics
from deepsif_lite.network import load_card, load_log, load_weights
from deepsif_lite.runs import only_run_in
from deepsif_lite.synthesis import SyntheticEEG
from deepsif_lite.training import TrainingConfig
from deepsif_lite.training import run as training
from deepsif_lite.training.export import export
from deepsif_lite.training.learner import Learner
from deepsif_lite.training.monitor import VALIDATION_OFFSET, Monitor
from deepsif_lite.training.processes import Processes, join_processes
from deepsif_lite.training.run import train

CONFIG = TrainingConfig(
    n_steps=12,
    batch_size=8,
    validation_size=8,
    n_sources=(1,),
    learning_rate=2e-3,
    score_size=6,
    score_every=10,
    ema_decay=0.9,
    options={"n_shapes": 4},
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
    """Return all tensors that a run goes on from or exports."""
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    parts = {k: state["learner"][k] for k in ("network", "average")}
    if state["monitor"]["best"]:
        parts["best"] = state["monitor"]["best"]["network"]
    return {f"{k}.{name}": v for k, part in parts.items() for name, v in part.items()}


def rows_of(folder):
    return list(csv.DictReader((folder / "log.csv").read_text().splitlines()))


def test_a_killed_run_resumes_to_the_bit(head, clips, tmp_path):
    whole = run(head, clips, tmp_path / "whole")
    for _ in range(13):  # each call stops after one step
        parts = run(head, clips, tmp_path / "parts", max_minutes=0)
    a, b = weights_of(whole), weights_of(parts)
    assert all(torch.equal(a[name], b[name]) for name in a)
    logs = [rows_of(folder) for folder in (whole, parts)]
    assert [r["step"] for r in logs[0]] == ["10", "12"]
    for row in (*logs[0], *logs[1]):
        row["seconds"] = row["waited"] = None  # the clock is not resumed
    assert logs[0] == logs[1]


def test_a_stopped_run_ends_its_step_and_goes_on_to_the_bit(
    head, clips, tmp_path, monkeypatch
):
    whole = run(head, clips, tmp_path / "whole")
    learn = Learner.learn

    def stopped(learner, batch):
        if learner.step == 4:  # Ctrl-C in the midst of a step
            signal.raise_signal(signal.SIGINT)
        return learn(learner, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "learn", stopped)
        with pytest.raises(KeyboardInterrupt):
            run(head, clips, tmp_path / "stopped")
    state = torch.load(tmp_path / "stopped" / "checkpoint.pt", weights_only=True)
    assert state["learner"]["schedule"]["last_epoch"] == 5
    resumed = run(head, clips, tmp_path / "stopped")
    a, b = weights_of(whole), weights_of(resumed)
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_checkpoint_is_there_from_the_start(head, clips, tmp_path, monkeypatch):
    def never(*_):
        raise MemoryError

    monkeypatch.setattr(Learner, "learn", never)
    with pytest.raises(MemoryError):
        run(head, clips, tmp_path)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["learner"]["schedule"]["last_epoch"] == 0


def test_a_folder_in_use_is_left_alone(head, clips, tmp_path):
    with only_run_in(tmp_path), pytest.raises(FolderInUse, match=str(tmp_path)):
        run(head, clips, tmp_path)
    assert not (tmp_path / "checkpoint.pt").exists()


def test_batches_without_a_source_have_a_finite_loss(head, clips, tmp_path):
    config = replace(CONFIG, n_steps=2, n_sources=(0,))
    out = run(head, clips, tmp_path, config=config)
    assert all(torch.isfinite(value).all() for value in weights_of(out).values())
    assert np.isfinite(float(rows_of(out)[-1]["training_loss"]))


def test_it_learns(head, clips, tmp_path):
    config = TrainingConfig(
        n_steps=80,
        batch_size=16,
        validation_size=32,
        score_size=2,
        n_sources=(1,),
        options=CONFIG.options,
    )
    out = run(head, clips, tmp_path, config=config)
    rows = rows_of(out)
    first, last = (float(rows[k]["validation_loss"]) for k in (0, -1))
    assert last < 0.85 * first


def test_saved_weights_give_the_networks_output(head, clips, tmp_path):
    out = run(head, clips, tmp_path)
    trained = weights_of(out)
    for folder, kept in ((out, "best"), (out / "last", "average.module")):
        network, card = load_weights(folder)
        for name, value in network.state_dict().items():
            torch.testing.assert_close(
                value, trained[f"{kept}.{name}"], atol=2e-3, rtol=2e-3
            )
        assert card["training"]["samples"] == 96
        assert card["ch_names"] == head.ch_names


def scored(network, head, clips, indices):
    """Score samples one by one, as an evaluation would."""
    network.set_geometry(head.leadfield, head.cortex)
    stream = SyntheticEEG(
        head,
        clips,
        n_sources=CONFIG.n_sources,
        seed=CONFIG.seed,
        electrode_jitter=CONFIG.electrode_jitter,
    )
    table = []
    for i in indices:
        sample = stream[VALIDATION_OFFSET + i]
        with torch.no_grad():
            image = network(torch.as_tensor(sample.eeg)[None])[0].numpy()
        table.append(metrics.score(image, sample.activity, sample.patches, head.cortex))
    recall = np.mean([row["recall"] for row in table])
    precision = np.nanmean([row["precision"] for row in table])
    return {
        "recall": recall,
        "precision": precision,
        "f_measure": 2 * precision * recall / (precision + recall),
        "error_mm": 1e3 * np.nanmean([row["localization_error"] for row in table]),
    }


def near(name, value):
    # Exported in half precision, so that a region or two may change sides.
    return pytest.approx(
        value, **{"rel": 0.05} if name == "error_mm" else {"abs": 0.03}
    )


def test_logged_scores_are_those_of_an_evaluation(head, clips, tmp_path):
    """And of a run that is scored once they are those on its card."""
    out = run(head, clips, tmp_path, config=replace(CONFIG, score_every=100))
    network, card = load_weights(out)
    assert card["exported"] == {"weights": "last", "step": CONFIG.n_steps}
    last = rows_of(out)[-1]
    for name, value in scored(network, head, clips, range(CONFIG.score_size)).items():
        assert float(last[name]) == near(name, value)
        assert card["validation"][name] == float(last[name])


def resumed(head, clips, folder):
    """Return learner and monitor of a run, as they were at its last checkpoint."""
    spec = load_card(folder)["network"]
    processes = training.join_processes("cpu")
    learner = Learner(
        training._new_network(spec, CONFIG, head, None), CONFIG, processes
    )
    stream = training._stream(CONFIG, head, clips, None)
    monitor = Monitor(learner, stream, CONFIG, processes)
    identity = training._identity(CONFIG, head, None, None)
    training.Checkpoint(folder, identity, learner, monitor, processes).restore()
    return learner, monitor


@pytest.mark.parametrize("winner", ["best", "last"])
def test_best_weights_meet_the_last_on_other_samples(head, clips, tmp_path, winner):
    """One of the two gives no activity; its score on the small set was luck."""
    run(head, clips, tmp_path)
    # The end of the run once more, with other candidates.
    learner, monitor = resumed(head, clips, tmp_path)
    learned = copy.deepcopy(learner.exported.state_dict())
    zeros = {name: torch.zeros_like(value) for name, value in learned.items()}
    best, last = (learned, zeros) if winner == "best" else (zeros, learned)
    monitor.best = {"step": 10, "scores": {"f_measure": 1.0}, "network": best}
    learner.exported.load_state_dict(last)
    card = load_card(tmp_path)
    export(tmp_path, learner, monitor, card)
    network, card = load_weights(tmp_path)
    step = {"best": 10, "last": CONFIG.n_steps}[winner]
    assert card["exported"] == {"weights": winner, "step": step}
    assert card["validation"]["samples"] == 4 * CONFIG.score_size
    fresh = range(CONFIG.validation_size, CONFIG.validation_size + 24)
    for name, value in scored(network, head, clips, fresh).items():
        assert card["validation"][name] == near(name, value)
    kept = load_weights(tmp_path / "last")[1]["exported"]
    assert kept == {"weights": "last", "step": CONFIG.n_steps}


def test_averaged_weights_follow_their_recurrence(head, clips, tmp_path):
    """Against the sum written out over the weights of each single step."""
    steps = []
    for _ in range(5):
        run(head, clips, tmp_path, max_minutes=0)
        steps.append(weights_of(tmp_path))
    name = "readout.weight"
    average = steps[0][f"average.module.{name}"]
    for step, state in enumerate(steps[1:], 2):
        decay = min(CONFIG.ema_decay, step / (step + 9))
        average = decay * average + (1 - decay) * state[f"network.{name}"]
    torch.testing.assert_close(steps[-1][f"average.module.{name}"], average)
    assert not torch.equal(average, steps[-1][f"network.{name}"])


def test_a_process_without_samples_is_refused(head, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(
        training, "join_processes", lambda _: Processes(0, 9, torch.device("cpu"))
    )
    with pytest.raises(ValueError, match="batch_size=8"):
        run(head, clips, tmp_path)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_learns_as_single_does(head, clips, tmp_path, precision):
    """Float16 needs its gradients scaled, and the scale survives a resume."""
    losses = []
    for name in ("float32", precision):
        config = replace(CONFIG, n_steps=8, precision=name, score_size=1)
        for minutes in (0, None):
            run(head, clips, tmp_path / name, config=config, max_minutes=minutes)
        losses.append([float(r["training_loss"]) for r in rows_of(tmp_path / name)])
    # The first steps in float16 are lost to finding the scale.
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.1)
    assert losses[0] != losses[1]
    state = torch.load(tmp_path / precision / "checkpoint.pt", weights_only=True)
    assert bool(state["learner"]["scaler"]) == (precision == "float16")


def test_the_users_random_numbers_are_left_alone(head, clips, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    config = replace(CONFIG, n_steps=2)
    first = run(head, clips, tmp_path / "first", config=config)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(6)  # and they do not matter
    second = run(head, clips, tmp_path / "second", config=config)
    a, b = weights_of(first), weights_of(second)
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_starts_from_another_network(head, clips, tmp_path):
    """Of its own kind, and as its last weights were."""
    first = run(head, clips, tmp_path / "first")
    still = replace(CONFIG, n_steps=1, learning_rate=1e-12, ema_decay=0.0)
    second = run(head, clips, tmp_path / "second", config=still, initial=first)
    ours, theirs = (load_weights(folder)[0].state_dict() for folder in (second, first))
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, atol=1e-3, rtol=1e-3)
    paper = TrainingConfig(network="paper", n_steps=1, batch_size=2)
    with pytest.raises(MismatchError, match="own kind"):
        run(head, clips, tmp_path / "paper", config=paper, initial=first)


def test_the_log_is_read_beside_the_weights(head, clips, tmp_path):
    log = load_log(run(head, clips, tmp_path))
    assert log["step"].tolist() == [10, 12]
    assert log["samples"].tolist() == [80, 96]
    assert np.isfinite(log["validation_loss"]).all()


def test_waiting_for_data_is_measured(head, clips, tmp_path, monkeypatch):
    plain = SyntheticEEG.batch

    def slow(stream, indices):
        time.sleep(0.2)
        return plain(stream, indices)

    monkeypatch.setattr(SyntheticEEG, "batch", slow)
    config = TrainingConfig(
        n_steps=4, batch_size=4, validation_size=4, score_size=2, n_sources=(1,)
    )
    _, card = load_weights(run(head, clips, tmp_path, config=config))
    total = float(rows_of(tmp_path)[-1]["seconds"])
    waited = card["training"]["waiting_for_data"] * total
    # Four batches of 0.2 s; nothing can be learned before the first is there.
    assert 0.19 < waited < total


def test_a_loss_that_is_not_finite_stops_the_run(head, clips, tmp_path):
    config = TrainingConfig(
        n_steps=10, batch_size=4, learning_rate=1e30, n_sources=(1,)
    )
    with pytest.raises(ValueError, match="learning_rate"):
        run(head, clips, tmp_path, config=config)


def test_another_configuration_is_refused(head, clips, tmp_path):
    run(head, clips, tmp_path, max_minutes=0)
    other = TrainingConfig(n_steps=13, batch_size=8, validation_size=8)
    with pytest.raises(ValueError, match="another folder"):
        run(head, clips, tmp_path, config=other)


def test_paper_network_trains(head, clips, tmp_path):
    config = TrainingConfig(
        network="paper",
        n_steps=2,
        batch_size=2,
        validation_size=2,
        score_size=2,
        n_sources=(2,),
    )
    out = run(head, clips, tmp_path, config=config)
    network, card = load_weights(out)
    assert card["network"]["kind"] == "paper"
    assert network(torch.zeros(1, 7, 20)).shape == (1, 7, 120)


def test_short_windows_are_trained_on(head, clips, tmp_path):
    config = replace(CONFIG, n_steps=2, n_times=90)
    _, card = load_weights(run(head, clips, tmp_path, config=config))
    assert card["n_times"] == 90


def test_noise_may_be_resting_eeg(head, clips, tmp_path):
    """It reaches the samples, and a run goes on with its own recording only."""
    resting = np.random.default_rng(0).standard_normal((2, 500, 20))
    config = replace(CONFIG, n_steps=2, resting_share=1.0)
    run(head, clips, tmp_path / "rest", config=config, resting=resting)
    run(head, clips, tmp_path / "white", config=replace(CONFIG, n_steps=2))
    losses = [load_log(tmp_path / name) for name in ("rest", "white")]
    assert losses[0]["training_loss"][-1] != losses[1]["training_loss"][-1]
    with pytest.raises(ValueError, match="choose another folder"):
        run(head, clips, tmp_path / "rest", config=config, resting=2 * resting)
    with pytest.raises(ValueError, match="resting_share"):
        run(head, clips, tmp_path / "none", config=config)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for device in ("cuda", "cuda:1"):
        with pytest.raises(OptionError, match=f"device='{device}': torch finds no"):
            join_processes(device)
    with pytest.raises(OptionError, match="device='gpu' is unknown"):
        join_processes("gpu")
