"""Where the shipped data are looked for."""

import re
from pathlib import Path, PurePosixPath

import pytest

from deepsif_lite import paths
from deepsif_lite.recordings import registry

# Windows: characters no name may hold, what it may not end in, and names of devices.
FORBIDDEN = re.compile(
    r'[<>:"\\|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE
)
LONGEST = 120  # characters within the checkout; Windows allows 260 in all


@pytest.fixture
def package(monkeypatch, tmp_path):
    """Pretend that the package lies in ``tmp_path``, as in site-packages."""
    package = tmp_path / "deepsif_lite"
    package.mkdir()
    monkeypatch.setattr(paths, "_PACKAGE", package)
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    return package


def add_data(folder, *, ours):
    folder.mkdir()
    (folder / ("registry.json" if ours else "other.txt")).touch()
    return folder


def test_data_of_a_checkout_lie_beside_the_package(package):
    ours = add_data(package.parent / "data", ours=True)
    assert paths.data_dir() == ours


def test_a_data_folder_of_someone_else_is_not_taken(package):
    add_data(package.parent / "data", ours=False)
    with pytest.raises(FileNotFoundError, match="reinstall"):
        paths.data_dir()
    ours = add_data(package / "data", ours=True)
    assert paths.data_dir() == ours


@pytest.mark.parametrize("folder", ["data", "notebooks", "book", "deepsif_lite"])
def test_names_of_files_are_allowed_on_windows(folder):
    root = paths.CHECKOUT
    found = [path.relative_to(root) for path in (root / folder).rglob("*")]
    assert found
    assert [path for path in found if any(map(FORBIDDEN.search, path.parts))] == []
    assert [path for path in found if len(str(path)) > LONGEST] == []
    lower = [str(path).lower() for path in found]
    assert len(set(lower)) == len(lower)  # nor do two differ in their case alone


def test_names_of_published_files_are_allowed_on_windows():
    parts = [part for name in registry() for part in PurePosixPath(name).parts]
    assert [part for part in parts if FORBIDDEN.search(part)] == []


def test_a_file_half_written_has_a_name_that_is_allowed_on_windows(tmp_path):
    with paths.whole_file(tmp_path / "a.b-ave.npz") as partial:
        partial.touch()
        assert not FORBIDDEN.search(partial.name)
        assert partial.suffix == ".npz"
    assert [path.name for path in Path(tmp_path).iterdir()] == ["a.b-ave.npz"]
