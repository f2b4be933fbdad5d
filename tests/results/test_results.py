import hashlib
import json
import math

import pandas as pd
import pytest

from deepsif_lite.results import scorecard
from deepsif_lite.results import store as results


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPSIF_LITE_RESULTS", str(tmp_path))


def test_table_and_manifest(tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "b": [0.1, 1 / 3]})
    path = results.write_table("t", frame, "smoke", seed=3, seconds=1.5)
    back = results.read_table("t", "smoke")
    pd.testing.assert_frame_equal(back, frame, atol=1e-6)
    entry = json.loads((tmp_path / "smoke" / "manifest.json").read_text())["t.csv"]
    assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (entry["rows"], entry["seed"], entry["seconds"]) == (2, 3, 1.5)
    assert {"commit", "torch", "numpy", "device"} <= set(entry)


def test_asking_makes_no_folder(tmp_path):
    assert scorecard.our_scores("smoke").empty
    assert list(tmp_path.iterdir()) == []


def test_writers_leave_whole_files_alone(tmp_path):
    frame = pd.DataFrame({"a": [1]})
    results.write_table("t", frame, "smoke")
    results.write_scores("c", {"sim/le/1": 1.0}, "smoke")
    names = sorted(path.name for path in (tmp_path / "smoke").iterdir())
    assert names == ["manifest.json", "scores-c.json", "t.csv"]


def test_experiments_are_found_by_name():
    scaling = results.read_experiment("scaling")
    assert len(scaling) > 2
    assert "samples" in scaling
    # One of those that no script makes again.
    assert len(results.read_experiment("scan_network")) > 2
    with pytest.raises(ValueError, match=r"name='nothing'.*'scaling'"):
        results.read_experiment("nothing")


def test_missing_table_names_it():
    with pytest.raises(FileNotFoundError, match="table 'nothing' first"):
        results.read_table("nothing", "smoke")


def test_figure_bytes_do_not_depend_on_the_day():
    from matplotlib.figure import Figure

    fig = Figure()
    fig.subplots().plot([1, 2])
    first = results.write_figure("f", fig, "smoke", dpi=40).read_bytes()
    assert results.write_figure("f", fig, "smoke", dpi=40).read_bytes() == first


def test_scores_must_be_known():
    with pytest.raises(ValueError, match=r"\['sim/typo'\] are not in"):
        results.write_scores("c", {"sim/typo": 1.0}, "smoke")
    with pytest.raises(ValueError, match="data='fake'"):
        results.write_scores("c", {"sim/le/1": 1.0}, "smoke", data="fake")


def test_nothing_is_met_before_it_is_run():
    table = scorecard.load_scorecard("smoke")
    assert set(table["verdict"]) == {"not run"}
    text = scorecard.to_markdown(table)
    assert text.count("not run") == len(table)


def test_scorecard_joins_ours_to_the_paper():
    results.write_scores("a", {"sim/le/1": (1.5, 0.4), "sim/recall/2": 0.5}, "smoke")
    results.write_scores("b", {"patients/recall/deepsif": 0.9}, "smoke", data="virtual")
    table = scorecard.load_scorecard("smoke")
    assert table.loc["sim/le/1", "verdict"] == "met"
    assert table.loc["sim/recall/2", "verdict"] == "short by 0.33"
    assert table.loc["patients/recall/deepsif", "verdict"] == scorecard.NOT_JUDGED
    text = scorecard.to_markdown(table)
    flat = " ".join(text.split())  # without the padding of the columns
    assert "| 1.12 ± 2.14 | 1.50 ± 0.40 | 1 | {bdg-success}`met` |" in flat
    assert "| localization error, one source (mm) |" in flat
    line = scorecard.count_verdicts(table, "smoke")
    rest = len(table) - 3
    assert f"**1** met, **1** short, **1** not judged, **{rest}** not run" in line


@pytest.mark.parametrize(
    ("paper", "ours", "better", "expected"),
    [
        (0.88, 0.83, "higher", "met"),
        (0.88, 0.82, "higher", "short by 0.06"),
        (0.88, 0.99, "higher", "met"),
        (1.0, 1.05, "lower", "met"),
        (1.0, 1.25, "lower", "short by 0.25"),
        (93, 80, "equal", "short by 13"),
        (620256, 0, "higher", "short by 620,256"),
        (1.0, math.nan, "lower", "not run"),
    ],
)
def test_verdict(paper, ours, better, expected):
    assert scorecard.verdict(paper, ours, better, 0.05) == expected


def test_paper_table_holds_the_papers_numbers():
    metrics = ("precision", "recall", "correlation", "error_mm")
    table = scorecard.paper_table(metrics, (1, 2, 3, "all"))
    # Fig. 3, caption, and Results.
    assert table.loc[1, ["precision", "precision_sd"]].tolist() == [0.88, 0.15]
    assert table["error_mm"].tolist() == [1.12, 1.55, 1.56, 1.41]
    assert math.isnan(table.loc["all", "correlation"])  # the paper gives none
    patients = scorecard.paper_table(["spatial_dispersion"], ["lcmv"], "patients")
    assert patients.loc["lcmv"].tolist() == [24.76, 9.9]


def test_paper_values_are_complete():
    table = scorecard.paper_values()
    assert table.index.is_unique
    assert set(table["better"]) <= {"higher", "lower", "equal"}
    assert table[["quantity", "value", "tolerance", "source"]].notna().all(axis=None)
    # Spot checks against the text of the paper (Fig. 3, Fig. 4 and Results).
    assert table.loc["sim/le/all", ["value", "sd"]].tolist() == [1.41, 1.87]
    assert table.loc["patients/dispersion/deepsif", "value"] == 3.87
