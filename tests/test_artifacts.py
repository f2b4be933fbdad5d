"""Arrays on disk: what is read is what was written, or an error that names the cure."""

import numpy as np
import pytest

from deepsif_lite.artifacts import content_hash, read_arrays, write_arrays
from deepsif_lite.errors import ArtifactError
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
