"""What the README tells a newcomer to type, typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import matplotlib.pyplot as plt
import mne
import numpy as np
import pytest

import deepsif_lite as dl
from deepsif_lite.cli import main as deepsif_lite_command

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text()
SFREQ = 250.0


def _blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S)


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """Put an average and a raw file, by the names of the README, where it is run."""
    head = dl.load_head_model("template-64")
    times = np.arange(-0.5, 0.5, 1 / SFREQ)
    course = 1e-8 * np.exp(-0.5 * (times / 0.02) ** 2)
    noise = 1e-7 * np.random.default_rng(0).standard_normal((64, len(times)))
    eeg = head.leadfield[:, [300]] * course + noise
    info = mne.create_info(list(head.ch_names), SFREQ, "eeg")
    mne.EvokedArray(eeg, info, tmin=times[0], nave=30).save(tmp_path / "my-ave.fif")
    raw = mne.io.RawArray(np.tile(eeg, 2), info)
    raw.save(tmp_path / "my-raw.fif")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    plt.close("all")


@pytest.mark.filterwarnings("ignore")  # of a recording that is made up
def test_its_python_runs(recordings, capsys):
    blocks = _blocks("python")
    assert len(blocks) == 2
    for block in blocks:
        exec(block, {})
    assert "Trust" in capsys.readouterr().out
    assert plt.get_fignums()


@pytest.mark.filterwarnings("ignore")
def test_its_shell_images_the_average(recordings):
    lines = "".join(_blocks("shell")).splitlines()
    (line,) = [line for line in lines if line.startswith("deepsif-lite image")]
    words = shlex.split(line, comments=True)
    assert deepsif_lite_command(words[1:]) in (None, 0)
    assert list((recordings / "my-image").glob("*-report.html"))


def test_its_commands_of_make_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"make ([a-z-]+)", TEXT))
    listed = re.search(r"`make help` lists the other commands: (.*)\.", TEXT)
    named |= {word.split()[0] for word in re.findall(r"`([^`]+)`", listed.group(1))}
    assert named <= targets


def test_its_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)", TEXT)
    here = [link for link in links if not link.startswith("http")]
    assert here
    assert [link for link in here if not (ROOT / link).exists()] == []
