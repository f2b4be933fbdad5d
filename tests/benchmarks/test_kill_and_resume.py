"""A run that is killed and called again ends as if nothing had been."""

import sys

import pytest
from kill_and_resume import RUNS, kill_and_resume

# Of these, the rooms' tests kill shorter ones: at a moment that is chosen.
SLOW = ("simulate", "train", "chapter")


@pytest.mark.skipif(sys.platform != "linux", reason="looks for orphans in /proc")
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in RUNS],
)
def test_a_killed_run_ends_with_the_same_bits(name, tmp_path):
    (row,) = kill_and_resume(name, 1, tmp_path, seed=1)
    assert row["differ"] == ""
    assert row["orphans"] == 0
    assert row["killed"]
