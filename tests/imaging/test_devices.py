"""Whatever loads a network takes CUDA where there is one, by one rule."""

import mne
import numpy as np
import pytest
import torch

from deepsif_lite.cli import main
from deepsif_lite.errors import OptionError
from deepsif_lite.head import load_head_model
from deepsif_lite.imaging import image, image_epochs, image_raw, load_model, loading
from deepsif_lite.runs import pick_device
from deepsif_lite.training.processes import join_processes


@pytest.fixture(scope="module")
def evoked():
    info = load_head_model("template-75").info
    data = 1e-5 * np.random.default_rng(0).standard_normal((75, 250))
    return mne.EvokedArray(data, info.copy(), verbose=False)


class Loaded(Exception):
    """Says which device a network was asked for on."""


@pytest.fixture
def cuda(monkeypatch):
    """Pretend that there is a graphics card, and stop where it would be used."""

    def load(name, head, device):
        raise Loaded(device)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(loading, "shared_network", load)


def test_the_rule(monkeypatch):
    for there, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert pick_device() == pick_device(None) == device
        assert str(join_processes().device) == device
        assert pick_device("cpu") == "cpu"
    for device in ("cuda", "cuda:1"):
        with pytest.raises(OptionError, match=f"'{device}': torch finds no graphics"):
            load_model("lite", device=device)
    for device in ("gpu", 7.5):
        with pytest.raises(OptionError, match=f"device={device!r} is unknown"):
            load_model("lite", device=device)


def test_imaging_and_loading_follow_it(cuda, evoked):
    for verb in (image, image_epochs, image_raw):  # a network is found first
        with pytest.raises(Loaded, match="cuda"):
            verb(evoked)
    with pytest.raises(Loaded, match="cuda"):
        load_model("lite-75")
    with pytest.raises(Loaded, match="cpu"):
        load_model("lite-75", device="cpu")


def test_a_network_on_another_head_follows_it(monkeypatch):
    head, moved = load_head_model("template-64"), []

    def to(network, device):
        moved.append(device)
        return network

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.nn.Module, "to", to)
    found = load_model("lite-75", head=head, transfer=True)
    assert found.device == "cuda"
    assert moved == ["cuda"]


def test_the_program_follows_it(cuda, evoked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evoked.save("response-ave.fif", verbose=False)
    for command in (
        ["image", "response-ave.fif"],
        ["evaluate", "--samples", "1"],
        ["export", "--out", "network.onnx"],
    ):
        with pytest.raises(Loaded, match="cuda"):
            main(command)
