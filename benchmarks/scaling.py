"""Measure the effect of more clips, parameters and patches: short trainings.

Run ``python benchmarks/scaling.py --save data/experiments/scaling.csv`` (half an hour
on two cores). All networks see as many samples of the same recipe, and all are scored
on the same recordings, made of clips that none has trained on. A run that is stopped
goes on where it was.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from short_runs import finish, load_data, read_arguments
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.evaluation import METRICS, evaluate, per_sample
from deepsif_lite.spikes import SpikeLibrary
from deepsif_lite.training import TrainingConfig, train

SHARES = (100, 25, 5, 1)  # one clip in so many is kept
WIDTHS = (
    {"width": 32, "local_width": 16},
    {"width": 64, "local_width": 32},
    {},
    {"width": 256, "local_width": 128},
)
DICTIONARIES = ({"n_shapes": 5}, {"n_shapes": 10}, {"n_shapes": 20}, {})
PER_CLIP = ("waveforms", "seeds", "peaks", "means", "gains", "settings", "levels")


def one_in(clips: SpikeLibrary, share: int) -> SpikeLibrary:
    """Return every ``share``-th clip."""
    kept = np.arange(0, len(clips), share)
    fields = {name: getattr(clips, name)[kept] for name in PER_CLIP}
    return replace(clips, spans=[clips.spans[k] for k in kept], **fields)


def measure(
    folder: Path,
    head: dl.HeadModel,
    clips: SpikeLibrary,
    test_clips: SpikeLibrary,
    config: TrainingConfig,
    n_samples: int,
) -> dict[str, float]:
    """Train one network and score it."""
    out = train(head, clips, folder, config=config, device="cpu", progress=False)
    model = dl.load_model(out)
    table = evaluate(
        model, test_clips, methods=("deepsif",), n_samples=n_samples, progress=False
    )
    return {
        "clips": len(clips),
        "parameters": sum(p.numel() for p in model.network.parameters()),
        "patches": model.network.n_shapes,
        "samples": model.card["training"]["samples"],
        "seconds": model.card["training"]["seconds"],
        **per_sample(table)[list(METRICS)].mean(),
    }


def main() -> None:
    """Train all, and print or save the table."""
    arguments = read_arguments(
        __doc__, steps=150, test_samples=120, runs="_build/scaling"
    )
    head, clips, test_clips = load_data()
    base = TrainingConfig(n_steps=arguments.steps, batch_size=arguments.batch_size)
    trials = [("clips", share, {}) for share in SHARES]
    trials += [("parameters", 1, options) for options in WIDTHS]
    trials += [("patches", 1, options) for options in DICTIONARIES]
    rows = []
    for curve, share, options in tqdm(trials, unit="network"):
        # The shipped design on the whole library is in all curves, and trains once.
        settings = (f"{key}-{value}" for key, value in options.items())
        name = "-".join(map(str, (arguments.steps, share, *settings)))
        folder = Path(arguments.runs) / name
        config = replace(base, options=options)
        row = measure(
            folder,
            head,
            one_in(clips, share),
            test_clips,
            config,
            arguments.test_samples,
        )
        rows.append({"curve": curve, **row})
    finish(rows, arguments.save)


if __name__ == "__main__":
    main()
