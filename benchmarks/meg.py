"""Train a network for a helmet of magnetometers, and score EEG beside MEG.

Run ``python benchmarks/meg.py --out run`` (half an hour on one core; call it again to go
on), then ``python benchmarks/meg.py --out run --save data/experiments`` for the table
alone. Both modalities see the same sources, backgrounds and clips, and each the sensor
noise of its own channels.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import deepsif_lite as dl
from deepsif_lite.network import load_card
from deepsif_lite.training import TrainingConfig, train

HEAD = "template-meg-148"
START = "lite"  # it knows the cortex, and any sensors by their leadfield
SIZES = ("width", "depth", "local_width", "n_messages")
CONFIG = TrainingConfig(
    n_steps=500,
    batch_size=32,
    learning_rate=5e-4,
    electrode_jitter=(0.0, 0.005),  # m; no head sits in a helmet as planned
    ema_decay=0.99,
    validation_size=64,
)
SEED = 2023  # of the recordings that are scored


def configuration() -> TrainingConfig:
    """Return the configuration of the run, with the sizes of the network it starts from."""
    spec = load_card(START)["network"]
    return replace(CONFIG, options={name: spec[name] for name in SIZES})


def main() -> None:
    """Train, or score what was trained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=float, help="stop training after this long")
    options = parser.parse_args()
    head = dl.load_head_model(HEAD)
    train(
        head,
        dl.load_spike_library("lite", "train"),
        options.out,
        config=configuration(),
        initial=START,
        max_minutes=options.minutes,
    )


if __name__ == "__main__":
    main()
