"""Shipped data: a damaged file is one clear error wherever it is read."""

import hashlib
import json
import re

import pytest
from damage import KINDS, copy_data, damage, is_one_line

from deepsif_lite import paths
from deepsif_lite.artifacts import read_shipped, store_checksums
from deepsif_lite.errors import ArtifactError, ArtifactMissing, DeepSIFError
from deepsif_lite.head import load_training_head, model, variants
from deepsif_lite.imaging import load_model
from deepsif_lite.network import load_card, load_log, load_weights
from deepsif_lite.paths import data_dir
from deepsif_lite.recordings import registry
from deepsif_lite.results import paper_values, read_experiment
from deepsif_lite.spikes import (
    load_spike_library,
    read_simulations,
    read_tvb_statistics,
)

CHECKSUMS = "sha256sums.txt"
READERS = {
    # Without what an earlier test left in memory.
    "head/template.npz": model.stored_template.__wrapped__,
    "head/variants.npz": variants._stored.__wrapped__,
    "spikes/lite-test.npz": lambda: load_spike_library("lite", "test"),
    "training/template-75.npz": lambda: load_training_head("template-75"),
    "registry.json": registry,
    "paper_values.csv": paper_values,
    "experiments/scaling.csv": lambda: read_experiment("scaling"),
    "tvb_statistics.csv": read_tvb_statistics,
    "spikes/lite-simulations.csv": read_simulations,
    "weights/lite/log.csv": lambda: load_log("lite-75"),
    "weights/lite/card.json": lambda: load_model("lite-75"),
    "weights/lite/*.safetensors": lambda: load_weights("lite-75"),
}


@pytest.fixture
def root(monkeypatch, tmp_path):
    registry.cache_clear()
    yield copy_data(monkeypatch, tmp_path)
    registry.cache_clear()


NO_MISSING = {  # see the tests below
    ("registry.json", "missing"),
    ("weights/lite/card.json", "missing"),
    ("experiments/scaling.csv", "missing"),
    ("training/template-75.npz", "missing"),
}
CASES = [(n, k) for n in READERS for k in KINDS if (n, k) not in NO_MISSING]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_damage_is_one_line_that_names_file_and_command(root, name, kind):
    read = READERS[name]
    read()
    registry.cache_clear()
    (path,) = root.glob(name)
    damage(path, kind)
    with pytest.raises(DeepSIFError) as raised:
        read()
    assert is_one_line(raised.value)
    assert re.search(rf"{path.name}.*(restore|make).*`.+`", str(raised.value))


def test_without_its_card_a_network_is_unknown(root):
    damage(root / "weights" / "lite" / "card.json", "missing")
    with pytest.raises(
        ArtifactMissing, match="'lite-75'.*shipped networks: lite-75-known-head"
    ):
        load_weights("lite-75")


def test_other_files_that_may_be_missing(root):
    damage(root / "experiments" / "scaling.csv", "missing")
    with pytest.raises(DeepSIFError, match="name='scaling' is unknown"):
        read_experiment("scaling")
    damage(root / "training" / "template-75.npz", "missing")
    assert load_training_head("template-75").name == "template-75"  # made anew


def test_without_its_registry_the_data_folder_is_none(root, monkeypatch):
    """What another distribution left there must not be taken for ours."""
    monkeypatch.setattr(paths, "CHECKOUT", root)
    damage(root / "registry.json", "missing")
    with pytest.raises(ArtifactMissing, match="reinstall"):
        registry()


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_list_is_one_line_too(root, kind):
    damage(root / CHECKSUMS, kind)
    with pytest.raises(ArtifactError, match=CHECKSUMS) as raised:
        [read_shipped(name) for name in texts(root)]
    assert is_one_line(raised.value)


def texts(root):
    """Return all files that do not hold their own hash."""
    kinds = (".csv", ".md", "registry.json")
    names = [path.relative_to(root).as_posix() for path in root.rglob("*")]
    return [name for name in sorted(names) if name.endswith(kinds)]


def test_the_list_is_that_of_sha256sum():
    lines = (data_dir() / CHECKSUMS).read_text().splitlines()
    listed = dict(reversed(line.split("  ")) for line in lines)
    assert sorted(listed) == texts(data_dir())
    for name, digest in listed.items():
        assert hashlib.sha256((data_dir() / name).read_bytes()).hexdigest() == digest


def test_a_text_without_an_entry_is_refused_until_it_is_listed(root):
    (root / "new.csv").write_text("a\n1\n")
    with pytest.raises(ArtifactError, match="build checksums"):
        read_shipped("new.csv")
    store_checksums()
    assert read_shipped("new.csv") == "a\n1\n"


@pytest.mark.parametrize(
    ("key", "value"),
    [("sfreq", 250.0), ("n_times", 250), ("reference", "mastoids"), ("head", "other")],
)
def test_an_edited_card_is_refused(root, key, value):
    card = load_card("lite-75")
    path = root / "weights" / "lite" / "card.json"
    text = path.read_text(encoding="utf-8")
    old, new = (f'"{key}": {json.dumps(v)}' for v in (card[key], value))
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    for read in (load_card, load_weights, load_model):
        with pytest.raises(ArtifactError, match=r"card\.json is not what was written"):
            read("lite-75")


def test_shipped_networks_need_their_hashes(root):
    path = root / "weights" / "lite" / "card.json"
    head, _, _ = path.read_text(encoding="utf-8").partition(',\n "files"')
    path.write_text(head + "\n}\n", encoding="utf-8")
    with pytest.raises(ArtifactError, match="hash differs"):
        load_card("lite-75")
