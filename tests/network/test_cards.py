"""Cards: what they say comes back, or is refused."""

import copy
import json

import numpy as np
import pytest
from toys import toy_head

from deepsif_lite.errors import ArtifactError, RecordingUnavailable
from deepsif_lite.head import load_head_model
from deepsif_lite.network import (
    available_weights,
    build_network,
    check_card,
    edit_card,
    head_fingerprint,
    load_card,
    load_log,
    save_weights,
    write_card_scores,
)

SPEC = {"kind": "paper", "n_channels": 20, "n_regions": 30}


@pytest.fixture
def card():
    head = toy_head()
    return {
        "network": SPEC,
        "ch_names": head.ch_names,
        "sfreq": 500.0,
        "head": head.name,
        "head_hash": head_fingerprint(head),
    }


@pytest.fixture
def folder(card, tmp_path):
    return save_weights(build_network(**SPEC), tmp_path, card)


def test_card_is_checked_against_the_head(card):
    head = toy_head()
    check_card(card, head)
    renamed = copy.copy(head)
    renamed.ch_names = head.ch_names[::-1]
    with pytest.raises(ValueError, match="channels"):
        check_card(card, renamed)
    bent = copy.copy(head)
    bent.leadfield = head.leadfield * np.linspace(1, 2, len(head.ch_names))[:, None]
    with pytest.raises(ValueError, match="trained on"):
        check_card(card, bent)


def test_scores_are_added_to_the_card(card, folder):
    write_card_scores(folder, {"test_samples": 5})
    assert load_card(folder) == card | {"scores": {"test_samples": 5}}


@pytest.mark.parametrize("name", available_weights())
def test_shipped_networks_know_their_head_and_their_scores(name):
    card = load_card(name)
    assert 0 < card["scores"]["corrected"]["all"]["recall"] < 1
    try:
        head = load_head_model(card["head"])
    except RecordingUnavailable:
        pytest.skip("the published head model is not here")
    check_card(card, head)


def test_log_of_a_shipped_network_is_read():
    log = load_log("lite-75")
    made = load_card("lite-75")["training"]
    assert log["samples"][-1] == made["samples"]
    assert (np.diff(log["step"]) > 0).all()
    assert np.isfinite(log["training_loss"]).all()
    scored = np.isfinite(log["recall"])
    assert 5 < scored.sum() < len(scored)
    with pytest.raises(FileNotFoundError, match="shipped networks"):
        load_log("lite-9000")


def rewritten(folder, change):
    """Change the text of a card as an editor would."""
    path = folder / "card.json"
    text = path.read_text(encoding="utf-8")
    changed = change(text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("500.0", "500.5"),
        lambda text: text.replace('"toy"', '"tov"'),
        lambda text: text.replace('"E3"', '"E33"'),
        lambda text: text.replace('"sha256"', '"sha255"'),
        lambda text: text.replace('"files"', '"filet"'),
        lambda text: text.replace('"sfreq": 500.0,', ""),
        lambda text: "[" + text + "]",
        lambda text: "{" * 100_000,
        lambda text: "null",
    ],
)
def test_edited_cards_are_refused(folder, change):
    rewritten(folder, change)
    with pytest.raises(ArtifactError, match=r"card\.json .*; copy the folder anew"):
        load_card(folder)


def test_only_the_content_counts(card, folder):
    """Line breaks and order may change on the way through other programs."""
    rewritten(folder, lambda text: json.dumps(json.loads(text), sort_keys=True))
    assert load_card(folder) == card


def test_a_card_can_be_edited(card, folder):
    edit_card(folder, note="ü", sfreq=250.0, options={1: (2, 3)})
    changed = {"note": "ü", "sfreq": 250.0, "options": {"1": [2, 3]}}
    assert load_card(folder) == card | changed


@pytest.mark.parametrize("text", ["step\n\0x\n", "step,recall\n1\n", "step\n\xff\n"])
def test_a_damaged_log_is_one_error(folder, text):
    (folder / "log.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ArtifactError, match=r"log\.csv is damaged.*train --out"):
        load_log(folder)
