"""No home, no cache, nothing to write to: it works, or one line says what to do."""

from __future__ import annotations

import os
import subprocess
import sys

import mne
import numpy as np
import pytest

from deepsif_lite.errors import RecordingUnavailable
from deepsif_lite.head import load_head_model
from deepsif_lite.recordings import fetch, find, load_or, published, registry

HOMES = ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
# As in a container whose user has a number alone.
PROGRAM = """
import pwd
import sys

def nobody(number):
    raise KeyError(number)

pwd.getpwuid = nobody
from deepsif_lite.cli import main
sys.exit(main(sys.argv[1:]))
"""
SIMULATE = """
import numpy as np
from deepsif_lite.neural_mass import Connectome, simulate
links = np.array([[0, 0.4], [0.7, 0]])
brain = Connectome("test", links, 30 * links, np.arange(2))
print(simulate(brain, duration=0.05, seed=3).shape)
"""


def run(code, *arguments, **env):
    """Run code without a home, or with what ``env`` names; return what it printed."""
    kept = {k: v for k, v in os.environ.items() if k not in HOMES}
    kept.pop("DEEPSIF_LITE_DATA", None)
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=kept | env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    head = load_head_model("template-75")
    course = 1e-8 * np.hanning(50)
    evoked = mne.EvokedArray(np.outer(head.leadfield[:, 100], course), head.info)
    path = tmp_path_factory.mktemp("no-home") / "subject-ave.fif"
    evoked.save(path, verbose=False)
    return path


def check_written(done, out):
    """What was printed is there, a source estimate among it."""
    written = set(map(str, out.iterdir()))
    assert set(done.stdout.split()) == written
    assert any(path.endswith("-lh.stc") for path in written)


@pytest.fixture
def no_folder(tmp_path):
    """Return a path where no folder can be made, by root neither."""
    file = tmp_path / "file"
    file.write_text("")
    return file / "folder"


@pytest.mark.skipif(sys.platform == "win32", reason="users have names there")
def test_an_image_needs_no_home(recording, tmp_path):
    out = tmp_path / "out"
    done = run(PROGRAM, "image", recording, "--method", "sloreta", "--out", out)
    assert done.returncode == 0, done.stderr
    check_written(done, out)
    assert not (recording.parent / "~").exists()


def test_an_image_needs_no_home_that_can_be_written(recording, tmp_path, no_folder):
    out, code = tmp_path / "out", "from deepsif_lite.cli import main; main()"
    arguments = ("image", recording, "--method", "sloreta", "--out", out)
    done = run(code, *arguments, HOME=str(no_folder))
    assert done.returncode == 0, done.stderr
    check_written(done, out)


@pytest.mark.skipif(sys.platform == "win32", reason="users have names there")
def test_published_files_without_a_home_are_refused_in_one_line(tmp_path):
    done = run(PROGRAM, "data")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "Set HOME to a folder, or DEEPSIF_LITE_DATA" in line


@pytest.mark.parametrize("home", ["~/.cache/x", RuntimeError("no home")])
def test_who_has_no_home_sees_a_virtual_subject(monkeypatch, home):
    def place(_):
        if isinstance(home, str):  # older versions of platformdirs
            return home
        raise home

    monkeypatch.setattr("pooch.os_cache", place)
    monkeypatch.delenv("DEEPSIF_LITE_DATA", raising=False)
    with pytest.raises(RecordingUnavailable, match="Set HOME"):
        find(next(iter(registry())))
    assert load_or("vep", lambda: "virtual")[0] == "virtual"


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, no_folder):
    monkeypatch.setattr(published, "cache_dir", lambda: no_folder)
    monkeypatch.delenv("DEEPSIF_LITE_DATA", raising=False)
    with pytest.raises(RecordingUnavailable, match="set DEEPSIF_LITE_DATA") as raised:
        fetch(next(iter(registry())))
    assert str(no_folder) in str(raised.value)


def test_it_simulates_where_nothing_compiled_can_be_kept(no_folder):
    done = run(SIMULATE, NUMBA_CACHE_DIR=str(no_folder), HOME=str(no_folder))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["(1,", "100,", "2)"]
