"""Train a network for a helmet of magnetometers, and score EEG beside MEG.

Run ``python benchmarks/meg.py --out run`` (about an hour of one core; stopped, it
goes on when called again), then ``python benchmarks/meg.py --out run --save
data/experiments/meg.csv`` for the scores (five minutes). Chapter 7 reads the table.

Both modalities see the same sources, clips and signal-to-noise ratios; each has the
sensor noise of its own channels. Heads are known exactly, so the scores bound what a
recording can give.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
from short_runs import write_with_facts

import deepsif_lite as dl
from deepsif_lite.evaluation import evaluate, per_sample
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
SOLVERS = ("sloreta", "lcmv")
SCORED = ("precision", "recall", "error_mm", "correlation", "average_precision")


def configuration() -> TrainingConfig:
    """Return the configuration of the run, with the sizes of the network it starts from."""
    spec = load_card(START)["network"]
    return replace(CONFIG, options={name: spec[name] for name in SIZES})


def models(run: Path) -> dict[str, dict[str, dl.Imager]]:
    """Return the networks of each modality by name, as :func:`evaluate` takes them."""
    meg = dl.load_head_model(HEAD)
    return {
        "EEG": {
            "deepsif": dl.load_model("lite-75"),
            "known head": dl.load_model("lite-75-known-head"),
        },
        "MEG": {
            "deepsif": dl.load_model(run),
            "not trained for MEG": dl.load_model(START, head=meg, transfer=True),
        },
    }


def score(run: Path, n_samples: int) -> pd.DataFrame:
    """Return one row a recording, modality and method."""
    clips = dl.load_spike_library("lite", split="test")
    parts = []
    for modality, networks in models(run).items():
        methods = (*networks, *SOLVERS)
        rows = evaluate(
            networks, clips, methods=methods, n_samples=n_samples, seed=SEED, n_jobs=1
        )
        parts.append(per_sample(rows).assign(modality=modality))
    return pd.concat(parts, ignore_index=True)


def summarize(samples: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard error of each score, by modality, method and sources."""
    groups = samples.groupby(["modality", "method", "n_sources"], sort=False)
    means, errors = groups[list(SCORED)].mean(), groups[list(SCORED)].sem()
    table = means.join(errors.add_suffix("_error"))
    return table.assign(n=groups.size()).reset_index()


def main() -> None:
    """Train, or score what was trained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=float, help="stop training after this long")
    parser.add_argument("--recordings", type=int, default=40, help="in each set")
    parser.add_argument("--save", type=Path, help="score, and write this CSV file")
    options = parser.parse_args()
    if options.save is None:
        clips, head = dl.load_spike_library("lite", "train"), dl.load_head_model(HEAD)
        limits = {"initial": START, "max_minutes": options.minutes}
        train(head, clips, options.out, config=configuration(), **limits)
        return
    trained = load_card(options.out)["training"]
    table = summarize(score(options.out, options.recordings))
    table = table.assign(steps=trained["steps_done"], planned=trained["n_steps"])
    write_with_facts(table, options.save, float_format="%.4g")
    sys.stdout.write(table.round(3).to_string() + "\n")


if __name__ == "__main__":
    main()
