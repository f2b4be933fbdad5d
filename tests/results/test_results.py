import hashlib
import json
import math

import numpy as np
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


def test_nothing_is_judged_before_it_is_run():
    table = scorecard.load_scorecard("smoke")
    assert set(table["verdict"]) == {"not run", "not available", scorecard.NO_VERDICT}
    sizes = table[table["group"] == "Size of the study"]
    assert set(sizes["verdict"]) == {scorecard.NO_VERDICT}
    text = scorecard.to_markdown(table)
    assert text.count("not run") == (table["verdict"] == "not run").sum()
    # What cannot be had says why.
    missing = table[table["verdict"] == "not available"]
    assert missing["note"].notna().all()
    assert all(note in text for note in missing["note"])


def test_scorecard_joins_ours_to_the_paper():
    known = {"sim/le/1": results.Score(1.5, 0.4, 0.01, 1600), "sim/recall/2": 0.5}
    ours = {"sim/le/1": results.Score(1.12, 0.4, 0.01, 1600)}
    results.write_scores("a", ours, "smoke", known_head=known)
    results.write_scores("b", {"patients/recall/deepsif": 0.9}, "smoke", data="virtual")
    table = scorecard.load_scorecard("smoke")
    assert table.loc["sim/le/1", "verdict"] == "behind by 0.38"
    assert table.loc["sim/le/1", "verdict_any_cap"] == "equal"
    assert table.loc["sim/recall/2", "verdict"] == "no standard error"
    assert table.loc["patients/recall/deepsif", "verdict"] == scorecard.NOT_JUDGED
    text = scorecard.to_markdown(table)
    flat = " ".join(text.split())  # without the padding of the columns
    # The paper's standard error is 2.14 mm over the root of 47,712.
    assert "`behind by 0.38` | 1.12 ± 2.14 | 1.50 ± 0.40 | 1.12 ± 0.40 | 0.03 |" in flat
    assert "| localization error, one source (mm) | {bdg-warn" in flat
    line = scorecard.count_verdicts(table, "smoke")
    assert "**1** behind, **1** no standard error, **1** not judged" in line


@pytest.mark.parametrize(
    ("paper", "ours", "better", "error", "expected"),
    [
        (0.88, 0.83, "higher", 0.026, "equal"),
        (0.88, 0.83, "higher", 0.024, "behind by 0.05"),
        (0.88, 0.99, "higher", 0.01, "better"),
        (1.0, 1.25, "lower", 0.1, "behind by 0.25"),
        (1.0, 0.75, "lower", 0.1, "better"),
        (93, 80, "equal", 5, "differs by 13"),
        (93, 93, "equal", 0, "equal"),
        (620256, 0, "none", 0, scorecard.NO_VERDICT),
        (1.0, math.nan, "lower", 0.1, "not run"),
        (1.0, 1.0, "lower", math.nan, "no standard error"),
        (math.nan, 1.0, "lower", 0.1, scorecard.NO_VERDICT),
    ],
)
def test_verdict(paper, ours, better, error, expected):
    assert scorecard.verdict(paper, ours, better, error) == expected


def test_standard_errors():
    rng = np.random.default_rng(0)
    draws = rng.normal(3, 2, (4000, 50))
    scores = [results.Score.of_mean(row) for row in draws]
    spread = np.std([score.value for score in scores])
    assert np.mean([score.se for score in scores]) == pytest.approx(spread, rel=0.05)
    assert results.Score.of_mean([1.0, 3.0, np.nan]).n == 2
    pairs = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], (4000, 50))
    scores = [results.Score.of_correlation(*row.T) for row in pairs]
    spread = np.std([score.value for score in scores])
    assert np.mean([score.se for score in scores]) == pytest.approx(spread, rel=0.1)


def test_virtual_patients_are_alike_or_differ_and_never_better():
    # The paper: .49, .25 among 20, so that its standard error is .056.
    for ours, expected in (
        ((0.56, 0.2, 0.05, 20), scorecard.ALIKE),
        ((0.8, 0.2, 0.05, 20), f"{scorecard.UNLIKE} by 0.31"),
        ((0.8, 0.2), scorecard.NOT_JUDGED),
    ):
        scores = {"patients/recall/deepsif": results.Score(*ours)}
        results.write_scores("v", scores, "smoke", data="virtual")
        table = scorecard.load_scorecard("smoke")
        assert table.loc["patients/recall/deepsif", "verdict"] == expected
        line = scorecard.count_verdicts(table, "smoke")
        assert f"**1** {expected.split(' by ')[0]}" in line


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
    assert len(table) >= 70
    assert table.index.is_unique
    assert set(table["better"]) <= {"higher", "lower", "equal", "none"}
    assert table[["quantity", "source"]].notna().all(axis=None)
    # A number, or the paper's words; and what is to be judged is a number.
    assert (table["value"].notna() != table["text"].notna()).all()
    assert table.loc[table["better"] != "none", "value"].notna().all()
    # A standard deviation of a score has the number of recordings behind it.
    scored = table[(table["better"] != "none") & table["sd"].notna()]
    assert scored["n"].notna().all()
    # Spot checks against the text of the paper (Figs. 3, 4, 6 and Results).
    assert table.loc["sim/le/all", ["value", "sd"]].tolist() == [1.41, 1.87]
    assert table.loc["patients/dispersion/deepsif", "value"] == 3.87
    onset = table.loc["patients/onset_average_error/fast-ires"]
    assert onset[["value", "sd", "n"]].tolist() == [10.48, 8.01, 6]
    assert table.loc["patients/precision_median/deepsif", "value"] == 0.93
