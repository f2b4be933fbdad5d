"""Where the shipped data are looked for."""

import pytest

from deepsif_lite import paths


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
