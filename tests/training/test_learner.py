"""One step: schedule and average against what is written down for them."""

import numpy as np
import pytest
import torch
from toys import toy_clips, toy_head

from deepsif_lite.network import build_network
from deepsif_lite.synthesis import SyntheticEEG
from deepsif_lite.training import TrainingConfig
from deepsif_lite.training.learner import Learner, schedule_factor
from deepsif_lite.training.processes import Processes

ALONE = Processes(0, 1, torch.device("cpu"))


def test_cosine_schedule_warms_up_and_ends_at_zero():
    factors = np.array([schedule_factor("cosine", k, 1000) for k in range(1001)])
    peak = factors.argmax()
    assert factors[peak] == 1
    assert 0 < peak <= 1000 // 20 + 1
    np.testing.assert_allclose(np.diff(factors[:peak]), factors[0])
    assert (np.diff(factors[peak:]) <= 0).all()
    assert factors[-1] == pytest.approx(0, abs=1e-12)
    middle = (peak + 1 + 1000) // 2
    assert factors[middle] == pytest.approx(0.5, abs=2e-3)


def test_stepped_schedule_divides_by_ten_at_the_half():
    factors = [schedule_factor("stepped", k, 1000) for k in (0, 499, 500, 999)]
    assert factors == pytest.approx([1, 1, 0.1, 0.1])


def test_constant_schedule_stays_at_its_peak():
    assert {schedule_factor("constant", k, 1000) for k in (0, 499, 999)} == {1.0}


def test_the_optimizer_takes_the_rate_of_its_step():
    """Weights of the first steps of Adam move by the learning rate."""
    head = toy_head()
    config = TrainingConfig(
        n_steps=80, learning_rate=1e-3, weight_decay=0.0, ema_decay=0.0
    )
    network = build_network("lite", 20, 120, n_shapes=4)
    network.set_geometry(head.leadfield, head.cortex)
    learner = Learner(network, config, ALONE)
    batch = SyntheticEEG(head, toy_clips(), seed=0).batch(range(4))
    before = network.readout.weight.detach().clone()
    learner.learn(batch)
    assert learner.step == 1
    moved = (network.readout.weight.detach() - before).abs().max()
    assert float(moved) == pytest.approx(1e-3 / 5, rel=1e-3)  # 5 steps of warm-up
