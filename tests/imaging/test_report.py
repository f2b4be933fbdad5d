"""Files of an image: any name, and all of them or none."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO

import mne
import numpy as np
import pytest
from PIL import Image

from deepsif_lite.cortex import load_cortex
from deepsif_lite.head import template_cap
from deepsif_lite.imaging import Evidence, SourceImage, write_image
from deepsif_lite.imaging import report as report_module


@pytest.fixture(scope="module")
def cortex():
    return load_cortex(60)


@pytest.fixture
def evoked():
    info = mne.create_info(["C3", "C4", "Pz", "Oz"], 500.0, "eeg")
    data = 1e-6 * np.random.default_rng(0).standard_normal((4, 50))
    evoked = mne.EvokedArray(data, info, comment="<i>$x$</i>", verbose=False)
    return evoked.set_montage("biosemi64", verbose=False)


@pytest.fixture
def image(cortex, evoked):
    activity = np.random.default_rng(0).standard_normal((60, 50))
    probability = np.linspace(0, 1, 60)
    return SourceImage(
        activity, evoked.times, cortex, "deepsif", "<b>unit</b>", probability
    )


def test_any_name_of_a_file_will_do(tmp_path, image, evoked):
    stem = "a.b$<script>$ & c"
    written = write_image(image, evoked, tmp_path / "new", stem)
    assert sorted(written) == sorted((tmp_path / "new").iterdir())
    endings = {path.name.removeprefix(stem) for path in written}
    assert endings == {
        "-lh.stc",
        "-rh.stc",
        "-regions.csv",
        ".png",
        "-probability.png",
        "-report.html",
    }
    html = written[-1].read_text(encoding="utf-8")
    assert "a.b$&lt;script&gt;$ &amp; c" in html
    assert "<b>unit</b>" not in html
    assert "&lt;b&gt;unit&lt;/b&gt;" in html


def test_no_name_of_a_recording_is_a_script(tmp_path, image, evoked):
    script = "<script>alert(1)</script>"
    evoked = evoked.copy().rename_channels({"Pz": script}, verbose=False)
    evoked.comment = script
    stem = script.replace("/", "")  # a file name holds no slash
    written = write_image(image, evoked, tmp_path, stem)
    html = written[-1].read_text(encoding="utf-8")
    assert "alert(1)" in html
    assert re.search(r"<script>\s*alert", html) is None


def test_what_fails_leaves_the_old_files_alone(tmp_path, image, evoked, monkeypatch):
    before = {p: p.read_bytes() for p in write_image(image, evoked, tmp_path, "s")}

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report_module, "page", full)
    with pytest.raises(OSError, match="is full"):
        write_image(image.crop(0, 0.05), evoked, tmp_path, "s")
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_the_report_says_how_far_to_trust_the_image(tmp_path, evoked):
    head = template_cap(evoked.ch_names)
    evidence = Evidence(evoked.data.T, head)
    activity = np.random.default_rng(0).standard_normal((994, 50))
    image = SourceImage(
        activity, evoked.times, head.cortex, "sloreta", evidence=evidence
    )
    html = write_image(image, evoked, tmp_path, "stem")[-1].read_text("utf-8")
    assert image.trust.verdict.capitalize() in html
    for line in image.trust.lines:
        assert f"<td>{line.label}</td><td>{line.value}</td>" in html


def test_pictures_of_the_report_are_named_pieces_of_the_figures(
    tmp_path, image, evoked
):
    html = write_image(image, evoked, tmp_path, "stem")[-1].read_text("utf-8")
    found = re.findall(
        r'<img alt="([^"]*)" src="data:image/webp;base64,([^"]*)">', html
    )
    names = [name for name, _ in found]
    views = ["lh lateral", "lh medial", "rh medial", "rh lateral"]
    assert names[:4] == [f"Cortex at the peak: {view}" for view in views]
    assert names[5:9] == [
        f"Probability of being active at any time: {view}" for view in views
    ]
    assert names[9] == "Probability of being active at any time: probability"
    assert names[10:] == ["EEG: EEG (µV)"]  # no scalp map without the imaged window
    pictures = [Image.open(BytesIO(b64decode(content))) for _, content in found]
    assert min(p.width for p in pictures[:4]) > 300  # sharp on half of a phone


def test_the_scalp_map_is_of_the_electrodes_that_names_stood_for(tmp_path, evoked):
    head = template_cap(evoked.ch_names)
    names_only = mne.EvokedArray(
        evoked.data,
        mne.create_info([f"EEG {n}-REF" for n in evoked.ch_names], 500.0, "eeg"),
        verbose=False,
    )
    image = SourceImage(
        np.random.default_rng(0).standard_normal((994, 50)),
        evoked.times,
        head.cortex,
        "sloreta",
        evidence=Evidence(evoked.data.T, head),
    )
    *_, explorer, report = write_image(image, names_only, tmp_path, "stem")
    assert explorer.name == "stem-cortex.html"
    assert "Cortex at the peak" in explorer.read_text("utf-8")
    html = report.read_text("utf-8")
    assert html.count('alt="EEG') == 3  # traces, map, its scale
    assert "the line marks the image&#x27;s peak" in html
