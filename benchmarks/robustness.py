"""Measure the effect of moved electrodes and source-free recordings: short trainings.

Run ``python benchmarks/robustness.py --save data/experiments/robustness.csv`` (half
an hour on two cores). All networks see as many samples, and are scored on the same
recordings: of the head they know, of heads whose electrodes sit elsewhere, and of a
brain without a source. A run that is stopped goes on where it was.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from short_runs import finish, load_data, read_arguments
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.evaluation import METRICS, evaluate, forecasts, per_sample
from deepsif_lite.head import load_head_variant
from deepsif_lite.imaging import Imager
from deepsif_lite.spikes import SpikeLibrary
from deepsif_lite.training import TrainingConfig, train

NEVER_EMPTY = {"n_sources": (1, 2, 3)}
TRIALS = {
    "electrodes in place": NEVER_EMPTY | {"electrode_jitter": (0.0, 0.0)},
    "electrodes moved": NEVER_EMPTY,
    "moved, whitening with share 0.2": NEVER_EMPTY | {"options": {"noise_share": 0.2}},
    "moved, one in seven empty": {},
}
HEADS = ("template-75", "jitter-5mm", "jitter-10mm")


def measure(model: Imager, clips: SpikeLibrary, n_samples: int) -> list[dict]:
    """Score one network on all heads, a row each."""
    probability, _ = forecasts(model, clips, n_sources=0, n_samples=n_samples)
    alarms = (probability > 0.5).any(axis=1).mean()
    rows = []
    for name in HEADS:
        head = model.head if name == model.head.name else load_head_variant(name)
        table = evaluate(
            model,
            clips,
            methods=("deepsif",),
            variants=("probability",),
            n_samples=n_samples,
            head=head,
            progress=False,
        )
        means = per_sample(table)[list(METRICS)].mean()
        rows.append(
            {
                "head": name,
                "recordings_in_each_set": n_samples,
                **means,
                "false_alarms": alarms,
            }
        )
    return rows


def main() -> None:
    """Train all, and print or save the table."""
    arguments = read_arguments(
        __doc__, steps=250, test_samples=150, runs="_build/robustness"
    )
    head, clips, test_clips = load_data()
    base = TrainingConfig(n_steps=arguments.steps, batch_size=arguments.batch_size)
    rows = []
    for k, (trial, changes) in enumerate(tqdm(TRIALS.items(), unit="network")):
        folder = Path(arguments.runs) / f"{arguments.steps}-{k}"
        config = replace(base, **changes)
        out = train(head, clips, folder, config=config, device="cpu", progress=False)
        samples = arguments.steps * arguments.batch_size
        for row in measure(dl.load_model(out), test_clips, arguments.test_samples):
            rows.append({"trial": trial, "samples": samples, **row})
    finish(rows, arguments.save)


if __name__ == "__main__":
    main()
