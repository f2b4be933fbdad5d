"""Flipped bits: some dozens of the thousand that the script takes."""

import bit_flips
import pytest

from deepsif_lite import paths


def test_no_flipped_bit_is_taken():
    table = bit_flips.count(60, seed=1)
    assert set(table.columns) <= {bit_flips.REFUSED, bit_flips.SAME}
    assert table.loc["all", bit_flips.REFUSED] > 50
    assert table.loc["all"].sum() == 60


def test_what_is_taken_would_be_counted(monkeypatch):
    """The same flips, were the content believed."""
    monkeypatch.setattr(bit_flips, "read", lambda name: _content(name))
    table = bit_flips.count(5)
    assert table.loc["all", bit_flips.OTHER] == 5


def _content(name):
    return (paths.data_dir() / name).read_bytes()


@pytest.mark.parametrize("per", ["file", "byte"])
def test_flips_are_those_of_the_seed(tmp_path, per):
    (tmp_path / "a").write_bytes(bytes(10))
    (tmp_path / "b").write_bytes(bytes(990))
    drawn = bit_flips.flips(tmp_path, 400, seed=0, per=per)
    assert drawn == bit_flips.flips(tmp_path, 400, seed=0, per=per)
    small = sum(flip.name == "a" for flip in drawn) / len(drawn)
    assert small == pytest.approx({"file": 0.5, "byte": 0.01}[per], abs=0.1)
    assert {flip.bit for flip in drawn} == set(range(8))
    sizes = {"a": 10, "b": 990}
    assert all(0 <= flip.position < sizes[flip.name] for flip in drawn)
