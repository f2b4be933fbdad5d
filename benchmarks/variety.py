"""Change one kind of variety of the recipe at a time, and see what it does.

Run ``python benchmarks/variety.py --save data/experiments/variety.csv`` (one and a half
hours on one core; a run that was stopped goes on). A small network learns from the
paper's samples under any cap; then it goes on learning, from the whole recipe, from
recipes that lack one part each, and from some with one part more, for equally many
samples, with two seeds. All are scored on the same recordings of each kind: of heads,
clips and caps not trained on, plain but for one part, which all of them have. A
difference is to the network of the whole recipe, paired by recording.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from calibration import BLOCK, other_heads
from short_runs import finish, load_data
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.artifacts import read_arrays, write_arrays
from deepsif_lite.head import CapSampler, load_artifact_sources
from deepsif_lite.metrics import average_precision
from deepsif_lite.network import load_card
from deepsif_lite.recordings import load_resting_eeg
from deepsif_lite.spikes import SpikeLibrary
from deepsif_lite.synthesis import VariedEEG, Variety
from deepsif_lite.training import ANY_CAP_SOURCES, TrainingConfig, train

# The paper's samples, but under any cap.
PLAIN = Variety(
    sized_share=0.0,
    together_share=0.0,
    waveform_share=0.0,
    artifact_share=0.0,
    template_share=1.0,
    displacement=(0.0, 0.0),
    mapped_share=0.0,
    short_share=0.0,
    rhythm_share=0.0,
    source_snr=(10.0, 20.0),
)
# Of each part, what every recording of a test set has of it.
PARTS = {
    "sources of all sizes": {"sized_share": 1.0},
    "related time courses": {"together_share": 1.0},
    "other waveforms": {"waveform_share": 1.0},
    "eyes, muscles, electrodes": {"artifact_share": 1.0},
    "other heads": {"template_share": 0.0},
    "displaced electrodes": {"displacement": (0.01, 0.01)},
    "mapped recordings": {"mapped_share": 1.0},
    "short windows": {"short_share": 1.0},
    "rhythms": {"rhythm_share": 1.0},
    "weak sources": {"source_snr": (5.0, 10.0)},
}
# Of each part that the recipe does not have, what is tried; all of a test set have it.
MORE = {
    "bridged electrodes": {"bridged_share": 0.15},
    "resting EEG": {"resting_share": 0.3},
}
SIZES = {"width": 96, "depth": 2, "local_width": 48, "n_messages": 2, "n_shapes": 10}
SEEDS = (0, 1)
TEST_SEED, TEST_BLOCKS = 501, 3
WHOLE = "whole recipe"


def recipes() -> Iterator[tuple[str, Variety]]:
    """Yield what is changed, and the recipe with that change."""
    yield WHOLE, Variety()
    for name, part in PARTS.items():
        lacking = {key: getattr(PLAIN, key) for key in part}
        yield f"without {name}", replace(Variety(), **lacking)
    for name, part in MORE.items():
        yield f"with {name}", replace(Variety(), **part)


def test_sets(caps: CapSampler, clips: SpikeLibrary) -> Iterator[tuple[str, VariedEEG]]:
    """Yield recordings that hold one part each, and the whole recipe's."""
    resting = load_resting_eeg()[1::2]  # training has the others
    asked = {"nothing besides": PLAIN}
    asked |= {name: replace(PLAIN, **part) for name, part in PARTS.items()}
    for name, part in MORE.items():
        asked[name] = replace(PLAIN, **dict.fromkeys(part, 1.0))
    asked["the whole recipe"] = Variety()
    for name, variety in asked.items():
        n_sources = (2, 3) if variety.together_share == 1 else (1, 2, 3)
        yield (
            name,
            VariedEEG(
                dl.load_head_model("template-75"),
                clips,
                caps,
                load_artifact_sources(),
                variety=variety,
                resting=resting,
                n_sources=n_sources,
                source_snr=variety.source_snr,
                seed=TEST_SEED,
            ),
        )


def scores(folder: Path, stream: VariedEEG) -> dict[str, np.ndarray]:
    """Score a network's probabilities on every recording of a test set."""
    model = dl.load_model(folder, head=stream.head)
    ordered, surprise = [], []
    for block in range(TEST_BLOCKS):
        batch = stream.batch(range(block * BLOCK, (block + 1) * BLOCK))
        network = model.network.serving(batch.leadfield)
        with torch.inference_mode():
            told = network.image(batch.eeg)[1].double()
        true = (batch.weights > 0).any(1)
        ordered += [
            average_precision(p.numpy(), np.flatnonzero(t))
            for p, t in zip(told, true, strict=True)
        ]
        entropy = torch.nn.functional.binary_cross_entropy(
            told, true.double(), reduction="none"
        )
        surprise += entropy.sum(1).tolist()
    return {
        "average_precision": np.array(ordered),
        "cross_entropy": np.array(surprise),
    }


def learn(
    folder: Path,
    variety: Variety,
    arguments: argparse.Namespace,
    seed: int,
    initial: Path | None = None,
) -> Path:
    """Train one network, or find it trained."""
    return train_once(
        folder,
        arguments.start_steps if initial is None else arguments.steps,
        initial,
        variety=variety,
        options=SIZES,
        seed=seed if initial is None else seed + len(SEEDS),  # other samples, then
    )


def train_once(
    folder: Path, n_steps: int, initial: str | Path | None, **settings
) -> Path:
    """Train a network for any cap, or find it trained; settings are of the training."""
    head, clips, _ = load_data()
    config = TrainingConfig(
        n_steps=n_steps,
        n_sources=ANY_CAP_SOURCES,
        validation_size=32,
        score_size=32,
        score_every=n_steps,
        **settings,
    )
    if steps_done(folder / "last") < n_steps:
        train(
            head,
            clips,
            folder,
            config=config,
            resting=load_resting_eeg()[::2] if config.variety.resting_share else None,
            initial=initial,
            progress=False,
        )
    return folder / "last"


def steps_done(folder: Path) -> int:
    """Return how far a network was trained."""
    if not folder.is_dir():
        return 0
    return load_card(folder)["training"]["steps_done"]


def main() -> None:
    """Train, score, and print or save the table of differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--start-steps", type=int, default=300, help="of 64 plain samples, at first"
    )
    parser.add_argument("--steps", type=int, default=100, help="of each recipe, then")
    parser.add_argument("--runs", type=Path, default=Path("_build/variety"))
    parser.add_argument("--heads", default="_build/calibration", help="kept here")
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    *_, test_clips = load_data()
    sets = list(test_sets(other_heads(Path(arguments.heads)), test_clips))
    runs = [(seed, *recipe) for seed in SEEDS for recipe in recipes()]
    for seed, name, variety in tqdm(runs, unit="run"):
        start = learn(arguments.runs / f"start-{seed}", PLAIN, arguments, seed)
        folder = arguments.runs / f"{name}-{seed}"
        trained = learn(folder, variety, arguments, seed, start)
        for asked, stream in sets:
            path = folder / f"{asked}.npz"
            if not path.is_file():
                write_arrays(path, scores(trained, stream))
    finish(differences(arguments.runs, [asked for asked, _ in sets]), arguments.save)


def differences(runs: Path, asked: list[str]) -> list[dict]:
    """Compare every network with that of the whole recipe, recording by recording."""
    rows = []
    for name, _ in recipes():
        for kind in asked:
            row: dict[str, str | float] = {"recipe": name, "recordings_with": kind}
            ours, whole = (_read(runs, which, kind) for which in (name, WHOLE))
            for measure, values in ours.items():
                row[measure] = values.mean()
                # Recordings are paired; seeds are trainings, not recordings.
                away = (values - whole[measure]).mean(axis=0)
                row[f"{measure}_difference"] = away.mean()
                row[f"{measure}_se"] = away.std(ddof=1) / np.sqrt(len(away))
                by_seed = (values - whole[measure]).mean(axis=1)
                row[f"{measure}_between_seeds"] = np.ptp(by_seed) / 2
            rows.append(row)
    return rows


def _read(runs: Path, name: str, asked: str) -> dict[str, np.ndarray]:
    """Return scores, (n_seeds, n_recordings) each."""
    stored = [read_arrays(runs / f"{name}-{seed}" / f"{asked}.npz") for seed in SEEDS]
    tables = [pd.DataFrame(arrays) for arrays in stored]
    return {key: np.stack([table[key] for table in tables]) for key in tables[0]}


if __name__ == "__main__":
    main()
