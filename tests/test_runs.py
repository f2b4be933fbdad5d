"""Long runs: one at a time in a folder, stopped between steps, no orphans."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import deepsif_lite
from deepsif_lite import runs
from deepsif_lite.errors import FolderInUse
from deepsif_lite.runs import hold_stops, only_run_in, terminate_like_interrupt

ROOT = Path(deepsif_lite.__file__).parent.parent
PATIENCE = 60  # s, on a busy machine

HOLDER = """
import sys, time
from deepsif_lite.runs import only_run_in
with only_run_in(sys.argv[1]):
    print("holds", flush=True)
    time.sleep(600)
"""

# Workers write their number and then work on, longer than the test waits.
PARENT = """
import os, sys, time
from pathlib import Path
from joblib import delayed
from deepsif_lite.runs import in_workers, only_run_in

def work(folder, number):
    (Path(folder) / f"worker-{os.getpid()}").touch()
    time.sleep(600)

if __name__ == "__main__":
    with only_run_in(sys.argv[1]) as folder:
        list(in_workers([delayed(work)(folder, k) for k in range(4)], 2))
"""


def start(code, *arguments):
    """Start a Python process that imports this checkout."""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def wait_until(is_so):
    deadline = time.monotonic() + PATIENCE
    while not (found := is_so()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture
def holder(tmp_path):
    """Return a process that holds ``tmp_path``."""
    process = start(HOLDER, tmp_path)
    assert process.stdout.readline() == "holds\n"
    with process:  # closes its pipe
        yield process
        process.kill()


def test_a_second_process_is_told_who_is_there(holder, tmp_path):
    with pytest.raises(FolderInUse, match=f"use by process {holder.pid};") as raised:
        only_run_in(tmp_path).__enter__()
    assert str(tmp_path) in str(raised.value)
    assert holder.poll() is None
    assert (tmp_path / ".running").read_text().strip() == str(holder.pid)


def test_a_killed_process_holds_nothing(holder, tmp_path):
    (tmp_path / ".table.17.part.csv").write_text("half")
    (tmp_path / ".mine.part.csv").write_text("no file of ours")
    holder.kill()
    holder.wait()
    with only_run_in(tmp_path):
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {".lock", ".running", ".mine.part.csv"}
    with only_run_in(tmp_path):  # and once more
        pass
    assert not (tmp_path / ".running").exists()


def test_a_process_holds_a_folder_once(tmp_path):
    with only_run_in(tmp_path), pytest.raises(FolderInUse, match=str(os.getpid())):
        only_run_in(tmp_path).__enter__()


@pytest.mark.skipif(os.name != "posix", reason="orphans get no other parent here")
def test_workers_end_with_their_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    folder = tmp_path / "out"
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, str(script), str(folder)], env=env)
    started = wait_until(
        lambda: len(found := list(folder.glob("worker-*"))) == 2 and found
    )
    workers = [int(path.name.partition("-")[2]) for path in started]
    assert parent.pid not in workers
    parent.kill()
    parent.wait()
    with only_run_in(folder):  # no worker holds it
        wait_until(lambda: not any(map(is_alive, workers)))


def is_alive(pid):
    """Return whether a process runs; a dead one may wait for its new parent."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return (
        not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_waits_for_the_end_of_the_block(number):
    done = []
    with pytest.raises(KeyboardInterrupt), terminate_like_interrupt():  # noqa: PT012
        with hold_stops() as held:
            signal.raise_signal(number)
            signal.raise_signal(number)
            done.append("step")
        done.append("after")
    assert done == ["step"]
    assert held == [number, number]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_what_is_ignored_stays_ignored():
    """As in a program that nohup has started."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with hold_stops() as held:
            signal.raise_signal(signal.SIGINT)
        assert held == []
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_lines_replace_a_missing_tqdm(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    clock = iter([0.0, 4.0, 20.0])
    monkeypatch.setattr(runs.time, "monotonic", lambda: next(clock))
    caplog.set_level(logging.INFO)
    options = {"total": 1000, "initial": 200, "desc": "training", "unit": "sample"}
    with runs.progress_bar(True, unit_scale=True, **options) as bar:
        bar.set_postfix(loss="1.5")
        bar.update(100)  # after 4 s: too early for a line
        bar.update(100)
    # 200 samples in 20 s: 10 a second, and 600 are left.
    expected = "training: 400 of 1,000 samples, 10 a second, 1.0 min left, loss 1.5"
    assert caplog.messages == [expected]


def test_silence_is_heeded_without_tqdm(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setattr(runs, "SECONDS_PER_LINE", 0)
    caplog.set_level(logging.INFO)
    for show, environment in ((False, ""), (True, "1")):
        monkeypatch.setenv("TQDM_DISABLE", environment)
        runs.progress_bar(show, total=2).update(1)
    assert not caplog.messages
    monkeypatch.setenv("TQDM_DISABLE", "")
    runs.progress_bar(True, total=2).update(1)
    assert len(caplog.messages) == 1


def test_environment_silences_bars_of_all_kinds(monkeypatch):
    for show, environment, silent in ((True, "", False), (True, "1", True)):
        monkeypatch.setenv("TQDM_DISABLE", environment)
        assert runs.progress_bar(show, total=2).disable is silent
