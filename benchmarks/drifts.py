"""Measure what drifts of electrodes do to images, and what taking lines away costs.

Run ``python benchmarks/drifts.py --save data/experiments/drifts.csv`` (some minutes on
two cores). Patches all over the template answer briefly, or slowly as a P300 does, or
rise through the whole window as an expectancy wave does; electrodes drift in straight
lines, each by itself. Each recording is imaged as it is, and with the line that fits
each channel best taken away; ``taken`` says how often the library does so.
"""

from __future__ import annotations

import warnings

import mne
import numpy as np
import pandas as pd
from short_runs import finish, read_save
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.recordings import prepare
from deepsif_lite.signals import average_reference, remove_trend

N_PATCHES = 16
SFREQ, DURATION = 500.0, 1.0
AMPLITUDE, NOISE = 20e-6, 1e-6  # V
DRIFTS = (0.0, 2e-6, 5e-6, 20e-6, 50e-6, 1e-3)  # V in the window, standard deviation
# Width at half maximum and peak, s.
RESPONSES = {
    "brief, 60 ms": (0.06, 0.5),
    "slow, 300 ms": (0.3, 0.5),
    "slow, 300 ms, late": (0.3, 0.8),
    "slow, 300 ms, cut at its peak": (0.3, 1.0),
    "rises through the window": (None, None),
}


def course_of(width: float | None, peak: float | None) -> np.ndarray:
    """Return the time course of a response, 1 at its largest."""
    times = np.arange(round(SFREQ * DURATION)) / SFREQ
    if width is None:
        return times / DURATION
    return np.exp(-4 * np.log(2) * ((times - peak) / width) ** 2)


def simulate(
    head: dl.HeadModel, region: int, course: np.ndarray, drift: float, seed: int
) -> mne.EvokedArray:
    """Return a patch's response in noise, through electrodes that drift."""
    rng = np.random.default_rng([seed, region])
    field = head.leadfield[:, patch_of(head, region)].sum(axis=1)
    field = average_reference(field)
    data = AMPLITUDE / np.abs(field).max() * np.outer(field, course)
    data += NOISE * rng.standard_normal(data.shape)
    ramp = np.linspace(-0.5, 0.5, len(course))
    data += drift * np.outer(rng.standard_normal(len(field)), ramp)
    return mne.EvokedArray(data, head.info, verbose="error")


def patch_of(head: dl.HeadModel, region: int) -> list[int]:
    """Return a parcel and its neighbors."""
    return [region, *head.cortex.neighbors[region]]


def distances(model: dl.Imager, data: np.ndarray, patch: list[int]) -> dict[str, float]:
    """Return how far the strongest region lies from the patch, mm."""
    images = {
        "deepsif": model.predict(data.T).T,
        "sloreta": dl.solvers.get_solver("sloreta")(data.T, model.head).T,
    }
    away = 1e3 * model.head.cortex.distances[:, patch].min(axis=1)
    return {name: away[(x**2).sum(axis=1).argmax()] for name, x in images.items()}


def measure(model: dl.Imager, response: str, drift: float) -> dict[str, object]:
    """Image patches with a response and drifts; return means."""
    head, course = model.head, course_of(*RESPONSES[response])
    rows = []
    for region in np.linspace(0, head.cortex.n_regions - 1, N_PATCHES).astype(int):
        evoked = simulate(head, region, course, drift, seed=0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ready = prepare(evoked, head.info).data
        data = average_reference(evoked.data - evoked.data.mean(1, keepdims=True))
        row = {"taken": any("was taken away" in str(w.message) for w in caught)}
        row["noticed"] = any("drift" in str(w.message) for w in caught)
        for what, eeg in {
            "as_it_is": data,
            "line_taken": remove_trend(data),
            "library": ready,
        }.items():
            for name, away in distances(model, eeg, patch_of(head, region)).items():
                row[f"{name}_{what}_mm"] = away
        rows.append(row)
    return {"response": response, "drift_uv": 1e6 * drift, **pd.DataFrame(rows).mean()}


def main() -> None:
    """Measure all, and print or save the table."""
    save = read_save(__doc__)
    model = dl.load_model("lite-75")
    cases = [(response, drift) for response in RESPONSES for drift in DRIFTS]
    rows = [measure(model, *case) for case in tqdm(cases, unit="case")]
    finish(rows, save)


if __name__ == "__main__":
    main()
