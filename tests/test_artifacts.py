"""Arrays on disk: what is read is what was written, or an error that names the cure."""

from functools import partial

import numpy as np
import pytest

from deepsif_lite.artifacts import (
    content_hash,
    read_arrays,
    read_own_table,
    write_arrays,
)
from deepsif_lite.errors import ArtifactError, ArtifactMissing
from deepsif_lite.paths import data_dir

ARRAYS = {
    "waves": np.arange(12.0).reshape(3, 4).astype(np.float32),
    "names": np.array(["Fp1", "Oz"]),
    "step": np.array(0.6),
    "empty": np.empty((0, 2), np.int64),
}


@pytest.mark.parametrize("compress", [True, False])
def test_arrays_come_back_as_they_were(tmp_path, compress):
    path = write_arrays(tmp_path / "new" / "a.npz", ARRAYS, compress=compress)
    found = read_arrays(path)
    assert found.keys() == ARRAYS.keys()
    for key, array in ARRAYS.items():
        assert (found[key].dtype, found[key].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[key], array)
    assert [p.name for p in path.parent.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    "changed",
    [
        {"waves": ARRAYS["waves"] + np.eye(3, 4, dtype=np.float32) * 1e-6},
        {"waves": ARRAYS["waves"].astype(float)},
        {"waves": ARRAYS["waves"].reshape(4, 3)},
        {"more": np.zeros(1)},
    ],
    ids=["value", "type", "shape", "name"],
)
def test_any_change_is_noticed(tmp_path, changed):
    assert content_hash(ARRAYS | changed) != content_hash(ARRAYS)
    path = write_arrays(tmp_path / "a.npz", ARRAYS)
    with np.load(path, allow_pickle=False) as stored:
        kept = dict(stored)
    np.savez(path, **(kept | changed))
    with pytest.raises(ArtifactError, match="hash differs; restore it with `make it`"):
        read_arrays(path, restore="make it")


def test_a_damaged_or_missing_file_names_the_command(tmp_path):
    path = write_arrays(tmp_path / "a.npz", ARRAYS)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ArtifactError, match="damaged.*`make it`"):
        read_arrays(path, restore="make it")
    with pytest.raises(FileNotFoundError, match="`make it`"):
        read_arrays(tmp_path / "b.npz", restore="make it")


def test_a_hash_is_asked_for_unless_the_file_may_be_older(tmp_path):
    np.savez(tmp_path / "old.npz", **ARRAYS)
    with pytest.raises(ArtifactError):
        read_arrays(tmp_path / "old.npz")
    found = read_arrays(tmp_path / "old.npz", hash_needed=False)
    np.testing.assert_array_equal(found["waves"], ARRAYS["waves"])


def test_every_shipped_array_is_intact():
    paths = sorted(data_dir().rglob("*.npz"))
    assert len(paths) >= 10
    for path in paths:
        read_arrays(path)


GOOD = b"region,gain,split\n1,3.5,train\n2,3.25,test\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (GOOD[:-1], "last line is cut short"),
        (b"", "last line is cut short"),
        (GOOD[:-6] + b"\n", "lines differ in length"),
        (GOOD.replace(b"1,3.5,", b"1,3,5,"), "lines differ in length"),
        (GOOD.replace(b"gain", b"gait"), r"no columns \['gain'\]"),
        (GOOD.replace(b"3.5", b"inf"), "missing or infinite"),
        (GOOD.replace(b"3.5", b""), "missing or infinite"),
        (GOOD.replace(b"3.5", b"3.x"), "could not convert"),
        (GOOD.replace(b"train", b"tr\xffin"), "utf-8"),
        (GOOD.replace(b"split", b"spl\0it"), "no columns|NUL"),
    ],
)
def test_a_table_of_a_user_is_looked_at(tmp_path, content, reason):
    path = tmp_path / "a.csv"
    read = partial(read_own_table, path, "try again", ("region", "gain"), ("split",))
    with pytest.raises(ArtifactMissing, match="try again"):
        read()
    path.write_bytes(GOOD)
    assert read()["gain"].tolist() == [3.5, 3.25]
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=rf"a\.csv is damaged .*{reason}.*; try ag"):
        read()
