"""Image simulated recordings, good and bad ones, and compare error with verdict.

Run ``python benchmarks/trust.py --save trust.csv`` (some minutes on two cores). Each
recording comes from another head with displaced electrodes, holds no to three sources
of any size, half of all have eyes, muscles or other artifacts, and windows are a second
or shorter. ``--person`` takes a person's own head by finite elements instead (its
published files must be at hand). The first table says how well the shares of eyes and
muscles tell windows with them from windows of cortex (area under the ROC curve), the
second the error of the images in each verdict, the third the number behind it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

import mne
import numpy as np
import pandas as pd
from personal_head import personal_cap
from scipy.stats import rankdata
from short_runs import finish, merged
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.head import (
    TEN_TWENTY,
    CapSampler,
    HeadModel,
    load_artifact_sources,
    load_cap_sampler,
    load_fem_head,
    template_cap,
)
from deepsif_lite.imaging import (
    VERDICTS,
    Evidence,
    Imager,
    SourceImage,
    artifact_shares,
    of_people,
)
from deepsif_lite.spikes import SpikeLibrary
from deepsif_lite.synthesis import (
    OCCURRENCES,
    ArtifactGenerator,
    Occurrence,
    SyntheticEEG,
    mix_artifacts,
)

MONTAGES = {19: TEN_TWENTY} | {
    n: mne.channels.make_standard_montage(f"biosemi{n}").ch_names for n in (32, 64)
}
DISPLACEMENT = (0.0, 0.01)  # m, of electrodes
AREAS = (2e-4, 4e-3)  # m^2, of sources
SNRS = (-10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0)  # dB, of half of the recordings
ARTIFACT_SHARE, ARTIFACT_DB = 0.5, (-20.0, 10.0)
LEVELS = (0.0, -10.0)  # dB, of eyes and muscles for the first table
SHORTEST = 100  # samples
N_WEARERS = 4  # heads under each cap
HEADS = {False: "computed", True: "a person's own"}
WRONG = 0.02  # m from the strongest region to the nearest source


def wearers(
    head: HeadModel, clips: SpikeLibrary, seed: int, sampler: CapSampler
) -> Iterator[tuple[SyntheticEEG, np.ndarray]]:
    """Yield streams of people who wear a cap, and where its electrodes are on each."""
    rng = np.random.default_rng(seed)
    for k in range(N_WEARERS):
        distance = rng.uniform(*DISPLACEMENT)
        wearer = sampler.recorded(head.sensors, distance, rng)
        worn = replace(head, leadfield=wearer.leadfield.astype(float))
        options = {"areas": AREAS, "sensor_snr": SNRS, "seed": N_WEARERS * seed + k}
        stream = dl.SyntheticEEG(worn, clips, n_sources=(0, 1, 2, 3), **options)
        yield stream, wearer.places


def generator(
    places: np.ndarray, sfreq: float, occurrences: dict[str, Occurrence]
) -> ArtifactGenerator:
    """Return what draws artifacts as electrodes at some places record them."""
    sources = load_artifact_sources()
    fields = sources.at(places)
    return ArtifactGenerator(fields, sources.sites, places, sfreq, occurrences)


def tell_apart(clips: SpikeLibrary, n_samples: int, seed: int) -> pd.DataFrame:
    """Measure how well eyes and muscles are told from cortex, a row a cap and level."""
    rows = []
    for n_channels, names in MONTAGES.items():
        head, shares = template_cap(names), {}
        for stream, places in wearers(head, clips, seed, load_cap_sampler()):
            stream.n_sources = (1, 2, 3)
            rng = np.random.default_rng(stream.seed)
            kinds = {
                kind: generator(places, clips.sfreq, {kind: Occurrence(1.0, 2)})
                for kind in ("eye", "muscle")
            }
            for k in range(n_samples // N_WEARERS):
                eeg = stream[k].eeg
                windows = {("cortex", 0.0): eeg}
                for kind, make in kinds.items():
                    drawn = make.draw(len(eeg), rng)
                    for level in LEVELS:
                        windows[kind, level] = mix_artifacts(eeg, *drawn, level)
                for key, window in windows.items():
                    found = artifact_shares(Evidence(window, head))
                    shares.setdefault(key, []).append(found)
        for (kind, level), values in list(shares.items())[1:]:
            column = ("eye", "muscle").index(kind)
            clean = np.array(shares["cortex", 0.0])[:, column]
            there = np.array(values)[:, column]
            rows.append(
                {
                    "electrodes": n_channels,
                    "kind": kind,
                    "dB": level,
                    "ROC area": roc_area(clean, there),
                    "cortex alone": np.median(clean),
                    "95 %": np.quantile(clean, 0.95),
                    "with it": np.median(there),
                }
            )
    return pd.DataFrame(rows)


def roc_area(without: np.ndarray, there: np.ndarray) -> float:
    """Return how often a value of the second is above one of the first."""
    ranks = rankdata(np.concatenate([without, there]))[len(without) :]
    n = len(there)
    return float((ranks.sum() - n * (n + 1) / 2) / (n * len(without)))


def worn_caps(*, person: bool) -> Iterator[tuple[HeadModel, CapSampler]]:
    """Yield the template under several caps, and what draws who wears them."""
    if person:
        yield template_cap(load_fem_head().ch_names), personal_cap()
        return
    for names in MONTAGES.values():
        yield template_cap(names), load_cap_sampler()


def recordings(
    clips: SpikeLibrary, n_samples: int, seed: int, *, person: bool
) -> Iterator[tuple[HeadModel, np.ndarray, np.ndarray, dict]]:
    """Yield head, EEG, regions of the sources, and what is told in the table."""
    for head, sampler in worn_caps(person=person):
        n_channels = len(head.ch_names)
        for stream, places in wearers(head, clips, seed, sampler):
            make = generator(places, clips.sfreq, OCCURRENCES)
            rng = np.random.default_rng(stream.seed)
            for k in range(n_samples // N_WEARERS):
                sample, level = stream[k], -np.inf
                eeg = sample.eeg
                if rng.random() < ARTIFACT_SHARE:
                    level = rng.uniform(*ARTIFACT_DB)
                    eeg = mix_artifacts(eeg, *make.draw(len(eeg), rng), level)
                source = np.concatenate([[], *sample.patches]).astype(int)
                facts = {"electrodes": n_channels, "seed": seed, "artifacts": level}
                facts |= {"n_sources": len(sample.patches), "snr": sample.snr_db}
                yield head, cut(eeg, sample.activity, rng), source, facts


def cut(eeg: np.ndarray, activity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut half of the windows shorter, around the peak of the sources."""
    if rng.random() < 0.5:
        return eeg
    length = int(rng.integers(SHORTEST, len(eeg)))
    peak = int(np.abs(activity).max(axis=1).argmax())
    start = int(np.clip(peak - rng.integers(length), 0, len(eeg) - length))
    return eeg[start : start + length]


def image(model: Imager, head: HeadModel, eeg: np.ndarray, sfreq: float) -> SourceImage:
    """Image a window that needs no preparation."""
    activity, probability = model.on(head).predict_with_probability(eeg)
    return SourceImage(
        activity.T,
        np.arange(len(eeg)) / sfreq,
        head.cortex,
        "deepsif",
        probability=of_people(probability, model.card),
        evidence=Evidence(np.asarray(eeg, float), head),
    )


def measure(
    model: Imager, clips: SpikeLibrary, n: int, seeds: range, *, person: bool
) -> pd.DataFrame:
    """Image recordings, a row each."""
    rows = []
    for seed in seeds:
        drawn = recordings(clips, n, seed, person=person)
        for head, eeg, source, facts in tqdm(drawn, unit="image"):
            result = image(model, head, eeg, clips.sfreq)
            distances = head.cortex.distances[result.peak.region, source]
            error = distances.min(initial=np.inf)
            trust = vars(result.trust) | {"verdict": result.trust.verdict}
            rows.append(facts | {"error": error, **trust})
    return pd.DataFrame(rows)


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Return error and share of wrong images in each verdict; no source is wrong."""
    table = table.assign(
        wrong=table["error"] > WRONG, mm=1e3 * table["error"], images=1
    )
    groups = table.groupby(["seed", "verdict"])
    summary = groups.agg({"images": "sum", "mm": "median", "wrong": "mean"})
    return summary.reindex(VERDICTS, level="verdict")


def main() -> None:
    """Print the tables, and write the one of the verdicts if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lite", help="name or folder of weights")
    parser.add_argument("--samples", type=int, default=200, help="of a cap and kind")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--no-roc", action="store_true", help="leave the first out")
    parser.add_argument("--person", action="store_true", help="a person's own head")
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    clips = dl.load_spike_library("lite", split="test")
    if not arguments.no_roc:
        table = tell_apart(clips, arguments.samples, seed=0)
        print(table.round(2).to_string(index=False))
    model, seeds = dl.load_model(arguments.model), range(arguments.seeds)
    table = measure(model, clips, arguments.samples, seeds, person=arguments.person)
    rows = summarize(table).reset_index().assign(heads=HEADS[arguments.person])
    rows = merged(rows.to_dict("records"), arguments.save, "heads")
    finish(rows, arguments.save)


if __name__ == "__main__":
    main()
