"""Image published recordings by any networks and methods, and say where each lands.

Run ``python benchmarks/real_recordings.py --model lite --save real.csv`` (a minute
on two cores; the published files must be at hand). Each recording is imaged on the
electrodes that recorded it, in its whole window and in 100 ms around the peak, by
networks also with inverted polarity (solvers are linear: the same place). What is known
of the place differs: a coordinate for the first cortical response to touch, areas for
the others. An area is no proof, and these few recordings have served to choose
networks: read the table as a check for mistakes, not as a test.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from time import perf_counter

import mne
import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline
from short_runs import write_with_facts
from tqdm.auto import tqdm

import deepsif_lite as dl
from deepsif_lite.cortex import TEMPORAL, VISUAL, Cortex, brodmann_regions
from deepsif_lite.errors import RecordingUnavailable
from deepsif_lite.head import HeadModel
from deepsif_lite.imaging import Imager, SourceImage
from deepsif_lite.recordings import prepare

# Mean coordinate of the right index finger in primary somatosensory cortex over 54
# fMRI studies (Holmes et al. 2019, J Neurophysiol 121, 336-344), m.
HAND = (-0.048, -0.021, 0.050)
CALCARINE = (-0.010, -0.085, 0.002)  # m, left primary visual cortex, as in chapter 6
SENSORIMOTOR, PARIETAL, INFERIOR_TEMPORAL = (1, 2, 3, 4), (5, 7, 39, 40), (20, 37)
AUDITORY, MOTOR = (22, 41, 42), (6,)
FRONT = (10, 11, 38, 47)  # orbit and poles, where eyes and muscles are imaged
MEDIAL = 0.020  # m from the midline: area 6 there is the supplementary motor area

SHORT = 0.05  # s around the peak
VEP_ENDS = (0.132, 0.150, 0.200, 0.300, 0.498)  # s
SPIKE_WINDOW, SPIKE_QUIET = (-0.5, 0.498), (None, -0.6)  # s, as in chapter 5
P3_PEAK = 0.445  # s, of the difference
EARLY = (0.06, 0.11)  # s, where the first peak of a visual or auditory response lies
N_STRONGEST = 10


@dataclass(frozen=True, eq=False)
class Case:
    """A recording, and where its sources should be.

    Attributes
    ----------
    name : str
    evoked : mne.Evoked
    head : HeadModel
        The template under its electrodes.
    peaks : dict of str to float
        Latencies (s), by the name of the response.
    target, wider : array of int
        Regions where sources should be, strictly and with what lies around.
    place : tuple of float | None
        Coordinate (m) where one is known.
    windows : dict of str to tuple | None
        What to image (s), by a name; the whole recording by default.
    quiet : tuple
        Times without signal (s).
    around : float
        What a map takes before and after the peak (s).
    polarity : {1, -1}
    """

    name: str
    evoked: mne.Evoked
    head: HeadModel
    peaks: dict[str, float]
    target: np.ndarray
    wider: np.ndarray
    place: tuple[float, float, float] | None = None
    windows: dict[str, tuple] | None = None
    quiet: tuple = (None, 0.0)
    around: float = 0.01
    polarity: int = 1

    def span(self, peak: float) -> tuple[float, float]:
        """Return what a map at a peak takes, s."""
        return peak - self.around, peak + self.around

    def windows_at(self, peak: float) -> dict[str, tuple]:
        """Return the windows to image (s): those of the recording, and a short one."""
        whole = self.windows or {"whole": (None, None)}
        return whole | {"100 ms": (peak - SHORT, peak + SHORT)}

    def inverted(self) -> Case:
        """Return the same with the other polarity."""
        evoked = self.evoked.copy()
        evoked.data *= -1
        return replace(self, evoked=evoked, polarity=-self.polarity)


def cap_of(evoked: mne.Evoked) -> HeadModel:
    """Return the template head under the electrodes of a recording."""
    return dl.load_head_model("template", channels=evoked.info)


def somatosensory(cortex: Cortex) -> Iterator[Case]:
    """Touch the right side: N20 in area 3b of the left, then a parietal wave."""
    latencies = {"a0206": (0.0250, 0.0475), "a1974": (0.0233, 0.0367)}
    for subject, (first, later) in latencies.items():
        name = f"sep-{subject}"
        evoked = dl.load_recording(name)
        yield Case(
            name,
            evoked,
            cap_of(evoked),
            {"N20": first, "parietal": later},
            brodmann_regions(cortex, SENSORIMOTOR, "lh"),
            brodmann_regions(cortex, (*SENSORIMOTOR, *PARIETAL), "lh"),
            place=HAND,
            around=0.003,
        )


def oddball(cortex: Cortex) -> Iterator[Case]:
    """Show a rare image: parietal, inferior temporal, supplementary motor cortex."""
    names = ("015", "016", "017")
    responses = {n: dl.load_recording(f"oddball-{n}-difference") for n in names}
    responses["average"] = mne.grand_average(list(responses.values()))
    areas = brodmann_regions(cortex, (*PARIETAL, *INFERIOR_TEMPORAL))
    motor = brodmann_regions(cortex, MOTOR)
    medial = motor[np.abs(cortex.centroids[motor, 0]) < MEDIAL]
    target, head = np.union1d(areas, medial), cap_of(responses["average"])
    for name, evoked in responses.items():
        yield Case(f"oddball-{name}", evoked, head, {"P3": P3_PEAK}, target, target)


def visual_evoked(cortex: Cortex) -> Iterator[Case]:
    """Flash a checkerboard on the right, in windows that end at several times."""
    evoked = dl.load_recording("vep")
    yield Case(
        "vep",
        evoked,
        cap_of(evoked),
        {"P100": strongest_time(evoked)},
        *visual_areas(cortex, "lh"),
        place=CALCARINE,
        windows={f"until {1e3 * end:.0f} ms": (None, end) for end in VEP_ENDS},
    )


def mne_test(cortex: Cortex) -> Iterator[Case]:
    """Average three to six responses of one subject, to checkerboards and to tones."""
    hearing = [brodmann_regions(cortex, areas) for areas in (AUDITORY, TEMPORAL)]
    areas = {
        "mne-visual-left": visual_areas(cortex, "rh"),
        "mne-visual-right": visual_areas(cortex, "lh"),
        "mne-auditory-left": hearing,
        "mne-auditory-right": hearing,
    }
    head = None
    for name, (target, wider) in areas.items():
        evoked = dl.load_recording(name)
        evoked.info["bads"] = ["EEG 053"]  # known to be bad in this recording
        evoked.filter(None, 40.0, verbose="error")
        head = head or cap_of(evoked)
        yield Case(name, evoked, head, {"first": strongest_time(evoked)}, target, wider)


def patient(cortex: Cortex) -> Iterator[Case]:
    """Take spikes of the left temporal lobe: the average, and each alone."""
    average = dl.load_recording("patient-spike")
    lobe, head = brodmann_regions(cortex, TEMPORAL, "lh"), cap_of(average)
    case = Case(
        "patient-average",
        average,
        head,
        {"spike": 0.0},
        lobe,
        lobe,
        windows={"whole": SPIKE_WINDOW},
        quiet=SPIKE_QUIET,
    )
    yield case
    for k in range(1, 6):
        evoked = dl.load_recording(f"patient-spike-{k}")
        yield replace(case, name=f"patient-spike-{k}", evoked=evoked)


KINDS = (somatosensory, oddball, visual_evoked, mne_test, patient)


def visual_areas(cortex: Cortex, hemisphere: str) -> list[np.ndarray]:
    """Return areas 17 and 18 of a hemisphere, and the same with area 19."""
    return [brodmann_regions(cortex, a, hemisphere) for a in (VISUAL, (*VISUAL, 19))]


def strongest_time(evoked: mne.Evoked) -> float:
    """Return when the global field power is largest in the early window, s."""
    early = evoked.copy().pick("eeg", exclude="bads").crop(*EARLY)
    return float(early.times[early.data.std(axis=0).argmax()])


def all_cases(cortex: Cortex) -> Iterator[Case]:
    """Yield what can be read here, and say what cannot."""
    for kind in KINDS:
        try:
            yield from kind(cortex)
        except RecordingUnavailable as error:
            print(f"{kind.__name__} left out: {error}")


@lru_cache(maxsize=4)
def on_cap(model: str, head: HeadModel) -> Imager:
    """Return a network for the electrodes of a recording."""
    return dl.load_model(model, head=head, transfer=True)


def image(case: Case, method: str, model: str | None, window: tuple) -> SourceImage:
    """Image a window by a network, or by a solver that knows the quiet time."""
    tmin, tmax = window
    with warnings.catch_warnings(action="ignore"):
        if model is not None:
            network = on_cap(model, case.head)
            return dl.image(case.evoked, method, model=network, tmin=tmin, tmax=tmax)
        return dl.image(
            case.evoked, method, case.head, tmin=tmin, tmax=tmax, baseline=case.quiet
        )


def where(result: SourceImage, case: Case, peak: float) -> dict[str, float]:
    """Say where the strongest regions lie at a peak, in mm and against the target."""
    cortex, top = result.cortex, result.strongest(N_STRONGEST, *case.span(peak))
    strongest = cortex.centroids[top[0]]
    away = np.nan if case.place is None else np.linalg.norm(strongest - case.place)
    return dict(zip("xyz", np.round(1e3 * strongest), strict=True)) | {
        "to_place": 1e3 * away,
        "to_target": 1e3 * cortex.distances[top[0], case.target].min(),
        "in_target": np.isin(top, case.target).mean(),
        "in_wider": np.isin(top, case.wider).mean(),
    }


def how_sure(result: SourceImage, case: Case, peak: float) -> dict[str, float]:
    """Return the probability of the strongest region, and the largest at the front."""
    if result.probability is None:
        return {"probability": np.nan, "front": np.nan}
    top = result.strongest(1, *case.span(peak))[0]
    front = np.setdiff1d(brodmann_regions(result.cortex, FRONT), case.wider)
    return {
        "probability": result.probability[top],
        "front": result.probability[front].max(initial=0.0),
    }


def explained(
    result: SourceImage, case: Case, peak: float, ready: mne.Evoked
) -> dict[str, float]:
    """Return the share of the variance of the maps at a peak that an image explains.

    ``explained``: by all its activity, up to one factor; of networks alone, for solvers
    scale each region by its noise. ``by_strongest``: by the strongest region alone.
    """
    span = np.abs(result.times - peak) <= case.around
    at_times = CubicSpline(ready.times, ready.data, axis=1)
    window = at_times(result.times)
    recorded = (window - window.mean(axis=1, keepdims=True))[:, span]
    gain, total = case.head.referenced_leadfield, (recorded**2).sum()
    topography = gain[:, result.strongest(1, *case.span(peak))[0]]
    by_strongest = ((topography @ recorded) ** 2).sum() / (topography**2).sum()
    share = np.nan
    if result.method == "deepsif":
        shown = gain @ result.activity[:, span]
        share = max((shown * recorded).sum(), 0) ** 2 / ((shown**2).sum() * total)
    return {"explained": share, "by_strongest": by_strongest / total}


def measure(case: Case, method: str, model: str | None = None) -> Iterator[dict]:
    """Image a recording at each peak in all windows, a row each."""
    with warnings.catch_warnings(action="ignore"):
        ready = prepare(case.evoked, case.head.info)
    images = {}
    for name, peak in case.peaks.items():
        for window, times in case.windows_at(peak).items():
            if times not in images:
                images[times] = image(case, method, model, times)
            yield {
                "recording": case.name,
                "peak": name,
                "ms": round(1e3 * peak, 1),
                "window": window,
                "method": model or method,
                "polarity": case.polarity,
                **where(images[times], case, peak),
                **how_sure(images[times], case, peak),
                **explained(images[times], case, peak, ready),
            }


def measure_all(methods: list[str], models: list[str]) -> pd.DataFrame:
    """Image all recordings by all methods, by networks in both polarities."""
    rows = []
    for case in tqdm(all_cases(dl.load_cortex()), unit="recording"):
        for method in methods:
            if method == "deepsif":
                for model in models:
                    rows += measure(case, method, model)
                    rows += measure(case.inverted(), method, model)
            else:
                rows += measure(case, method)
    return pd.DataFrame(rows)


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Average over the recordings of a kind and the windows that are not short."""
    kind = table["recording"].str.extract(r"^(mne-[a-z]+|[a-z]+)", expand=False)
    window = np.where(table["window"] == "100 ms", "100 ms", "whole")
    table = table.assign(
        kind=kind, window=window, strongest_in_target=table["to_target"] == 0
    )
    keys = ["kind", "peak", "window", "method", "polarity"]
    columns = ["strongest_in_target", "in_target", "in_wider", "to_target"]
    columns += ["probability", "front", "explained"]
    return table.groupby(keys, sort=False)[columns].mean()


def save(table: pd.DataFrame, path: str, seconds: float) -> None:
    """Write a table below what made it."""
    write_with_facts(table, path, seconds, "%.4g")


def main() -> None:
    """Image all recordings, print the tables, and write the longer if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=["deepsif", "sloreta", "lcmv"])
    parser.add_argument(
        "--model", nargs="+", default=["lite"], help="names or folders of weights"
    )
    parser.add_argument("--save", help="file to write, .csv")
    arguments = parser.parse_args()
    start = perf_counter()
    table = measure_all(arguments.methods, arguments.model)
    seconds = perf_counter() - start
    print(table.round(2).to_string(index=False))
    print(summarize(table).round(2).to_string())
    print(f"{len(table)} rows in {seconds:.0f} s")
    if arguments.save:
        save(table, arguments.save, seconds)


if __name__ == "__main__":
    main()
