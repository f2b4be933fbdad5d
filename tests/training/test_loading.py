"""Batches made ahead, in a thread or in workers, are those of the stream."""

import itertools
import os

import torch

from deepsif_lite.head import load_training_head
from deepsif_lite.network import build_network
from deepsif_lite.spikes import load_spike_library
from deepsif_lite.synthesis import SyntheticEEG
from deepsif_lite.training import TrainingConfig
from deepsif_lite.training.loading import _from_workers, _Steps, batches_ahead
from deepsif_lite.training.processes import join_processes

STEPS, SIZE, FIRST = 5, 3, 2


def _stream():
    head = load_training_head("template-75")
    clips = load_spike_library("lite", "test", head.cortex)
    return head, SyntheticEEG(head, clips, seed=4)


def _check(batches, stream):
    for step, batch in zip(range(FIRST, STEPS), batches, strict=True):
        wanted = stream.batch(range(step * SIZE, (step + 1) * SIZE))
        for name in ("eeg", "waveforms", "weights"):
            assert torch.equal(getattr(batch, name), getattr(wanted, name))
        assert (batch.leadfield == wanted.leadfield).all()


def test_workers_make_the_batches_of_the_stream_in_order(monkeypatch):
    """Each with its own random numbers: none repeats another's samples."""
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    _, stream = _stream()
    steps = _Steps(stream, SIZE, join_processes("cpu"))
    _check(_from_workers(steps, range(FIRST, STEPS)), stream)


def test_a_thread_makes_the_batches_of_the_stream_in_order():
    head, stream = _stream()
    network = build_network("lite", len(head.ch_names), head.cortex.n_regions)
    config = TrainingConfig(n_steps=STEPS, batch_size=SIZE)
    with batches_ahead(stream, network, config, join_processes("cpu"), FIRST) as ahead:
        _check((ahead.take() for _ in itertools.repeat(None, STEPS - FIRST)), stream)


def test_a_batch_is_moved_whole():
    _, stream = _stream()
    moved = stream.batch([0, 1]).to(torch.device("meta"))
    assert {moved.eeg.device.type, moved.waveforms.device.type} == {"meta"}
    assert moved.weights.shape[2] == moved.leadfield.shape[1]
