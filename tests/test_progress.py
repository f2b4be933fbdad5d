"""Progress where there is no tqdm."""

import logging
import sys

from deepsif_lite import runs as progress


def test_lines_replace_a_missing_tqdm(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    clock = iter([0.0, 4.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    caplog.set_level(logging.INFO)
    options = {"total": 1000, "initial": 200, "desc": "training", "unit": "sample"}
    with progress.progress_bar(True, unit_scale=True, **options) as bar:
        bar.set_postfix(loss="1.5")
        bar.update(100)  # after 4 s: too early for a line
        bar.update(100)
    # 200 samples in 20 s: 10 a second, and 600 are left.
    expected = "training: 400 of 1,000 samples, 10 a second, 1.0 min left, loss 1.5"
    assert caplog.messages == [expected]


def test_silence_is_heeded_without_tqdm(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setattr(progress, "SECONDS_PER_LINE", 0)
    caplog.set_level(logging.INFO)
    for show, environment in ((False, ""), (True, "1")):
        monkeypatch.setenv("TQDM_DISABLE", environment)
        progress.progress_bar(show, total=2).update(1)
    assert not caplog.messages
    monkeypatch.setenv("TQDM_DISABLE", "")
    progress.progress_bar(True, total=2).update(1)
    assert len(caplog.messages) == 1


def test_environment_silences_bars_of_all_kinds(monkeypatch):
    for show, environment, silent in ((True, "", False), (True, "1", True)):
        monkeypatch.setenv("TQDM_DISABLE", environment)
        assert progress.progress_bar(show, total=2).disable is silent
