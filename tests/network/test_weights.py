"""Weights on disk: shards, and what is refused."""

import pytest
import torch
from damage import KINDS, damage, is_one_line
from safetensors.torch import load_file, save_file
from toys import toy_head

from deepsif_lite.errors import ArtifactError, ArtifactMissing
from deepsif_lite.network import (
    build_network,
    edit_card,
    head_fingerprint,
    load_weights,
    save_weights,
    weights,
)

SPEC = {"kind": "paper", "n_channels": 20, "n_regions": 30}


@pytest.fixture
def card():
    head = toy_head()
    return {
        "network": SPEC,
        "ch_names": head.ch_names,
        "head": head.name,
        "head_hash": head_fingerprint(head),
    }


def test_shards_come_back_whole(card, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "SHARD_BYTES", 200_000)
    network = build_network(**SPEC)
    folder = save_weights(network, tmp_path / "net", card)
    shards = list(folder.glob("*.safetensors"))
    assert len(shards) > 2
    loaded, read = load_weights(folder)
    assert read == card
    for name, value in network.state_dict().items():
        back = loaded.state_dict()[name]
        assert back.dtype == torch.float32
        torch.testing.assert_close(back, value, rtol=1e-3, atol=1e-4)


def test_saving_again_leaves_no_old_shard(card, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "SHARD_BYTES", 200_000)
    save_weights(build_network(**SPEC), tmp_path, card)
    monkeypatch.setattr(weights, "SHARD_BYTES", 10**9)
    network = build_network(**SPEC)
    save_weights(network, tmp_path, card)
    card_path, shard = sorted(tmp_path.iterdir())
    assert card_path.name == "card.json"
    assert shard.name.startswith("weights-0-")
    back = load_weights(tmp_path)[0].state_dict()
    for name, value in network.state_dict().items():
        assert torch.equal(back[name], value.half().float())


def test_unknown_network_names_the_shipped_ones():
    with pytest.raises(ArtifactMissing, match="shipped networks"):
        load_weights("lite-9000")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["card.json", "weights-0-*.safetensors"])
def test_damage_is_one_line_that_says_what_to_do(card, tmp_path, name, kind):
    folder = save_weights(build_network(**SPEC), tmp_path, card)
    (path,) = folder.glob(name)
    damage(path, kind)
    with pytest.raises(ArtifactError) as raised:
        load_weights(folder)
    assert is_one_line(raised.value)
    assert path.name in str(raised.value)
    if (name, kind) != ("card.json", "missing"):
        assert f"deepsif-lite train --out {folder}" in str(raised.value)


def test_a_stop_before_the_card_leaves_the_former_network(card, tmp_path, monkeypatch):
    first, second = (build_network(**SPEC) for _ in range(2))
    save_weights(first, tmp_path, card | {"run": 1})

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(weights, "write_card", stop)
        with pytest.raises(KeyboardInterrupt):
            save_weights(second, tmp_path, card | {"run": 2})
    for network, run in ((first, 1), (second, 2)):
        if run == 2:
            save_weights(second, tmp_path, card | {"run": 2})
        loaded, read = load_weights(tmp_path)
        assert read["run"] == run
        for name, value in network.state_dict().items():
            assert torch.equal(loaded.state_dict()[name], value.half().float())
    assert len(list(tmp_path.iterdir())) == 2


def test_weights_of_another_run_are_refused(card, tmp_path):
    for name in "ab":
        save_weights(build_network(**SPEC), tmp_path / name, card)
    (mine,), (other,) = ((tmp_path / n).glob("*.safetensors") for n in "ab")
    other.replace(mine)
    with pytest.raises(ArtifactError, match="SHA-256 differs"):
        load_weights(tmp_path / "a")


@pytest.fixture
def old(card, tmp_path):
    """A folder as it was written before cards had hashes."""
    folder = save_weights(build_network(**SPEC), tmp_path, card)
    (path,) = folder.glob("*.safetensors")
    path.rename(folder / "weights-0.safetensors")
    text = (folder / "card.json").read_text()
    head, _, _ = text.partition(',\n "files"')
    (folder / "card.json").write_text(head + "\n}\n")
    return folder


def test_old_weights_are_loaded_with_a_warning(old, card):
    with pytest.warns(UserWarning, match="no hash"):
        assert load_weights(old)[1] == card
    with pytest.warns(UserWarning, match="no hash"):
        edit_card(old)
    assert load_weights(old)[1] == card
    damage(old / "weights-0.safetensors", "flipped")
    with pytest.raises(ArtifactError, match="SHA-256 differs"):
        load_weights(old)


@pytest.mark.filterwarnings("ignore:.*no hash")
@pytest.mark.parametrize("kind", ["truncated", "empty", "missing"])
def test_old_weights_that_cannot_be_read_are_one_line(old, kind):
    damage(old / "weights-0.safetensors", kind)
    with pytest.raises(ArtifactError) as raised:
        load_weights(old)
    assert str(old) in str(raised.value)
    assert is_one_line(raised.value)


@pytest.mark.filterwarnings("ignore:.*no hash")
def test_old_weights_of_another_network_are_refused(old):
    state = load_file(old / "weights-0.safetensors")
    state.popitem()
    save_file(state, old / "weights-0.safetensors")
    with pytest.raises(ArtifactError, match="another network than its card") as raised:
        load_weights(old)
    assert is_one_line(raised.value)
