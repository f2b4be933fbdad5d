"""The end of a run: which weights it exports, with a card that says how they came about."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..network.weights import save_weights
from .learner import Learner
from .monitor import Monitor
from .processes import Processes

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead
    from ..synthesis.stream import SyntheticEEG


def export(out: Path, learner: Learner, monitor: Monitor, card: dict) -> Path:
    """Write the last weights and, above them, the better of best and last.

    Of many scores on one small set the best is so by luck as well. So the best weights
    and the last ones are scored again, on other samples and more of them.

    Parameters
    ----------
    out : Path
        Holds ``card.json`` with the weights after, and the same in ``last``.
    learner : Learner
    monitor : Monitor
    card : dict
        What is true of both, see :func:`describe`.

    Returns
    -------
    out : Path
    """
    best, last = monitor.best, learner.exported
    if best is None or best["step"] == learner.step:
        scores = best["scores"] if best else monitor.score()
        card = card | _result("last", learner.step, len(monitor.score_set), scores)
        save_weights(last, out / "last", card)
        return save_weights(last, out, card)
    network = copy.deepcopy(last)
    network.load_state_dict(best["network"])
    candidates = {"last": (learner.step, last), "best": (best["step"], network)}
    cards, samples = {}, monitor.final_set
    for name, (step, candidate) in candidates.items():
        scores = samples.scores(candidate, learner.autocast())
        cards[name] = card | _result(name, step, len(samples), scores)
    save_weights(last, out / "last", cards["last"])
    winner = max(cards, key=lambda name: cards[name]["validation"]["f_measure"])
    return save_weights(candidates[winner][1], out, cards[winner])


def _result(weights: str, step: int, n_samples: int, scores: dict[str, float]) -> dict:
    return {
        "exported": {"weights": weights, "step": step},
        "validation": {"samples": n_samples, **scores},
    }


def describe(
    spec: dict,
    head: HeadModel | TrainingHead,
    stream: SyntheticEEG,
    learner: Learner,
    monitor: Monitor,
    processes: Processes,
    identity: dict,
) -> dict:
    """Describe what a network was trained for and how it was trained.

    Parameters
    ----------
    spec : dict
        Arguments of :func:`deepsif_lite.network.build_network`.
    head : HeadModel | TrainingHead
    stream : SyntheticEEG
    learner : Learner
    monitor : Monitor
    processes : Processes
    identity : dict
        What the run depends on: ``config``, ``initial`` and the hash of the ``head``.

    Returns
    -------
    card : dict
    """
    waiting = monitor.waiting_seconds / max(monitor.seconds, 1e-9)
    return {
        "network": spec,
        "ch_names": list(head.ch_names),
        "sfreq": float(stream.clips.sfreq),
        "n_times": stream.n_times,
        "reference": "average" if head.modality == "eeg" else "none",
        "head": head.name,
        "head_hash": identity["head"],
        "training": {
            **identity["config"],
            "initial": identity["initial"],
            "steps_done": learner.step,
            "samples": learner.step * identity["config"]["batch_size"],
            "seconds": round(monitor.seconds),
            "waiting_for_data": round(waiting, 4),
            "device": processes.device.type,
            "arithmetic": str(learner.precision).removeprefix("torch."),
            "processes": processes.size,
            "torch": torch.__version__,
        },
    }
