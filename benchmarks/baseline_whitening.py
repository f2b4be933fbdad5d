"""Does it help a network to know the noise of a baseline? Projecting and whitening.

Run ``python benchmarks/baseline_whitening.py --save
data/experiments/baseline_whitening.csv --verdicts data/experiments/baseline_trust.csv``
(some minutes on two cores). Recordings are as
varied as in training, of clips that it never met; artifacts, rhythms and background
activity go on all the time, sources begin after the baseline. The network images the
same window

- as it is;
- without the one, two or three strongest maps of the baseline, taken out of data and
  leadfield (signal-space projection), or those of three that stand out;
- with data and leadfield whitened by the baseline's covariance (Ledoit-Wolf), with a
  part of the window's power added to it, by its root (halfway), or by the variances
  of the channels.

``--recordings`` images published recordings instead (they must be at hand): how many
of the ten strongest regions lie where they should, and how far their center is from
the place, where it is known. ``--person`` takes simulated recordings of a person's own
head by finite elements (its published files must be at hand).

Each row compares a way with imaging as it is, on the same recordings: gain of the
average precision, scores of the regions with a probability above one half, and how far
probabilities are from the truth at most. ``--verdicts`` writes how many images are
wrong among those that can be trusted and those that cannot.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from time import perf_counter
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from calibration import largest_gap
from numpy.typing import NDArray
from personal_head import personal_cap
from real_recordings import all_cases, on_cap, where
from short_runs import finish_with_facts
from tqdm.auto import tqdm
from trust import WRONG

import deepsif_lite as dl
from deepsif_lite.head import (
    CapSampler,
    HeadModel,
    load_artifact_sources,
    load_cap_sampler,
)
from deepsif_lite.imaging import LIMITS, VERDICTS, Evidence, Imager, SourceImage
from deepsif_lite.imaging.evidence import explained_shares, signal_to_noise
from deepsif_lite.metrics import average_precision, score_sources
from deepsif_lite.recordings import prepare
from deepsif_lite.signals import average_reference, normalize
from deepsif_lite.solvers import noise_covariance
from deepsif_lite.synthesis import VariedEEG, Variety

N_BASELINE = 150  # samples, 0.3 s
RISE = 25  # samples in which a source begins
BLOCK = 32  # recordings that share a cap
VARIETY = Variety(
    short_share=0, mapped_share=0, rhythm_share=0.6, rhythm_db=(-15.0, 5.0)
)
SOURCES = (1, 1, 2, 3)
SEEDS = (95, 96)  # 91 to 94 served to choose
SFREQ = 500.0  # Hz, of the network
OUTSTANDING = 5.0  # times the mean power of a baseline's maps
MOST = 3  # maps taken out
# Names, estimates of the covariance, how far data are whitened by it, and which share of
# the window's power is added to it, as if the head model were wrong by that much.
WHITENED = (
    ("whitened", "ledoit_wolf", 1.0, 0.0),
    ("whitened, 3 % added", "ledoit_wolf", 1.0, 0.03),
    ("whitened, 30 % added", "ledoit_wolf", 1.0, 0.3),
    ("whitened halfway", "ledoit_wolf", 0.5, 0.0),
    ("whitened channel by channel", "diagonal", 1.0, 0.0),
)
LIKELY = 0.5
SCORES = ("average_precision", "precision", "recall", "error_mm", "fit")
FIRST_MAPS = 3  # as many as sources, at most


class WithBaseline(VariedEEG):
    """Samples whose sources begin after a baseline."""

    def _waves(self, clip: torch.Tensor, draws: list) -> torch.Tensor:
        wave = super()._waves(clip, draws)
        n_times = wave.shape[-1]
        since = torch.arange(n_times) - N_BASELINE
        gate = (since / RISE).clamp(0, 1)
        for b, draw in enumerate(draws):
            rng = np.random.default_rng([self.seed, *draw.clips, len(draw.patches)])
            # One shift for all: sources with one time course stay so.
            peak = int(wave[b, 0].abs().argmax())
            wanted = int(rng.integers(N_BASELINE + 2 * RISE, n_times - 2 * RISE))
            moved = torch.roll(wave[b], wanted - peak, dims=-1) * gate
            wave[b] = moved / moved.abs().amax(-1, keepdim=True).clamp_min(1e-6)
        return wave


def ways(baseline: NDArray, window: NDArray) -> Iterator[tuple[str, NDArray]]:
    """Yield what to multiply data and leadfield by, (n_channels, n_channels)."""
    n_channels = window.shape[1]
    whole = average_reference(window - window.mean(axis=0), 1).var()
    one = np.eye(n_channels)
    yield "as it is", one
    centered = average_reference(baseline - baseline.mean(axis=0), 1)
    power, maps = np.linalg.eigh(centered.T @ centered / len(centered))
    maps = maps[:, ::-1]
    for count in range(1, MOST + 1):
        name = f"without the {count} strongest map{'s' * (count > 1)}"
        yield name, one - maps[:, :count] @ maps[:, :count].T
    # The average reference leaves one map without power.
    stand_out = power[::-1][:MOST] > OUTSTANDING * power[1:].mean()
    kept = maps[:, :MOST][:, stand_out]
    yield "without those that stand out", one - kept @ kept.T
    for name, estimate, exponent, added in WHITENED:
        covariance = noise_covariance(centered, estimate) + added * whole * one
        yield name, _power_of(covariance, -exponent / 2)


def _power_of(covariance: NDArray, exponent: float) -> NDArray:
    """Return a power of a covariance on the average reference."""
    reference = np.eye(len(covariance)) - 1 / len(covariance)
    values, vectors = np.linalg.eigh(reference @ covariance @ reference)
    values, vectors = values[1:], vectors[:, 1:]  # the first belongs to the reference
    return (vectors * values**exponent) @ vectors.T


class Found(NamedTuple):
    """What a network finds in a window.

    Attributes
    ----------
    activity : array of shape (n_times, n_regions)
    probability : array of shape (n_regions,)
    fit : float
        Share of the scalp map of the best patch in the span of the first maps of the
        window: 1 where the leadfield is right and noise is gone.
    """

    activity: NDArray
    probability: NDArray
    fit: float


def image(model: Imager, eeg: NDArray, leadfield: NDArray) -> Found:
    """Image a window by a leadfield."""
    network = model.network.serving(leadfield)
    with torch.inference_mode():
        window = torch.from_numpy(normalize(eeg)[None].astype(np.float32))
        activity, probability = network.image(window)
        maps, *_ = network.modes(window)
        fit = network.best_fit(maps[:, :FIRST_MAPS]).max()
    return Found(activity[0].numpy(), probability[0].numpy(), float(fit))


def scores(model: Imager, found: Found, sample: dict) -> dict[str, float]:
    """Return the scores of an image, how far it is off, and whether it says so."""
    activity, probability, fit = found
    regions = sample["regions"]
    sample_of_peak, strongest = np.divmod(np.abs(activity).argmax(), len(probability))
    away = model.head.cortex.distances[strongest, regions].min()
    active = np.flatnonzero(probability > LIKELY)
    rows = pd.DataFrame(
        score_sources(
            activity,
            sample["activity"],
            sample["patches"],
            model.head.cortex,
            active=active,
        )
    )
    return {
        "average_precision": average_precision(probability, regions),
        "precision": rows["precision"].mean(),
        "recall": rows["recall_detected"].fillna(0).mean(),
        "error_mm": 1e3 * rows["localization_error"].mean(),
        "fit": fit,
        "wrong": away > WRONG,
        "verdict": verdict(activity, probability, sample, sample_of_peak),
    }


def verdict(activity: NDArray, probability: NDArray, sample: dict, peak: int) -> str:
    """Return the worst verdict of those checks that need no places of electrodes."""
    baseline, window = np.split(sample["eeg"].astype(float), [N_BASELINE])
    head = SimpleNamespace(
        modality="eeg", referenced_leadfield=average_reference(sample["leadfield"])
    )
    noise = average_reference(baseline - baseline.mean(axis=0), 1).var()
    evidence = Evidence(average_reference(window, 1), head, noise)
    whole, at_peak = explained_shares(evidence, activity.T, peak)
    told = {
        "signal_to_noise": signal_to_noise(evidence),
        "explained": whole,
        "explained_at_peak": at_peak,
        "probability": probability.max(),
    }
    verdicts = [LIMITS[name].judge(value) for name, value in told.items()]
    return max(verdicts, key=VERDICTS.index)


def recordings(stream: WithBaseline, n_blocks: int) -> Iterator[dict]:
    """Yield recordings with what is true of them."""
    for block in tqdm(range(n_blocks), unit="cap"):
        indices = range(block * BLOCK, (block + 1) * BLOCK)
        batch = stream.batch(indices)
        for index, eeg, truth in zip(
            indices, batch.eeg.numpy(), batch.activity.numpy(), strict=True
        ):
            draw = stream._draw(index)
            disturbed = draw.artifacts is not None and draw.artifact_db > 0
            yield {
                "eeg": eeg,
                "activity": truth[N_BASELINE:],
                "patches": draw.patches,
                "regions": np.unique(np.concatenate(draw.patches)),
                "leadfield": batch.leadfield,
                "kind": "artifacts above 0 dB" if disturbed else "weaker, or none",
            }


def test_stream(head: HeadModel, seed: int, sampler: CapSampler | None) -> WithBaseline:
    """Return recordings of clips that no network has met."""
    return WithBaseline(
        head,
        dl.load_spike_library(split="test"),
        sampler or load_cap_sampler(),
        load_artifact_sources(),
        variety=VARIETY,
        block_size=BLOCK,
        n_sources=SOURCES,
        seed=seed,
    )


def measure(
    model: Imager, stream: WithBaseline, n_blocks: int
) -> tuple[pd.DataFrame, pd.Series]:
    """Return one row a recording and way, and the largest gap of probability by way."""
    rows, told, true = [], [], []
    for number, sample in enumerate(recordings(stream, n_blocks)):
        window = sample["eeg"][N_BASELINE:].astype(float)
        baseline = sample["eeg"][:N_BASELINE].astype(float)
        gain = average_reference(sample["leadfield"])
        for way, matrix in ways(baseline, window):
            found = image(model, window @ matrix, matrix @ gain)
            row = {"recording": number, "way": way, "recordings": sample["kind"]}
            rows.append(row | scores(model, found, sample))
            told.append(found.probability)
            true.append(np.isin(np.arange(len(found[1])), sample["regions"]))
    table, told, true = pd.DataFrame(rows), np.array(told), np.array(true)
    gaps = {
        way: largest_gap(told[here], true[here])["largest_gap"]
        for way in table["way"].unique()
        for here in [(table["way"] == way).to_numpy()]
    }
    return table, pd.Series(gaps, name="largest_gap")


def compare(table: pd.DataFrame, gaps: pd.Series) -> pd.DataFrame:
    """Return means of each way, and gains over imaging as it is, with their errors."""
    plain = table[table["way"] == "as it is"].set_index("recording")
    gain = table["average_precision"].to_numpy()
    gain = gain - plain.loc[table["recording"], "average_precision"].to_numpy()
    table = table.assign(gain=gain)
    groups = [table.assign(recordings="all"), table]
    grouped = pd.concat(groups).groupby(["recordings", "way"], sort=False)
    means = grouped[[*SCORES, "gain"]].mean()
    means["gain_se"] = grouped["gain"].sem()
    means["n"] = grouped.size()
    means = means.reset_index()
    whole = means["recordings"] == "all"
    return means.assign(largest_gap=means["way"].map(gaps).where(whole))


def by_verdict(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many images have each verdict, and the share that is wrong."""
    table = table[table["way"].isin(["as it is", "whitened"])]
    groups = table.assign(images=1).groupby(["way", "verdict"])
    counts = groups.agg({"images": "sum", "wrong": "mean"})
    return counts.reindex(VERDICTS, level="verdict").reset_index()


def on_recordings(model: str) -> list[dict]:
    """Image recordings that have a baseline; nothing was chosen by them."""
    cortex, rows = dl.load_cortex(), []
    for case in all_cases(cortex):
        name, window = next(iter((case.windows or {"whole": (None, None)}).items()))
        ready = prepare(case.evoked, case.head.info, SFREQ, interpolate=False)
        imager = on_cap(model, case.head.pick(ready.ch_names))
        gain = average_reference(imager.head.leadfield)
        quiet, shown = (
            ready.copy().crop(*part).data.T for part in (case.quiet, window)
        )
        times = ready.copy().crop(*window).times
        for way, matrix in ways(quiet, shown):
            told = image(imager, shown @ matrix, matrix @ gain)
            found = SourceImage(
                told.activity.T, times, cortex, "deepsif", probability=told.probability
            )
            facts = {"recording": case.name, "window": name, "way": way}
            facts |= {"fit": told.fit}
            rows += [
                facts | {"response": response} | where(found, case, peak)
                for response, peak in case.peaks.items()
                if times[0] <= peak <= times[-1]
            ]
    return rows


def simulated(
    name: str, seeds: Sequence[int], n_caps: int, sampler: CapSampler | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the ways on simulated recordings, seed by seed."""
    model = dl.load_model(name, head=dl.load_head_model("template-75"))
    parts, verdicts = [], []
    for seed in seeds:
        table, gaps = measure(model, test_stream(model.head, seed, sampler), n_caps)
        parts.append(compare(table, gaps).assign(seed=seed))
        verdicts.append(by_verdict(table).assign(seed=seed))
    return pd.concat(parts), pd.concat(verdicts)


def main() -> None:
    """Compare, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lite", help="shipped name or folder")
    parser.add_argument("--caps", type=int, default=3, help=f"of {BLOCK} recordings")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--recordings", action="store_true", help="image these instead")
    parser.add_argument("--person", action="store_true", help="a person's own head")
    parser.add_argument("--save", help="file to write, .csv")
    parser.add_argument("--verdicts", help="another, .csv")
    arguments, start = parser.parse_args(), perf_counter()
    if arguments.recordings:
        table = pd.DataFrame(on_recordings(arguments.model))
    else:
        sampler = personal_cap() if arguments.person else None
        table, verdicts = simulated(
            arguments.model, arguments.seeds, arguments.caps, sampler
        )
        finish_with_facts(verdicts, arguments.verdicts, start)
    finish_with_facts(table, arguments.save, start)


if __name__ == "__main__":
    main()
