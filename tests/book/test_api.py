"""The reference: every public name has its entry, and says where it is used."""

import re
from importlib import import_module
from pathlib import Path

import api
import pytest
import yaml
from numpydoc.validate import validate

import deepsif_lite

ROOT = Path(__file__).resolve().parents[2]

each_module = pytest.mark.parametrize("name", api.public_modules())


@each_module
def test_every_public_name_has_its_entry(name):
    text = api.page(name, {})
    entries = re.findall(r"^\.\. (?:auto\w+|py:data):: (\w+)$", text, flags=re.M)
    assert sorted(entries) == sorted(import_module(f"deepsif_lite.{name}").__all__)


@each_module
def test_every_constant_says_what_it_is(name):
    module = import_module(f"deepsif_lite.{name}")
    notes = api.constant_notes(module)
    for each in module.__all__:
        if api.kind(getattr(module, each)) == "Constants":
            assert notes[each], f"{name}.{each} has no comment"


def test_the_front_door_leads_to_every_entry():
    doors = re.findall(
        r"^\.\. py:\w+:: (\w+)\n   :module: deepsif_lite$",
        "\n".join(api.page(name, {}) for name in api.public_modules()),
        flags=re.M,
    )
    assert sorted(doors) == sorted(deepsif_lite._HOME)
    assert set(re.findall(r"deepsif_lite\.(\w+)`", api.front_table())) == set(doors)


def test_the_table_of_contents_lists_every_page():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    (reference,) = (each for each in chapters if each["file"] == "book/api")
    listed = [each["file"] for each in reference["sections"]]
    assert listed == [f"book/api/{name}" for name in api.public_modules()]


def test_uses_of_public_names_are_found():
    code = """
import deepsif_lite as dl
from deepsif_lite import head as forward
from deepsif_lite.spikes import statistics
from deepsif_lite.metrics import auc as area

dl.image(evoked).extent()
dl.figures.plot_cortex(forward.load_shells(), area)
other.score(image)
statistics.summarize_runs(dl.nothing, forward.nothing)
"""
    assert api.uses(code) == {
        ("figures", "plot_cortex"),
        ("head", "load_shells"),
        ("imaging", "image"),
        ("metrics", "auc"),
        ("spikes", "summarize_runs"),
    }


def test_without_a_network_references_are_not_checked(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise api.requests.ConnectionError

    monkeypatch.setattr(api.requests, "get", refuse)
    (tmp_path / "numpy.inv").write_bytes(b"")  # fetched before
    settings = api.settings(tmp_path)
    assert list(settings["intersphinx_mapping"]) == ["numpy"]
    patterns = [pattern for _, pattern in settings["nitpick_ignore_regex"]]
    assert r"mne\..*" in patterns
    assert r"numpy\..*" not in patterns


# What numpydoc refuses: no docstring, sections unknown or out of order, parameters
# that do not exist or stand in another order.
FAULTS = {"GL06", "GL07", "GL08", "PR02", "PR03", "PR05", "PR10"}


@each_module
def test_docstrings_agree_with_signatures(name):
    for each, value in api.public_names(name).items():
        if api.kind(value) != "Constants":
            found = validate(f"deepsif_lite.{name}.{each}")["errors"]
            assert [message for code, message in found if code in FAULTS] == [], each


def test_pages_that_are_no_inventories_are_left_out(tmp_path, monkeypatch):
    class Answer:
        content = b"<html>Please sign in</html>"

        def raise_for_status(self):
            pass

    monkeypatch.setattr(api.requests, "get", lambda *args, **kwargs: Answer())
    assert api.reachable(["mne"], tmp_path) == {}
    Answer.content = b"# Sphinx inventory version 2"
    assert list(api.reachable(["mne"], tmp_path)) == ["mne"]
    assert (tmp_path / "mne.inv").read_bytes() == Answer.content
