"""``deepsif-lite build`` makes the shipped arrays."""

import inspect
from importlib import import_module

import numpy as np
import pytest

from deepsif_lite.artifacts import read_arrays
from deepsif_lite.cli import build, main
from deepsif_lite.paths import data_dir

SHIPPED = {
    "cortex": ["cortex/template-994.npz"],
    "dictionary": [
        "cortex/patches-template-994-40-0-all.npz",
        "cortex/patches-template-994-40-0.npz",
    ],
    "head": ["head/template.npz"],
    "scalp": ["head/scalp.npz"],
    "artifacts": ["head/artifacts.npz"],
    "variants": ["head/variants.npz"],
    "meg": ["head/meg.npz"],
    "comparison": ["head/comparison.npz"],
    "caps": ["training/caps.npz"],
    "checksums": [],
    "training": ["training/template-75.npz", "training/template-64.npz"],
    "spikes": ["spikes/lite-train.npz", "spikes/lite-test.npz"],
}


def test_every_shipped_array_has_its_part():
    assert build._PARTS.keys() == SHIPPED.keys()
    files = {path.relative_to(data_dir()) for path in data_dir().rglob("*.npz")}
    assert {str(path) for path in files} == set(sum(SHIPPED.values(), []))


@pytest.mark.parametrize("part", ["cortex", "dictionary", "training"])
def test_what_takes_seconds_is_built_again(part, tmp_path, capsys):
    """The others take minutes; their slow tests are in their rooms."""
    assert main(["build", part, "--out", str(tmp_path)]) == 0
    written = [str(tmp_path / name) for name in SHIPPED[part]]
    assert capsys.readouterr().out.split() == written
    for name in SHIPPED[part]:
        new, old = read_arrays(tmp_path / name), read_arrays(data_dir() / name)
        assert new.keys() == old.keys()
        for key, array in old.items():
            assert (new[key].dtype, new[key].shape) == (array.dtype, array.shape)
            if array.dtype.kind == "f":  # another processor rounds otherwise
                np.testing.assert_allclose(new[key], array, rtol=1e-9, atol=1e-12)
            else:
                np.testing.assert_array_equal(new[key], array)


@pytest.mark.parametrize("part", SHIPPED)
def test_help_tells_each_part_and_its_seconds(part, capsys):
    with pytest.raises(SystemExit):
        main(["build", "--help"])
    (line,) = [
        s for s in capsys.readouterr().out.splitlines() if s.startswith(f"  {part} ")
    ]
    assert build._PARTS[part].takes in line
    assert build._PARTS[part].takes.endswith(" s")


def test_a_part_calls_the_function_that_makes_it(monkeypatch, capsys, tmp_path):
    def store(root):
        return [tmp_path / root / name for name in ("a", "b")]

    monkeypatch.setattr("deepsif_lite.spikes.build.store_spike_library", store)
    assert main(["build", "spikes", "--out", "there"]) == 0
    printed = capsys.readouterr().out.split()
    assert printed == [str(tmp_path / "there" / name) for name in ("a", "b")]


def test_checksums_are_made_anew(tmp_path, capsys):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.csv").write_text("")
    assert main(["build", "checksums", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "sha256sums.txt")
    of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (tmp_path / "sha256sums.txt").read_text() == f"{of_nothing}  b/a.csv\n"


def test_an_unknown_part_is_refused(capsys):
    assert main(["build", "weights"]) == 2
    assert "dictionary" in capsys.readouterr().err


@pytest.mark.parametrize("part", build._PARTS.values(), ids=build._PARTS)
def test_each_part_has_a_function_that_takes_the_folder(part):
    module = import_module(f"deepsif_lite.{part.module}")
    parameters = list(inspect.signature(getattr(module, part.function)).parameters)
    assert parameters[0] == "root"
