"""A run that is killed and called again ends as if nothing had been."""

import sys

import pytest
from kill_and_resume import RUNS, kill_and_resume

SLOW = ("train", "chapter")  # their short versions are in their rooms' tests
KILLS = 2


@pytest.mark.skipif(sys.platform != "linux", reason="looks for orphans in /proc")
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in RUNS],
)
def test_a_killed_run_ends_with_the_same_bits(name, tmp_path):
    rows = kill_and_resume(name, KILLS, tmp_path, seed=1)
    assert [row["differ"] for row in rows] == [""] * KILLS
    assert [row["orphans"] for row in rows] == [0] * KILLS
    assert any(row["killed"] for row in rows)
