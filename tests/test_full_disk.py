"""A full disk: whole files or none, and one line that says so."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from test_no_home import SIMULATE
from toys import toy_clips, toy_head

from deepsif_lite import results
from deepsif_lite.artifacts import write_arrays
from deepsif_lite.errors import DiskFull
from deepsif_lite.imaging import report
from deepsif_lite.network import build_network
from deepsif_lite.network.weights import save_weights
from deepsif_lite.paths import whole_file
from deepsif_lite.training import TrainingConfig, train

DISK_BYTES = 128 * 1024


@pytest.fixture
def disk(tmp_path):
    """Return a folder on a small disk of its own, half of it in use."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs Linux and root")
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={DISK_BYTES}"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    (folder / "others").write_bytes(bytes(DISK_BYTES // 2))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def noise(n=200_000):
    return np.random.default_rng(0).random(n)


def write_checkpoint(folder):
    config = TrainingConfig(n_steps=1, batch_size=2, options={"n_shapes": 4})
    train(toy_head(), toy_clips(), folder, config=config, progress=False, device="cpu")


def write_network(folder):
    network = build_network("lite", n_channels=20, n_regions=120, n_shapes=4)
    save_weights(network, folder, {})


def write_figure(folder, monkeypatch):
    from matplotlib.figure import Figure

    monkeypatch.setenv("DEEPSIF_LITE_RESULTS", str(folder))
    fig = Figure(figsize=(6, 6))
    fig.subplots().imshow(noise(90_000).reshape(300, 300))
    results.write_figure("map", fig, ".")


def write_table(folder, monkeypatch):
    monkeypatch.setenv("DEEPSIF_LITE_RESULTS", str(folder))
    results.write_table("table", pd.DataFrame({"x": noise()}), ".")


def write_estimate(folder, monkeypatch):
    """Of all that an image is written as, the source estimate comes first."""
    import mne

    def write(image, evoked, start):
        n = 1000
        vertices = [np.arange(n), np.arange(n)]
        mne.SourceEstimate(noise(200 * n).reshape(2 * n, 100), vertices, 0, 1).save(
            start, verbose="error"
        )
        return []

    monkeypatch.setattr(report, "_write_all", write)
    report.write_image(None, None, folder, "a")


WRITERS = {
    "arrays": lambda folder, _: write_arrays(folder / "a.npz", {"x": noise()}),
    "checkpoint": lambda folder, _: write_checkpoint(folder),
    "weights": lambda folder, _: write_network(folder),
    "figure": write_figure,
    "table": write_table,
    "estimate": write_estimate,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_is_whole_or_not_there(disk, name, monkeypatch):
    with pytest.raises(DiskFull, match=r"is full \([\d,]+ bytes are free\)") as raised:
        WRITERS[name](disk, monkeypatch)
    text = str(raised.value)
    assert str(disk) in text
    assert "\n" not in text
    left = {path.name for path in disk.rglob("*") if path.is_file()}
    assert left <= {"others", ".lock"}


def test_the_old_file_stays(disk):
    path = write_arrays(disk / "a.npz", {"x": np.arange(3)})
    before = path.read_bytes()
    with pytest.raises(DiskFull):
        write_arrays(path, {"x": noise()})
    assert path.read_bytes() == before


def test_other_errors_are_left_as_they_are(tmp_path):
    with pytest.raises(RuntimeError, match="mine"), whole_file(tmp_path / "a.txt"):
        raise RuntimeError("mine")
    assert list(tmp_path.iterdir()) == []


def test_a_compiler_that_can_keep_nothing_compiles(disk):
    (disk / "rest").write_bytes(bytes(DISK_BYTES // 2))
    done = subprocess.run(
        [sys.executable, "-c", SIMULATE],
        env=os.environ | {"NUMBA_CACHE_DIR": str(disk)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [path for path in disk.rglob("*.nb?") if path.stat().st_size] == []
