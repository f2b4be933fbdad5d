"""Simulate spiking brains and keep the clips: one resumable command.

Every simulation has its own seed, drawn from what it simulates, and every group of
simulations leaves one file. A build that is stopped goes on where it was and ends
with the same library, whatever the number of workers.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..artifacts import artifact_path, read_arrays, write_arrays
from ..neural_mass.connectome import Connectome, load_connectome
from ..neural_mass.simulation import simulate_chunks
from ..profiles import Profile, get_profile
from ..runs import in_workers, only_run_in, progress_bar
from .detection import CLIP_SAMPLES, SFREQ, ClipCutter
from .library import SPLITS, check_unfinished, library_path
from .packing import N_COEFS, STEP
from .parts import Job, is_whole, join_parts, pack_clips
from .report import region_report, report_path, warn_of_empty_regions, write_reports

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


GAINS = (3.5, 3.55, 3.6)  # Excitatory gains of the region that is to spike, mV.
SETTINGS = ((0.087, 1.0), (0.08, 1.7), (0.083, 1.5))
"""Inputs: mean (1/ms) and standard deviation of the noise (in the paper's unit)."""

DT = 0.5e-3  # Step of the simulations, s.
BURN_IN = 0.5  # s, in which the random past is forgotten
GROUP = 16  # simulations that run side by side
PAPER_CLIPS = (100, 10)  # of every region, in the paper's training and test splits
_LEAST_SECONDS = 6.0  # two at either end serve the rules alone
_ATTEMPTS = 3  # at a clip of each seed region
# Clips kept, a seed region for each pair of gain and setting: training and test split
# of the lite library, 858 clips, take 24 MB.
_TRAIN_CLIPS, _TEST_CLIPS = 6 + 1 / 3, 6
_TEST_SHARE = 4  # one seed region in so many is simulated for the test split


@dataclass(frozen=True)
class Plan:
    """What one split of a library simulates and keeps.

    Attributes
    ----------
    split : str
        ``"train"`` or ``"test"``.
    n_regions : int
        Seed regions for each of the nine pairs of gain and setting.
    seconds : float
        Length of a simulation after the burn-in (s).
    attempts : int
        How often a seed region without a clip is simulated.
    clips_per_simulation, n_clips : int | None
        Keep at most so many, of one simulation and in all.
    """

    split: str
    n_regions: int
    seconds: float
    attempts: int
    clips_per_simulation: int | None
    n_clips: int | None


def library_plans(profile: str | Profile) -> tuple[Plan, Plan]:
    """Return what a profile simulates and keeps for training, and what for the test."""
    profile = get_profile(profile)
    n = profile.n_regions_per_gain
    seconds = max(profile.simulation_seconds, _LEAST_SECONDS)
    if profile.name == "paper":
        n_pairs = len(GAINS) * len(SETTINGS)
        train = Plan("train", n, 200.0, 1, -(-PAPER_CLIPS[0] // n_pairs), None)
        per_test = -(-PAPER_CLIPS[1] // n_pairs)
        test = replace(train, split="test", seconds=20.0, clips_per_simulation=per_test)
        return train, test
    train = Plan("train", n, seconds, _ATTEMPTS, 1, int(_TRAIN_CLIPS * n))
    n_test = max(1, n // _TEST_SHARE)
    return train, Plan("test", n_test, seconds, _ATTEMPTS, 1, _TEST_CLIPS * n_test)


def build_spike_library(
    profile: str | Profile = "lite",
    out: Path | None = None,
    *,
    connectome: Connectome | None = None,
    seed: int = 0,
    n_jobs: int = -1,
    progress: bool = True,
    overwrite: bool = False,
) -> pd.DataFrame:
    """Build both splits of a library, or finish an interrupted build.

    Parameters
    ----------
    profile : str | Profile
        How much to simulate.
    out : Path | None
        Folder of the library; ``data/spikes`` by default.
    connectome : Connectome | None
        The template's by default.
    seed : int
        Of all simulations.
    n_jobs : int
        Worker processes, as joblib counts them. Inside
        ``joblib.parallel_config("dask")`` the workers are Dask's.
    progress : bool
        Show a progress bar.
    overwrite : bool
        Replace a library of this profile that ``out`` holds.

    Returns
    -------
    report : DataFrame
        One row for each simulation: split, region, gain, setting, attempt, number
        of spikes and of clips. Written beside the library, as is the count by region
        (:func:`deepsif_lite.spikes.region_report`), which says why a region is
        without a clip; a warning tells when one is.

    Raises
    ------
    OptionError
        ``out`` holds a finished library of this profile.
    FolderInUse
        Another process is building in ``out``.
    """
    profile = get_profile(profile)
    connectome = connectome or load_connectome("template")
    with only_run_in(artifact_path("spikes") if out is None else out) as folder:
        return _build(profile, folder, connectome, seed, n_jobs, progress, overwrite)


def _build(
    profile: Profile,
    out: Path,
    connectome: Connectome,
    seed: int,
    n_jobs: int,
    progress: bool,
    overwrite: bool,
) -> pd.DataFrame:
    import pandas as pd

    reports, leftovers, seeds = [], [], {}
    plans = library_plans(profile)
    places = [out / f".parts-{_fingerprint(p, connectome, seed)}" for p in plans]
    if not overwrite:
        check_unfinished(out / profile.name, places)
    for plan, parts in zip(plans, places, strict=True):
        parts.mkdir(parents=True, exist_ok=True)
        report, files = _run_plan(plan, connectome, seed, parts, n_jobs, progress)
        path = library_path(out / profile.name, plan.split)
        seeds[plan.split] = join_parts(files, path, connectome, plan.n_clips)
        leftovers.append(parts)
        reports.append(report.assign(split=plan.split))
    report = pd.concat(reports, ignore_index=True)
    regions = region_report(report, seeds, connectome.n_regions)
    write_reports(out / profile.name, report, regions)
    warn_of_empty_regions(regions, report_path(out / profile.name))
    for parts in leftovers:
        shutil.rmtree(parts)
    return report


def store_spike_library(root: str | Path | None = None) -> list[Path]:
    """Build the shipped library and store it (a quarter of an hour on one core)."""
    stem = artifact_path("spikes/lite", root)
    build_spike_library(stem.name, stem.parent, overwrite=True)
    return [library_path(stem, split) for split in SPLITS]


def _fingerprint(plan: Plan, connectome: Connectome, seed: int) -> str:
    """Name of what is being built, so that no other build's parts are taken for it."""
    digest = hashlib.sha256(repr((astuple(plan), seed, GAINS, SETTINGS)).encode())
    digest.update(repr((DT, BURN_IN, GROUP, N_COEFS, STEP)).encode())
    for array in (connectome.weights, connectome.tract_lengths):
        digest.update(np.ascontiguousarray(array).tobytes())
    return f"{plan.split}-{digest.hexdigest()[:12]}"


def _first_jobs(plan: Plan, connectome: Connectome, seed: int) -> list[Job]:
    """Jobs over all pairs of gain and setting and as many regions as go.

    Regions come in random order, round after round. Each has another pair in each
    round, so that nine rounds are the whole grid.
    """
    rng = np.random.default_rng([seed, SPLITS.index(plan.split)])
    order = rng.permutation(connectome.n_regions).tolist()
    pairs = [(gain, setting) for gain in GAINS for setting in SETTINGS]
    places = [
        divmod(k, len(order))
        for k in range(plan.n_regions * len(GAINS) * len(SETTINGS))
    ]
    return [
        Job(order[place], *pairs[(place + number) % len(pairs)], attempt=0)
        for number, place in places
    ]


def _run_plan(
    plan: Plan,
    connectome: Connectome,
    seed: int,
    parts: Path,
    n_jobs: int,
    progress: bool,
) -> tuple[pd.DataFrame, list[Path]]:
    """Simulate, then again what gave no clip, until the plan is fulfilled.

    The files are in the order of their jobs.
    """
    import pandas as pd

    jobs, rows, files = _first_jobs(plan, connectome, seed), [], []
    for attempt in range(plan.attempts):
        groups = [jobs[i : i + GROUP] for i in range(0, len(jobs), GROUP)]
        paths = [parts / f"{attempt}-{number:05d}.npz" for number in range(len(groups))]
        _run_groups(plan, connectome, seed, groups, paths, n_jobs, progress)
        files += paths
        found = np.concatenate([read_arrays(path)["counts"] for path in paths])
        rows += [
            (job.region, job.gain, *job.setting, attempt, *count)
            for job, count in zip(jobs, found.tolist(), strict=True)
        ]
        total = sum(row[-1] for row in rows)
        jobs = [
            replace(job, attempt=attempt + 1)
            for job, (_, n_clips) in zip(jobs, found.tolist(), strict=True)
            if n_clips == 0
        ]
        if not jobs or (plan.n_clips is not None and total >= plan.n_clips):
            break
    columns = ["region", "gain", "mean_input", "noise_std", "attempt"]
    return pd.DataFrame(rows, columns=[*columns, "n_spikes", "n_clips"]), files


def _run_groups(
    plan: Plan,
    connectome: Connectome,
    seed: int,
    groups: list[list[Job]],
    paths: list[Path],
    n_jobs: int,
    progress: bool,
) -> None:
    from joblib import delayed

    tasks = [
        delayed(_simulate_group)(plan, connectome, seed, group, path)
        for group, path in zip(groups, paths, strict=True)
        if not is_whole(path)  # a damaged one is simulated again
    ]
    bar = progress_bar(
        progress,
        total=len(paths),
        initial=len(paths) - len(tasks),
        desc=f"{plan.split} spikes",
        unit="group",
        smoothing=0,  # groups end in bursts, one from each worker
    )
    with bar:
        options = {"return_as": "generator_unordered", "pre_dispatch": "all"}
        for _ in in_workers(tasks, n_jobs, **options):
            bar.update()


def _simulate_group(
    plan: Plan, connectome: Connectome, seed: int, jobs: list[Job], path: Path
) -> None:
    """Simulate side by side, cut the clips, write them to ``path``."""
    cutters = [ClipCutter(job.region, plan.clips_per_simulation) for job in jobs]
    for second in _seconds(plan, connectome, seed, jobs):
        for cutter, activity in zip(cutters, second, strict=True):
            cutter.feed(activity)
    write_arrays(path, pack_clips(jobs, cutters), compress=False)


def _seconds(
    plan: Plan, connectome: Connectome, seed: int, jobs: list[Job]
) -> Iterator[NDArray]:
    """Yield (n_jobs, CLIP_SAMPLES, n_regions) of successive seconds."""
    gain = connectome.raised_gain(
        [job.region for job in jobs], [job.gain for job in jobs]
    )
    mean_input, noise_std = np.array([job.setting for job in jobs]).T
    stride = round(1 / (SFREQ * DT))
    chunks = simulate_chunks(
        connectome,
        gain=gain,
        mean_input=mean_input,
        noise_std=noise_std,
        duration=BURN_IN + plan.seconds,
        chunk=BURN_IN,
        dt=DT,
        stride=stride,
        seed=[_job_seed(plan, seed, job) for job in jobs],
        n_jobs=1,
    )
    next(chunks)
    per_second = round(CLIP_SAMPLES / (SFREQ * BURN_IN))
    for _ in range(int(plan.seconds)):
        second = np.concatenate([next(chunks) for _ in range(per_second)], axis=1)
        yield second[..., connectome.node_of_region]


def _job_seed(plan: Plan, seed: int, job: Job) -> np.random.SeedSequence:
    key = (
        SPLITS.index(plan.split),
        job.region,
        GAINS.index(job.gain),
        SETTINGS.index(job.setting),
        job.attempt,
    )
    return np.random.SeedSequence(seed, spawn_key=key)
