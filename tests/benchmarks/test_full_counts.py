from __future__ import annotations

import full_counts
import pandas as pd
import pytest

from deepsif_lite.evaluation import paper_scores, per_sample
from deepsif_lite.results import paper_values


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return full_counts.score("sloreta", 4, folder), folder


def test_what_is_stored_is_not_computed_again(rows, monkeypatch):
    table, folder = rows
    monkeypatch.setattr(full_counts, "evaluate", None)
    again = full_counts.score("sloreta", 4, folder)
    pd.testing.assert_frame_equal(again, table)
    with pytest.raises(TypeError):  # another size is another run
        full_counts.score("sloreta", 5, folder)


def test_scores_by_the_ids_of_the_paper(rows):
    table, _ = rows
    scores = paper_scores(table)
    ids = [k for k in paper_values().index if k.startswith("sim/") and "snr" not in k]
    assert set(ids) - set(scores) == {"sim/le/other_heads"}
    two = per_sample(table).query("n_sources == 2")["error_mm"]
    score = scores["sim/le/2"]
    assert (score.value, score.n) == (pytest.approx(two.mean()), 4)
    assert score.se == pytest.approx(two.sem())
    assert scores["sim/missed/all"].value == pytest.approx(
        1 - per_sample(table)["detected"].mean()
    )


def test_times_of_an_image_are_read_as_they_were_saved(rows, tmp_path):
    seconds = {"sloreta": 0.25, "deepsif": 0.5}
    table = full_counts.by_paper_id(rows[0], seconds)
    path = tmp_path / "full_counts.csv"
    path.write_text("# commit\n" + table.to_csv(index=False))
    assert full_counts.saved_seconds(tmp_path) == seconds
