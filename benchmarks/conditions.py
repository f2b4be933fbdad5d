"""Score the networks where one thing differs: PNAS SI Figs. S4 to S11.

Run ``python benchmarks/conditions.py --save data/experiments/conditions.csv`` (half an
hour on one core). It goes on where it was stopped, and scores anew the methods whose
weights changed.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from full_counts import NETWORKS, all_weights, folder_of
from short_runs import kept_rows
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.cortex import grow_to_area
from deepsif_lite.errors import DeepSIFError
from deepsif_lite.evaluation import (
    METRICS,
    ControlledEEG,
    IndependentEEG,
    evaluate,
    grow_at_random,
    headline,
    per_sample,
    rise_of_median,
    spike_and_wave,
)
from deepsif_lite.head import HEAD_VARIANTS, load_fem_head, load_head_variant
from deepsif_lite.results import commit

SEED = 4004
METHODS = (*NETWORKS, "sloreta")
BY_SOURCE = ("depth", "amplitude")  # groups whose sources differ from each other
CM2, MM = 1e-4, 1e-3
CHUNK = 40  # recordings of each set before more of any


def _pink(rng, shape):
    """Noise of 1/f power in time."""
    frequency = np.fft.rfftfreq(shape[1], 1 / 500)[:, None]
    spectrum = np.fft.rfft(rng.standard_normal(shape), axis=1)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency, 1)), shape[1], axis=1)


def _alike(rng, shape, sensors):
    """Noise that neighboring electrodes share, over some 4 cm."""
    distance = np.linalg.norm(sensors[:, None] - sensors, axis=2)
    root = np.linalg.cholesky(np.exp(-distance / 0.04) + 1e-9 * np.eye(len(sensors)))
    return rng.standard_normal(shape) @ root.T


def _transient(width, n_times, sfreq, rng):
    times = np.arange(n_times) / sfreq
    return np.exp(-0.5 * ((times - rng.uniform(0.3, 0.7)) / width) ** 2)


def _oscillation(decay, n_times, sfreq, rng):
    times = np.arange(n_times) / sfreq - rng.uniform(0.1, 0.5)
    wave = np.sin(2 * np.pi * rng.uniform(4, 15) * times)
    return np.where(times > 0, wave * np.exp(-times / decay), 0)


def _all_or_none(cortex, seed, rng):
    """Two rings, whose outer regions join with a chance of one half."""
    first = cortex.neighbors[seed]
    outer = np.setdiff1d(np.concatenate([cortex.neighbors[r] for r in first]), first)
    outer = outer[(outer != seed) & (rng.random(len(outer)) < 0.5)]
    return np.concatenate([[seed], first, outer])


def _four_rings(cortex, seed, rng):
    return dl.grow_patch(cortex, seed, n_layers=4, rng=rng)


def _eden(cortex, seed, rng):
    return grow_at_random(cortex, seed, rng.uniform(5, 45) * CM2, rng)


def _of_area(area, cortex, seed, rng):
    return grow_to_area(cortex, seed, area, rng=rng)


def _noises(head, clips) -> dict[str, dict]:
    rng = np.random.default_rng(SEED)
    shape = (16, clips.n_times, len(head.ch_names))
    levels = {
        "white": {},
        "1/f in time": {"resting": _pink(rng, shape), "resting_share": 1.0},
        "alike in neighbors": {
            "resting": _alike(rng, shape, head.sensors),
            "resting_share": 1.0,
        },
    }
    try:
        resting = dl.recordings.load_resting_eeg()
    except DeepSIFError:
        return levels  # the published recording is not at hand
    shares = (0.25, 0.5, 0.75, 1.0)
    return levels | {
        f"resting EEG, {share:.0%}": {"resting": resting, "resting_share": share}
        for share in shares
    }


def _depths(head) -> dict[str, dict]:
    low, high = np.quantile(head.depth, (0.33, 0.8))
    shallow, deep = (0.0, float(low)), (float(high), 1.0)
    return {
        "both shallow": {"depths": (shallow, shallow)},
        "shallow and deep": {"depths": (shallow, deep)},
        "both deep": {"depths": (deep, deep)},
    }


def conditions(head, clips) -> dict[str, dict[str, dict]]:
    """Return options of a test set, by what is varied and its level."""
    far = {"apart": (50 * MM, 0.2)}
    edges = (5, 15, 25, 40, 60, 95, 150)  # mm; each region has another 95 mm away
    return {
        "size": {
            f"{area}": {"n_sources": (1,), "grow": partial(_of_area, area * CM2)}
            for area in (0.5, 3, 6, 10, 15, 25, 40, 60)
        },
        "distance": {
            f"{low} to {high}": {"apart": (low * MM, high * MM)}
            for low, high in zip(edges, edges[1:], strict=False)
        },
        "correlation": {
            f"{r:g}": {"correlation": r} | far for r in (0, 0.5, 0.8, 0.9, 0.95, 1)
        },
        "depth": _depths(head),
        "amplitude": {f"{db}": {"weaker_db": db} | far for db in (0, 3, 6, 10, 15)},
        "noise": _noises(head, clips),
        "growth": {
            "as the training": {},
            "outer ring at random": {"grow": _all_or_none},
            "four rings": {"grow": _four_rings},
            "random neighbors": {"grow": _eden},
            "no decay": {"half_distance": (10.0, 10.0)},
            "half at 20 mm": {"half_distance": (0.02, 0.02)},
        },
        "course": {
            "simulated spikes": {},
            "spike and wave": {"course": spike_and_wave},
            "Gaussian, 50 ms": {"course": partial(_transient, 0.021)},
            "Gaussian, 200 ms": {"course": partial(_transient, 0.085)},
            "damped oscillation": {"course": partial(_oscillation, 0.1)},
            "lasting oscillation": {"course": partial(_oscillation, 10.0)},
        },
        "band": {
            "all": {},
            **{
                f"{low} to {high} Hz": {"band": (low, high)}
                for low, high in ((1, 3), (4, 8), (8, 13), (14, 30), (1, 40))
            },
        },
        "generator": {
            "of the training": {"n_sources": (1, 2, 3)},
            "independent": {"n_sources": (1, 2, 3), "make_stream": IndependentEEG},
        },
        "reading": {
            "corrected": {"n_sources": (1, 2, 3)},
            "published": {"n_sources": (1, 2, 3), "synthesis": "published"},
        },
        "head": {"template": {}}
        | {
            name: {"head": load_head_variant(name)}
            for name in HEAD_VARIANTS
            if name != "coarse" and name[:6] != "shape-"
        }
        | {
            f"other shape {k}": {"head": load_head_variant(f"shape-{k:02d}")}
            for k in (1, 2, 3, 4)
        },
    }


def score(group, networks, options: dict, clips, method, first: int) -> pd.DataFrame:
    """Score a method on a chunk of one test set of a group a number of sources."""
    networks = _of_group(group, networks, options)
    options = {"make_stream": ControlledEEG, "n_sources": (2,)} | options
    return evaluate(
        networks,
        clips,
        methods=(method,),
        first=first,
        n_samples=CHUNK,
        seed=SEED,
        progress=False,
        **options,
    )


def finite_elements() -> dict[str, dict[str, dict]]:
    """Return the set of a head of finite elements, whose electrodes are others."""
    try:
        real = load_fem_head()
    except DeepSIFError:
        return {}  # the published head is not at hand
    cap = dl.load_head_model("template", channels=list(real.ch_names))
    levels = {"template, its electrodes": cap, "finite elements": real}
    return {"finite elements": {name: {"head": head} for name, head in levels.items()}}


def _of_group(group: str, networks: dict, options: dict) -> dict:
    """Return the networks of a group: for another cap, the one that serves any."""
    if group != "finite elements":
        return networks
    cap = dl.load_head_model("template", channels=list(options["head"].ch_names))
    return {"deepsif": dl.load_model("lite", head=cap)}


def means(rows: pd.DataFrame, base: pd.DataFrame, facts: dict) -> list[dict]:
    """Return means and standard errors, one row a method (and source).

    ``rise`` is that of the median error above that of the same recordings in the
    first set of the group.
    """
    parts = {"all": per_sample(headline(rows))}
    if facts["group"] in BY_SOURCE:
        parts |= {f"{k + 1}": part for k, part in rows.groupby("source")}
    before = per_sample(headline(base))
    table = []
    for source, samples in parts.items():
        for method, part in samples.groupby("method", sort=False):
            row = facts | {"method": method, "source": source, "n": len(part)}
            for metric in (*METRICS, "detected", "average_precision"):
                row[metric], row[f"{metric}_se"] = part[metric].agg(["mean", "sem"])
            row["error_median"] = part["error_mm"].median()
            if source == "all":
                of_base = before[before["method"] == method]
                rise = rise_of_median(part, of_base, "error_mm")
                row["rise"], row["rise_se"] = rise.value, rise.se
            table.append(row)
    return table


def methods_of(group: str) -> list[str]:
    """Return the methods of a group: no network knows the head of finite elements."""
    known = group != "finite elements"
    return [method for method in METHODS if known or method != "known head"]


def chunk_path(runs: Path, method: str, group: str, level: str, first: int) -> Path:
    """Return where the scores of a chunk lie."""
    name = f"{group}-{level}-{first}.csv".replace("/", "_")
    return folder_of(method, runs) / name


def stored_chunks(runs: Path, group: str, levels: dict, n: int) -> int:
    """Return how many chunks of every set of a group are stored, of all methods."""
    firsts = range(0, n, CHUNK)
    return min(
        sum(chunk_path(runs, method, group, level, k).is_file() for k in firsts)
        for method in methods_of(group)
        for level in levels
    )


def score_all(networks, clips, groups: dict, counts: dict, runs: Path) -> dict:
    """Score all sets, a chunk of each before the next chunk of any.

    ``counts`` says how many chunks of each group.

    Returns
    -------
    dict of (group, level) to DataFrame
    """
    sets = [(group, level) for group, levels in groups.items() for level in levels]
    parts = {which: [] for which in sets}
    rounds = range(max(counts.values()))
    work = [(k, *which) for k in rounds for which in sets if k < counts[which[0]]]
    for k, group, level in tqdm(work, unit="chunk"):
        first, options = k * CHUNK, groups[group][level]
        for method in methods_of(group):
            path = chunk_path(runs, method, group, level, first)
            asked = group, networks, options, clips, method, first
            rows = kept_rows(path, partial(score, *asked))
            parts[group, level].append(rows)
    return {which: pd.concat(each, ignore_index=True) for which, each in parts.items()}


def main() -> None:
    """Score all, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=200, help="in each set")
    parser.add_argument("--runs", type=Path, default=Path("_build/conditions"))
    parser.add_argument("--only", nargs="*", help="groups")
    parser.add_argument(
        "--stored", action="store_true", help="score no more, use what is stored"
    )
    parser.add_argument("--save", type=Path, help="file to write, .csv")
    arguments = parser.parse_args()
    networks = {k: dl.load_model(v) for k, v in NETWORKS.items()}
    clips = dl.load_spike_library("lite", split="test")
    groups = conditions(networks["deepsif"].head, clips) | finite_elements()
    if arguments.only:
        groups = {name: groups[name] for name in arguments.only}
    counts = dict.fromkeys(groups, -(-arguments.recordings // CHUNK))
    if arguments.stored:
        n = arguments.recordings
        counts = {g: stored_chunks(arguments.runs, g, groups[g], n) for g in groups}
        groups = {g: levels for g, levels in groups.items() if counts[g]}
    scored = score_all(networks, clips, groups, counts, arguments.runs)
    table = []
    for group, levels in groups.items():
        base = scored[group, next(iter(levels))]
        for level in levels:
            facts = {"group": group, "level": level}
            table += means(scored[group, level], base, facts)
    table = pd.DataFrame(table)
    print(table.round(2).to_string(index=False))
    if arguments.save:
        facts = f"# commit {commit()}, weights {all_weights()}, seed {SEED}\n"
        arguments.save.write_text(facts + table.round(4).to_csv(index=False))


if __name__ == "__main__":
    main()
