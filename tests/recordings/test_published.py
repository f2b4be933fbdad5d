from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from deepsif_lite.errors import ArtifactError, OptionError, RecordingUnavailable
from deepsif_lite.recordings import fetch, find, registry
from deepsif_lite.recordings import published as recordings
from deepsif_lite.recordings.published import read_registry

SMALL = "fast-ires/Raw 273/273_ele_ERD.xyz"


def test_registry_is_complete():
    keys = {"url", "sha256", "bytes", "license", "citation", "description"}
    for name, record in registry().items():
        assert set(record) == keys, name
        assert len(record["sha256"]) == 64
        assert record["url"].startswith("https://raw.githubusercontent.com/")
        assert " " not in record["url"]


def test_unknown_names_are_refused():
    with pytest.raises(OptionError, match="name=.* is unknown; choose one of"):
        fetch("deepsif/nothing.mat")


def entry(**changes):
    record = {"url": "https://example.org/a", "sha256": "0" * 64}
    return {key: value for key, value in (record | changes).items() if value}


@pytest.mark.parametrize(
    ("name", "record", "match"),
    [
        ("../a.mat", entry(), "outside the folder"),
        ("a/../../b.mat", entry(), "outside the folder"),
        ("a\\..\\..\\b.mat", entry(), "outside the folder"),
        ("/etc/passwd", entry(), "outside the folder"),
        ("C:\\a.mat", entry(), "outside the folder"),
        ("C:a.mat", entry(), "outside the folder"),
        ("\\\\host\\share\\a.mat", entry(), "outside the folder"),
        ("a.mat", entry(url="http://example.org/a"), "not https"),
        ("a.mat", entry(url="file:///etc/passwd"), "not https"),
        ("a.mat", entry(url=None), "not https"),
        ("a.mat", entry(sha256=None), "no SHA-256"),
        ("a.mat", entry(sha256="md5:0"), "no SHA-256"),
    ],
)
def test_registry_entries_that_could_do_harm_are_refused(name, record, match):
    good = {"folder/a..b.mat": entry()}
    assert read_registry(json.dumps(good)) == good
    with pytest.raises(ArtifactError, match=match) as raised:
        read_registry(json.dumps(good | {name: record}))
    assert repr(name) in str(raised.value)


@pytest.mark.parametrize("text", ["", '{"a": ', "[]", '{"a": 3}'])
def test_damaged_registry_is_one_error(text):
    with pytest.raises(ArtifactError, match=r"registry\.json"):
        read_registry(text)


@pytest.mark.usefixtures("offline")
def test_unreachable_file_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPSIF_LITE_DATA", str(tmp_path))
    assert find(SMALL) is None
    with pytest.raises(RecordingUnavailable) as raised:
        fetch(SMALL)
    record, message = registry()[SMALL], str(raised.value)
    for part in (record["url"], record["sha256"], SMALL, str(tmp_path)):
        assert part in message


@pytest.mark.usefixtures("offline")
def test_wrong_content_is_refused(monkeypatch, tmp_path):
    path = tmp_path / SMALL
    path.parent.mkdir(parents=True)
    path.write_text("not the electrodes")
    monkeypatch.setenv("DEEPSIF_LITE_DATA", str(tmp_path))
    with pytest.raises(RecordingUnavailable, match="SHA-256"):
        fetch(SMALL)


def test_a_damaged_file_in_the_cache_is_replaced(monkeypatch, tmp_path):
    content = b"content"
    record = {
        "url": "https://example.org/a.mat",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    monkeypatch.setattr(recordings, "registry", lambda: {"folder/a.mat": record})
    monkeypatch.setattr(recordings, "cache_dir", lambda: tmp_path)
    monkeypatch.delenv("DEEPSIF_LITE_DATA", raising=False)
    asked = []

    class Downloader:
        def __init__(self, **kwargs): ...

        def __call__(self, url, output_file, pooch):
            asked.append(url)
            Path(output_file).write_bytes(content)

    monkeypatch.setattr("pooch.HTTPDownloader", Downloader)
    path = tmp_path / "folder" / "a.mat"
    path.parent.mkdir()
    path.write_bytes(b"half")
    assert find("folder/a.mat") is None
    for _ in range(2):
        assert fetch("folder/a.mat") == path
        assert path.read_bytes() == content
    assert asked == [record["url"]]


def test_folder_named_by_the_environment_comes_first(monkeypatch, tmp_path, published):
    source = published(SMALL)
    for folder in (tmp_path / "named", tmp_path / "cache"):
        (folder / SMALL).parent.mkdir(parents=True)
        shutil.copyfile(source, folder / SMALL)
    monkeypatch.setattr(recordings, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setenv("DEEPSIF_LITE_DATA", str(tmp_path / "named"))
    assert fetch(SMALL) == tmp_path / "named" / SMALL
    monkeypatch.delenv("DEEPSIF_LITE_DATA")
    assert fetch(SMALL) == tmp_path / "cache" / SMALL
