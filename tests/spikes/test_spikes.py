"""Rules for spikes, the library and its builder."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from toys import small_connectome, toy_clips, toy_head

import deepsif_lite as dl
from deepsif_lite.artifacts import read_arrays, write_arrays
from deepsif_lite.errors import ArtifactError, MismatchError
from deepsif_lite.neural_mass import load_connectome
from deepsif_lite.profiles import get_profile
from deepsif_lite.spikes import build as spike_build
from deepsif_lite.spikes import build_spike_library
from deepsif_lite.spikes.detection import (
    CLIP_SAMPLES,
    ClipCutter,
    find_peaks,
    keep_isolated,
    rescale_spikes,
    spike_span,
)
from deepsif_lite.spikes.library import load_spike_library
from deepsif_lite.spikes.parts import join_parts
from deepsif_lite.spikes.report import (
    HAS_CLIPS,
    LEFT_OUT,
    NEVER_ALONE,
    NO_SPIKE,
    NOT_SIMULATED,
    read_report,
    read_simulations,
    region_report,
    report_lines,
)


def bump(n_times, peak, height, width=12.0):
    return height * np.exp(-(((np.arange(n_times) - peak) / width) ** 2))


def test_peaks_are_local_maxima_above_threshold():
    rng = np.random.default_rng(0)
    activity = 10 * rng.random((300, 5))
    samples, regions = find_peaks(activity)
    brute = [
        (t, r)
        for t, r in itertools.product(range(1, 299), range(5))
        if activity[t, r] >= 8
        and activity[t, r] > activity[t - 1, r]
        and activity[t, r] > activity[t + 1, r]
    ]
    assert list(zip(samples, regions, strict=True)) == brute


def test_plateau_counts_once_at_its_center():
    samples, regions = find_peaks(np.array([[0, 9, 9, 9, 0.0]]).T)
    assert (samples.tolist(), regions.tolist()) == ([2], [0])


def test_only_the_first_peak_of_a_burst_is_isolated():
    # 160 is 90 after a rejected peak, and rejected as well; 261 is 101 after it.
    kept = keep_isolated(np.array([0, 70, 160, 261, 361]))
    assert kept.tolist() == [True, False, False, True, False]
    assert keep_isolated(np.array([150, 251]), previous=50).tolist() == [False, True]


def record_with_spikes(n_seconds, spikes, n_regions=4, seed=0):
    rng = np.random.default_rng(seed)
    n_times = n_seconds * CLIP_SAMPLES
    activity = 1 + 0.2 * rng.standard_normal((n_times, n_regions))
    for sample, region in spikes:
        activity[:, region] += bump(n_times, sample, 9)
        activity[:, region] -= bump(n_times, sample + 75, 1.5, 20)
    return activity


def clip_starts(activity, seed):
    cutter = ClipCutter(seed)
    for second in np.split(activity, len(activity) // CLIP_SAMPLES):
        cutter.feed(second)
    return list(cutter.clips())


def test_clip_needs_a_spike_of_the_seed_and_silence_elsewhere():
    seed = 2
    spikes = [
        (700, seed),  # second 1: clean
        (1700, seed),  # second 3: another region 150 samples before its window
        (1360, 0),
        (2999, seed),  # second 5: on the last sample of its window
        (3700, seed),  # second 7: another region 199 samples after it
        (4198, 1),
        (4900, seed),  # second 9: another region 210 samples after it
        (5210, 3),
    ]
    clips = clip_starts(record_with_spikes(14, spikes), seed)
    assert [clip.start // CLIP_SAMPLES for clip in clips] == [1, 5, 9]
    for clip, sample in zip(clips, (700, 2999, 4900), strict=True):
        (peak,), (span,) = clip.peaks, clip.spans
        assert abs(clip.start + peak - sample) <= 8
        assert span[0] < peak < span[1]


def test_spike_too_close_to_the_ends_of_the_record():
    activity = record_with_spikes(5, [(200, 0), (1300, 0), (2350, 0)])
    assert [clip.start for clip in clip_starts(activity, 0)] == [1000]


def test_streaming_equals_looking_at_the_whole_record():
    rng = np.random.default_rng(4)
    spikes = np.sort(rng.choice(60 * CLIP_SAMPLES, 70, replace=False))
    regions = np.where(rng.random(70) < 0.8, 1, rng.integers(4, size=70))
    activity = record_with_spikes(60, list(zip(spikes, regions, strict=True)))
    samples, regions = find_peaks(activity)
    kept = keep_isolated(samples)
    samples, regions = samples[kept], regions[kept]
    expected = []
    for start in range(0, len(activity), CLIP_SAMPLES):
        inside = (samples >= start) & (samples < start + CLIP_SAMPLES) & (regions == 1)
        inside &= (samples >= 249) & (samples + 250 < len(activity))
        near = (samples >= start - 200) & (samples < start + CLIP_SAMPLES + 200)
        if inside.any() and not (near & (regions != 1)).any():
            expected.append((start, (samples[inside] - start).tolist()))
    # The last two seconds cannot be judged before the record ends.
    expected = [e for e in expected if e[0] < len(activity) - 2 * CLIP_SAMPLES]
    found = [(clip.start, clip.peaks.tolist()) for clip in clip_starts(activity, 1)]
    assert len(found) > 5
    assert found == expected


def test_span_runs_from_mean_crossing_to_mean_crossing():
    n_times, peak = 1000, 480
    waveform = bump(n_times, peak, 8, 15) - bump(n_times, peak + 80, 2, 15)
    start, stop = spike_span(waveform, peak)
    # |8 exp(-(x/15)^2)| < 0.1 from x = 31.4 on, outwards on the left.
    assert peak - 33 <= start <= peak - 31
    # 2 exp(-(x/15)^2) < 0.1 from 26 samples after the trough on.
    assert peak + 80 + 26 <= stop - 1 <= peak + 80 + 28


def test_rescaling_touches_the_spike_alone():
    rng = np.random.default_rng(0)
    waveform = rng.standard_normal(100)
    scaled = rescale_spikes(waveform, np.array([[20, 40], [60, 60]]), 0.5, 3.0)
    inside = np.zeros(100, dtype=bool)
    inside[20:40] = True
    np.testing.assert_array_equal(scaled[~inside], waveform[~inside])
    np.testing.assert_allclose(scaled[inside] - 0.5, 3 * (waveform[inside] - 0.5))


@pytest.fixture(scope="module")
def libraries():
    return {split: load_spike_library("lite", split) for split in ("train", "test")}


def test_shipped_library_is_what_it_says(libraries):
    train, test = libraries["train"], libraries["test"]
    assert len(train) >= 600
    assert len(test) >= 150
    for library in (train, test):
        assert library.waveforms.shape == (len(library), CLIP_SAMPLES)
        assert library.n_regions == 994
        clip = np.arange(len(library))
        assert (library.waveforms[clip, library.peaks] >= 8).all()
        assert set(library.gains) == {3.5, 3.55, 3.6}
        assert len(np.unique(library.settings, axis=0)) == 3
        assert len(np.unique(library.seeds)) > 0.9 * len(library)
        for peak, spans in zip(library.peaks, library.spans, strict=True):
            assert any(start <= peak < stop for start, stop in spans)
    # No simulation serves both splits.
    shared = np.isin(test.waveforms[:, :50].sum(1), train.waveforms[:, :50].sum(1))
    assert not shared.any()


def test_shipped_backgrounds_are_the_simulated_ones(libraries):
    library = libraries["test"]
    for i in (0, len(library) // 2, len(library) - 1):
        background = library.background(i)
        error = background[:, library.seeds[i]] - library.waveforms[i]
        assert np.sqrt(np.mean(error**2)) < 0.15  # mV; a spike is sharper than the rest
        others = np.delete(background, library.seeds[i], axis=1)
        assert others.mean() == pytest.approx(1.2, abs=0.3)
        assert 0.2 < others.std(axis=0).mean() < 0.8


def test_projection_equals_the_direct_product(libraries):
    library = libraries["test"]
    leadfield = np.random.default_rng(0).standard_normal((7, library.n_regions))
    projected = library.project(leadfield)
    assert projected.shape == (len(library), CLIP_SAMPLES, 7)
    for i in (0, 30):
        direct = library.background(i).astype(float) @ leadfield.T
        np.testing.assert_allclose(
            projected[i], direct, atol=1e-3 * np.abs(direct).max()
        )
    with pytest.raises(ValueError, match="leadfield has 5 regions"):
        library.project(np.ones((7, 5)))


TINY = replace(get_profile("smoke"), name="tiny", simulation_seconds=6.0)


def read(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("tiny-*"))}


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """Build a tiny library in one process; return its folder and report."""
    folder = tmp_path_factory.mktemp("serial")
    options = {"connectome": small_connectome(), "progress": False}
    return folder, build_spike_library(TINY, folder, n_jobs=1, **options)


def test_build_is_resumable_and_independent_of_workers(serial, tmp_path, monkeypatch):
    options = {"connectome": small_connectome(), "progress": False}
    folder, report = serial
    whole = read(folder)
    names = {"tiny-train.npz", "tiny-test.npz", "tiny-simulations.csv"}
    assert set(whole) == {*names, "tiny-regions.csv"}
    regions = read_report(folder / "tiny")
    pd.testing.assert_frame_equal(read_simulations(folder / "tiny"), report)
    held = load_spike_library(folder / "tiny", "train")
    assert regions[regions["split"] == "train"]["n_clips"].sum() == len(held)
    assert report.n_clips.sum() >= 12
    assert (
        not report[["region", "gain", "mean_input", "attempt", "split"]]
        .duplicated()
        .any()
    )

    calls = []
    simulate_group = spike_build._simulate_group

    def dies_on_third(*arguments):
        calls.append(arguments[-1].name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        simulate_group(*arguments)

    monkeypatch.setattr(spike_build, "_simulate_group", dies_on_third)
    with pytest.raises(KeyboardInterrupt):
        build_spike_library(TINY, tmp_path / "stopped", n_jobs=1, **options)
    finished = {part.name for part in (tmp_path / "stopped").glob(".parts-*/*.npz")}
    assert finished == set(calls[:2])
    build_spike_library(TINY, tmp_path / "stopped", n_jobs=1, **options)
    assert read(tmp_path / "stopped") == whole
    # The third call is the first that had to be made again.
    assert calls[3] == calls[2]

    monkeypatch.setattr(spike_build, "_simulate_group", simulate_group)
    build_spike_library(TINY, tmp_path / "parallel", n_jobs=2, **options)
    assert read(tmp_path / "parallel") == whole


BUILD = """
import sys
from pathlib import Path
from test_spikes import TINY, build_spike_library, small_connectome
build_spike_library(
    TINY, Path(sys.argv[1]), connectome=small_connectome(), n_jobs=1, progress=False
)
"""


def test_build_killed_in_mid_run_ends_with_the_same_bits(serial, tmp_path):
    """The process gets no chance to clean up: SIGKILL, as from the system."""
    options = {"connectome": small_connectome(), "progress": False}
    killed = tmp_path / "killed"
    paths = [str(Path(__file__).parent), *filter(None, sys.path)]
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(killed)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    while not list(killed.glob(".parts-*/*.npz")):
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not list(killed.glob("tiny-*"))

    build_spike_library(TINY, killed, n_jobs=1, **options)
    assert read(killed) == read(serial[0])


def test_a_fresh_process_simulates_the_same(tmp_path):
    """As every worker is on Windows: nothing is inherited, all is sent."""
    plan, brain = spike_build.library_plans(TINY)[1], small_connectome()
    jobs = spike_build._first_jobs(plan, brain, 0)[:2]
    here, there = tmp_path / "here.npz", tmp_path / "there.npz"
    spike_build._simulate_group(plan, brain, 0, jobs, here)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        task = (spike_build._simulate_group, plan, brain, 0, jobs, there)
        pool.submit(*task).result()
    assert there.read_bytes() == here.read_bytes()


def test_a_damaged_part_is_simulated_again(serial, tmp_path, monkeypatch):
    options = {"connectome": small_connectome(), "n_jobs": 1, "progress": False}
    out = tmp_path / "damaged"

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(spike_build, "join_parts", stop)
        with pytest.raises(KeyboardInterrupt):
            build_spike_library(TINY, out, **options)
    first, *_ = sorted(out.glob(".parts-*/*.npz"))
    flipped = bytearray(first.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    first.write_bytes(flipped)
    build_spike_library(TINY, out, **options)
    assert read(out) == read(serial[0])


def test_report_tells_why_a_region_has_no_clip():
    columns = ["split", "region", "n_spikes", "n_clips"]
    rows = [
        ("train", 0, 9, 3),
        ("train", 0, 8, 2),
        ("train", 1, 4, 0),
        ("train", 2, 0, 0),
        ("train", 4, 2, 1),
        ("test", 3, 5, 1),
    ]
    # The library holds four of the five clips of region 0 and none of region 4.
    seeds = {"train": np.zeros(4, int), "test": np.array([3])}
    report = region_report(pd.DataFrame(rows, columns=columns), seeds, n_regions=5)
    train = report[report["split"] == "train"].set_index("region")
    expected = [HAS_CLIPS, NEVER_ALONE, NO_SPIKE, NOT_SIMULATED, LEFT_OUT]
    assert train["status"].tolist() == expected
    counts = ["n_simulations", "n_spikes", "n_found", "n_clips"]
    assert train.loc[0, counts].tolist() == [2, 17, 5, 4]
    assert (report[report["split"] == "test"]["status"] == NOT_SIMULATED).sum() == 4
    lines = report_lines(report)
    assert "train: 1 of 5 regions have clips, 4 in all" in lines[0]
    assert any(line.endswith(f"{NEVER_ALONE}: 1") for line in lines)


def test_paper_library_holds_a_hundred_clips_of_every_region():
    train, test = spike_build.library_plans("paper")
    n_pairs = len(spike_build.GAINS) * len(spike_build.SETTINGS)
    assert (train.seconds, train.n_regions) == (200, 994)
    assert 100 <= train.clips_per_simulation * n_pairs < 110
    assert 10 <= test.clips_per_simulation * n_pairs < 20
    jobs = spike_build._first_jobs(train, load_connectome("template"), seed=0)
    # Every region once at every pair of gain and setting.
    seen = Counter((job.region, job.gain, job.setting) for job in jobs)
    assert len(jobs) == 994 * n_pairs
    assert set(seen.values()) == {1}


def test_build_on_a_dask_cluster_gives_the_same_bits(serial, tmp_path):
    distributed = pytest.importorskip("distributed")
    from joblib import parallel_config

    options = {"connectome": small_connectome(), "progress": False}
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    )
    with cluster, distributed.Client(cluster), parallel_config("dask"):
        build_spike_library(TINY, tmp_path / "dask", n_jobs=-1, **options)
    assert read(tmp_path / "dask") == read(serial[0])


def test_shipped_library_can_be_simulated_again(libraries, tmp_path):
    """Not bit for bit: another processor, or order of summation, rounds otherwise."""
    plan = spike_build.library_plans("lite")[1]
    brain = load_connectome("template")
    jobs = spike_build._first_jobs(plan, brain, 0)[: spike_build.GROUP]
    spike_build._simulate_group(plan, brain, 0, jobs, tmp_path / "again.npz")
    library = libraries["test"]
    again = read_arrays(tmp_path / "again.npz")
    n = len(again["seeds"])
    assert n >= 5
    np.testing.assert_array_equal(again["seeds"], library.seeds[:n])
    np.testing.assert_array_equal(again["peaks"], library.peaks[:n])
    np.testing.assert_allclose(again["waveforms"], library.waveforms[:n], atol=0.05)


def test_library_errors(tmp_path):
    with pytest.raises(ValueError, match="'train', 'test'"):
        load_spike_library("lite", split="valid")
    with pytest.raises(FileNotFoundError, match="deepsif-lite simulate"):
        load_spike_library(tmp_path / "nothing")


def test_a_relative_stem_is_that_of_the_working_directory(serial, monkeypatch):
    monkeypatch.chdir(serial[0].parent)
    found = load_spike_library(f"{serial[0].name}/tiny", "test")
    expected = load_spike_library(serial[0] / "tiny", "test")
    np.testing.assert_array_equal(found.waveforms, expected.waveforms)


def test_clips_are_transferred_to_where_they_lie():
    """Each parcel hears what its place heard, but for the place that spiked."""
    clips = toy_clips()
    source, target = dl.load_cortex(120), dl.load_cortex(90)
    moved = clips.transferred(source, target)
    assert (moved.n_regions, moved.cortex) == (90, "template-90")
    nearest = cdist(target.centroids, source.centroids).argsort(axis=1)
    for i in range(len(clips)):
        for region in range(90):
            found = moved.levels[i, region]
            near = [
                j
                for j in nearest[region, :6]
                if (clips.levels[i, j] == found).all() or j == clips.seeds[i]
            ]
            assert near or not found.any()
        away = np.linalg.norm(
            target.centroids[moved.seeds[i]] - source.centroids[clips.seeds[i]]
        )
        assert away < 0.025
        silent = ~moved.levels[i].any(axis=1)
        assert silent.sum() <= 3


def test_parts_are_joined_in_the_order_of_their_jobs(serial, tmp_path):
    """The tenth attempt comes after the second, unlike in the order of names."""
    plan = spike_build.library_plans(TINY)[0]
    clips = load_spike_library(serial[0] / "tiny", "train")
    files = []
    for attempt in (0, 2, 10):
        part = {
            "counts": np.array([[1, 1]]),
            **{
                name: getattr(clips, name)[:1]
                for name in ("waveforms", "peaks", "means", "gains", "settings")
            },
            "seeds": np.array([attempt]),
            "spans": clips.spans[0],
            "n_spans": np.array([len(clips.spans[0])]),
            "packed": np.zeros(3, np.uint8),
            "n_packed": np.array([3]),
        }
        files.append(write_arrays(tmp_path / f"{attempt}-00000.npz", part))
    brain = small_connectome()
    seeds = join_parts(files, tmp_path / "joined.npz", brain, plan.n_clips)
    assert seeds.tolist() == [0, 2, 10]
    assert sorted(files) != files


def test_a_library_on_a_connectome_of_ones_own_is_usable_on_its_cortex(tmp_path):
    """The name of the network is its own; where its regions lie is the cortex's."""
    head = toy_head(40)
    brain = replace(small_connectome(), name="mine", cortex=head.cortex.name)
    build_spike_library(TINY, tmp_path, connectome=brain, n_jobs=1, progress=False)
    clips = load_spike_library(tmp_path / "tiny", cortex=head.cortex)
    assert clips.cortex == "template-40"
    sample = dl.SyntheticEEG(head, clips, n_sources=1)[0]
    assert np.isfinite(sample.eeg).all()
    assert small_connectome().cortex == "small"
    assert load_connectome("template").cortex == dl.load_cortex().name


def rewrite(path, **changes):
    """Write a library as it was before it had a hash, with some fields changed."""
    with np.load(path, allow_pickle=False) as stored:
        fields = {key: stored[key] for key in stored.files if key != "sha256"}
    np.savez(path, **(fields | changes))


def test_a_library_is_brought_to_the_cortex_asked_for(serial, tmp_path):
    for split in ("train", "test"):
        source = serial[0] / f"tiny-{split}.npz"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    stem, target = tmp_path / "tiny", dl.load_cortex(30)
    with pytest.raises(MismatchError, match="'small'"):
        load_spike_library(stem, cortex=target)
    rewrite(tmp_path / "tiny-train.npz", cortex="template-40")
    clips = load_spike_library(stem)
    expected = clips.transferred(dl.load_cortex(40), target)
    found = load_spike_library(stem, cortex=target)
    assert (found.cortex, found.n_regions) == ("template-30", 30)
    np.testing.assert_array_equal(found.levels, expected.levels)
    np.testing.assert_array_equal(found.seeds, expected.seeds)


def test_libraries_from_before_the_hash_and_the_name_of_the_cortex(serial, tmp_path):
    with np.load(serial[0] / "tiny-train.npz", allow_pickle=False) as stored:
        fields = {key: stored[key] for key in stored.files if key != "sha256"}
    fields["connectome"] = fields.pop("cortex")
    np.savez(tmp_path / "old-train.npz", **fields)
    old = load_spike_library(tmp_path / "old")
    new = load_spike_library(serial[0] / "tiny")
    assert old.cortex == new.cortex == "small"
    np.testing.assert_array_equal(old.levels, new.levels)


def test_a_changed_library_is_refused(serial, tmp_path):
    with np.load(serial[0] / "tiny-train.npz", allow_pickle=False) as stored:
        fields = dict(stored)
    np.savez(tmp_path / "tiny-train.npz", **(fields | {"step": 0.7}))
    with pytest.raises(ArtifactError, match="deepsif-lite simulate --profile tiny"):
        load_spike_library(tmp_path / "tiny")


def test_clips_of_another_cortex_are_refused():
    with pytest.raises(ValueError, match="the clips are on"):
        toy_clips().transferred(dl.load_cortex(90), dl.load_cortex(120))
    with pytest.raises(ValueError, match="transferred"):
        dl.SyntheticEEG(toy_head(), replace(toy_clips(), cortex="template-90"))
