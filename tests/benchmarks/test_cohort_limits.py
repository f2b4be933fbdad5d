"""Paired differences of changes, by hand."""

from __future__ import annotations

import cohort_limits
import numpy as np
import pandas as pd
import pytest


def test_differences_are_paired_by_person():
    scores = {"as reported": [0.2, 0.5, 0.9], "other": [0.3, 0.5, np.nan]}
    rows = [
        {"person": k, "change": change, **dict.fromkeys(cohort_limits.METRICS, value)}
        for change, values in scores.items()
        for k, value in enumerate(values)
    ]
    table = cohort_limits.summarize(pd.DataFrame(rows)).set_index("change")
    row = table.loc["other"]
    assert row["precision"] == pytest.approx(0.4)
    assert row["precision_gain"] == pytest.approx(0.05)  # of the two with both
    assert row["precision_error"] == pytest.approx(0.05)
    assert table.loc["as reported", "recall_gain"] == 0


def test_the_reported_cohort_is_none_of_those_that_were_looked_at():
    import cohort

    assert cohort.SEED not in cohort_limits.SEEDS
