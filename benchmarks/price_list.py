"""What fewer electrodes, other rates, short windows, and small sources cost.

Run ``python benchmarks/price_list.py --save data/experiments/price_list.csv`` (some
minutes on two cores). Each row is a network on fresh recordings of the template.
``--groups "sampling rate"`` measures that group alone, and its rows take the place of
those that the file has.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import mne
import numpy as np
from other_rates import AtAnotherRate
from scipy.spatial.distance import cdist
from short_runs import finish, merged
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.evaluation import METRICS, evaluate, per_sample
from deepsif_lite.head import TEN_TWENTY, HeadModel, template_cap
from deepsif_lite.imaging import Imager
from deepsif_lite.spikes import SpikeLibrary

LOST = (0.01, 0.05, 0.10, 0.25)  # share of 64 channels
REGION = 1.45e-4  # m^2, of a parcel
N_REGIONS = (1, 2, 4, 7, 15, 40)  # of a source
RATES = (100, 125, 200, 250, 256, 500, 512, 1000, 1024, 2048)  # Hz
WINDOWS = (0.2, 0.4, 0.6, 0.8, 1.0)  # s
NEAR = 5.0  # mm
SFREQ = 500.0  # Hz, of the network
SEED = 11


class Condition(NamedTuple):
    """Recordings of one kind.

    Attributes
    ----------
    group, name : str
    head : HeadModel
    options : dict
        Of the stream that makes the recordings.
    n_sources : tuple of int
    make_stream : callable
        Makes the recordings.
    """

    group: str
    name: str
    head: HeadModel
    options: dict[str, Any]
    n_sources: tuple[int, ...] = (1, 2, 3)
    make_stream: Callable = dl.SyntheticEEG


def of_electrodes() -> Iterator[Condition]:
    """Yield caps of many sizes."""
    for name, cap in caps().items():
        yield Condition("electrodes", name, cap, {})


def of_channels_lost() -> Iterator[Condition]:
    """Yield a cap of which channels are lost at random."""
    whole = dl.load_head_model("template-64")
    rng = np.random.default_rng(SEED)
    for share in LOST:
        n_lost = round(share * len(whole.ch_names))
        kept = np.sort(rng.permutation(len(whole.ch_names))[n_lost:])
        cap = whole.pick([whole.ch_names[k] for k in kept])
        yield Condition("channels lost", f"{share:.0%} of 64", cap, {})


def of_regions() -> Iterator[Condition]:
    """Yield sources of one size, from one region on."""
    head = dl.load_head_model("template-75")
    for count in N_REGIONS:
        area = count * REGION
        options = {"areas": (area, area)}
        yield Condition("regions of a source", str(count), head, options, (1,))


def of_synchronous_sources() -> Iterator[Condition]:
    """Yield sources that have one time course."""
    head = dl.load_head_model("template-75")
    for count in (2, 3):
        options = {"same_course": True}
        name = f"{count} sources, one time course"
        yield Condition("synchronous sources", name, head, options, (count,))


def of_rates() -> Iterator[Condition]:
    """Yield the same 0.6 s recorded at other rates than the network's."""
    head = dl.load_head_model("template-64")
    for rate in RATES:
        make = partial(AtAnotherRate, rate=rate)
        yield Condition("sampling rate", f"{rate} Hz", head, {}, make_stream=make)


def of_windows() -> Iterator[Condition]:
    """Yield windows of many lengths."""
    head = dl.load_head_model("template-64")
    for seconds in WINDOWS:
        options = {"n_times": round(seconds * SFREQ)}
        yield Condition("window length", f"{seconds:g} s", head, options)


GROUPS: dict[str, Callable[[], Iterator[Condition]]] = {
    "electrodes": of_electrodes,
    "channels lost": of_channels_lost,
    "regions of a source": of_regions,
    "synchronous sources": of_synchronous_sources,
    "sampling rate": of_rates,
    "window length": of_windows,
}


def caps() -> dict[str, HeadModel]:
    """Return caps of 16 to 256 electrodes on the template."""
    montages = {name: mne.channels.make_standard_montage(name) for name in _MONTAGES}
    infos = {
        name: mne.create_info(m.ch_names, 500.0, "eeg").set_montage(m)
        for name, m in montages.items()
    }
    return {
        "16 (BioSemi)": template_cap(infos["biosemi16"]),
        "19 (10-20)": template_cap(TEN_TWENTY),
        "21 (10-20)": template_cap([*TEN_TWENTY, "Fpz", "Oz"]),
        "32 (BioSemi)": template_cap(infos["biosemi32"]),
        "64 (BioSemi)": dl.load_head_model("template-64"),
        "75 (the paper's)": dl.load_head_model("template-75"),
        "128 (BioSemi)": template_cap(infos["biosemi128"], match="position"),
        "256 (BioSemi)": template_cap(infos["biosemi256"], match="position"),
    }


_MONTAGES = ("biosemi16", "biosemi32", "biosemi128", "biosemi256")


def measure(
    model: Imager, clips: SpikeLibrary, condition: Condition, n_samples: int
) -> dict[str, float]:
    """Score a network on one kind of recordings."""
    table = evaluate(
        model,
        clips,
        methods=("deepsif",),
        selections=("probability",),
        n_sources=condition.n_sources,
        n_samples=n_samples,
        seed=SEED,
        progress=False,
        make_stream=condition.make_stream,
        **condition.options,
    )
    means = per_sample(table)[list(METRICS)].mean()
    away = strongest_away(model, clips, condition, n_samples)
    return {
        **means,
        "missed": 1 - table["detected"].mean(),
        "strongest_mm": float(np.median(away)),
        "strongest_near": float(np.mean(away <= NEAR)),
    }


def strongest_away(
    model: Imager, clips: SpikeLibrary, condition: Condition, n_samples: int
) -> np.ndarray:
    """Return how far the strongest region lies from the sources, mm."""
    count = condition.n_sources[0]
    stream = condition.make_stream(
        model.head, clips, n_sources=count, seed=SEED + count, **condition.options
    )
    centers, away = model.head.cortex.centroids, []
    for sample in map(stream.__getitem__, range(n_samples)):
        image = model.predict(sample.eeg)
        strongest = (image**2).mean(axis=0).argmax()
        inside = np.unique(np.concatenate(sample.patches))
        away.append(1e3 * cdist(centers[[strongest]], centers[inside]).min())
    return np.array(away)


def main() -> None:
    """Measure all, and print or save the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lite", help="shipped name or folder")
    parser.add_argument("--samples", type=int, default=120, help="in each test set")
    parser.add_argument("--save", help="file to write, .csv")
    parser.add_argument(
        "--groups", nargs="+", choices=GROUPS, default=list(GROUPS), help="of rows"
    )
    arguments = parser.parse_args()
    clips = dl.load_spike_library(split="test")
    rows = []
    chosen = [each for name in arguments.groups for each in GROUPS[name]()]
    for condition in tqdm(chosen, unit="condition"):
        model = dl.load_model(arguments.model, head=condition.head)
        scores = measure(model, clips, condition, arguments.samples)
        rows.append({"group": condition.group, "condition": condition.name, **scores})
    rows = merged(rows, arguments.save, "group")
    finish(sorted(rows, key=lambda r: list(GROUPS).index(r["group"])), arguments.save)


if __name__ == "__main__":
    main()
