"""The benchmark of real recordings, on recordings whose source is known."""

from __future__ import annotations

from dataclasses import replace

import mne
import numpy as np
import pandas as pd
import pytest
import real_recordings as benchmark

from deepsif_lite.errors import RecordingUnavailable
from deepsif_lite.head import load_head_model
from deepsif_lite.imaging import SourceImage
from deepsif_lite.recordings import prepare

REGION, PEAK = 100, 0.05  # s
ATLAS = [
    f"deepsif/anatomy/fsaverage5/label/{side}.PALS_B12_Brodmann.annot"
    for side in ("lh", "rh")
]


@pytest.fixture(scope="module")
def case():
    """A recording of one region, in a wave around the peak."""
    head = load_head_model("template-64")
    times = -0.1 + np.arange(151) / 500
    moment = 1e-8 * np.exp(-(((times - PEAK) / 0.01) ** 2))
    data = np.outer(head.leadfield[:, REGION], moment)
    evoked = mne.EvokedArray(data, head.info, tmin=times[0], verbose=False)
    near = np.flatnonzero(head.cortex.distances[REGION] < 0.02)
    center = head.cortex.centroids[REGION]
    peaks, target = {"wave": PEAK}, np.array([REGION])
    return benchmark.Case("toy", evoked, head, peaks, target, near, place=center)


def image_of(case, regions, sign=1.0, method="deepsif"):
    """Return an image in which some regions have the course of the recording."""
    course = case.evoked.data[np.abs(case.evoked.data).max(axis=1).argmax()]
    activity = np.zeros((case.head.cortex.n_regions, len(course)))
    activity[regions] = sign * np.abs(course)
    probability = (activity != 0).any(axis=1) * 0.9
    return SourceImage(
        activity,
        case.evoked.times,
        case.head.cortex,
        method,
        probability=probability,
    )


def test_a_true_image_is_in_its_place(case):
    found = benchmark.where(image_of(case, [REGION]), case, PEAK)
    center = 1e3 * case.head.cortex.centroids[REGION]
    assert [found[axis] for axis in "xyz"] == np.round(center).tolist()
    assert found["to_place"] == found["to_target"] == 0


def test_shares_count_among_the_ten_strongest(case):
    far = np.argsort(-case.head.cortex.distances[REGION])
    inside = case.wider[case.wider != REGION][:3]
    result = image_of(case, [REGION, *inside, *far[:6]])
    found = benchmark.where(result, case, PEAK)
    assert found["in_target"] == pytest.approx(0.1)
    assert found["in_wider"] == pytest.approx(0.4)
    away = benchmark.where(image_of(case, far[:10]), case, PEAK)
    assert away["in_target"] == away["in_wider"] == 0
    cortex = case.head.cortex
    first = far[:10].min()  # of equals, the first is the strongest
    assert away["to_target"] == pytest.approx(1e3 * cortex.distances[first, REGION])


def test_a_true_image_explains_the_maps_and_its_mirror_does_not(case):
    ready = prepare(case.evoked, case.head.info)
    true = benchmark.explained(image_of(case, [REGION]), case, PEAK, ready)
    assert true == pytest.approx({"explained": 1, "by_strongest": 1}, abs=0.01)
    mirror = benchmark.explained(image_of(case, [REGION], -1), case, PEAK, ready)
    assert mirror["explained"] == 0
    assert mirror["by_strongest"] == pytest.approx(1, abs=0.01)
    solver = image_of(case, [REGION], method="sloreta")
    assert np.isnan(benchmark.explained(solver, case, PEAK, ready)["explained"])


def test_inverted_twice_is_as_recorded(case):
    np.testing.assert_array_equal(case.inverted().evoked.data, -case.evoked.data)
    np.testing.assert_array_equal(
        case.inverted().inverted().evoked.data, case.evoked.data
    )
    assert case.inverted().polarity == -1


@pytest.mark.published(*ATLAS)
def test_probability_at_the_front_is_apart_from_the_target(case):
    front = benchmark.brodmann_regions(case.head.cortex, benchmark.FRONT)
    sure = benchmark.how_sure(image_of(case, [REGION]), case, PEAK)
    assert sure == {"probability": 0.9, "front": 0}
    at_front = image_of(case, front[:1])
    assert benchmark.how_sure(at_front, case, PEAK) == {
        "probability": 0.9,
        "front": 0.9,
    }
    known = replace(case, wider=front)
    assert benchmark.how_sure(at_front, known, PEAK)["front"] == 0


@pytest.mark.published(*ATLAS)
def test_a_solver_finds_the_source_in_every_window(case):
    rows = list(benchmark.measure(case, "sloreta"))
    assert [row["window"] for row in rows] == ["whole", "100 ms"]
    assert {row["to_target"] for row in rows} == {0}
    table = benchmark.summarize(pd.DataFrame(rows))
    assert table["strongest_in_target"].tolist() == [1, 1]


def test_what_cannot_be_read_is_left_out_with_a_word(monkeypatch, capsys):
    def nothing(cortex):
        raise RecordingUnavailable("no such file")

    monkeypatch.setattr(benchmark, "KINDS", (nothing,))
    assert list(benchmark.all_cases(None)) == []
    assert "nothing left out: no such file" in capsys.readouterr().out


def test_the_table_says_how_it_was_made(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["real_recordings.py", "--model", "a b"])
    table = pd.DataFrame({"recording": ["toy"], "in_target": [0.5]})
    benchmark.save(table, tmp_path / "real.csv", 7.4)
    text = (tmp_path / "real.csv").read_text()
    assert "# command: python real_recordings.py --model 'a b'\n" in text
    assert "# commit: " in text
    assert "# seconds: 7\n" in text
    stored = pd.read_csv(tmp_path / "real.csv", comment="#")
    pd.testing.assert_frame_equal(stored, table)


@pytest.mark.published(
    *ATLAS, *(f"fecnn/real_data/{name}/EEG_avg.mat" for name in ("A0206", "A1974"))
)
def test_sloreta_puts_the_n20_beside_the_central_sulcus():
    cortex = load_head_model("template-75").cortex
    for case in benchmark.somatosensory(cortex):
        rows = pd.DataFrame(benchmark.measure(case, "sloreta"))
        first = rows[rows["peak"] == "N20"]
        assert (first["in_target"] >= 0.8).all()
        assert (first["to_place"] < 20).all()
