"""Configurations check themselves; profiles say how big a run is."""

import json
from dataclasses import asdict, replace

import pytest

from deepsif_lite.errors import OptionError
from deepsif_lite.head.cap_sampler import TEMPLATE_SHARE
from deepsif_lite.network import load_card
from deepsif_lite.profiles import PROFILES
from deepsif_lite.synthesis import Variety
from deepsif_lite.training import (
    ANY_CAP_SIZES,
    ANY_CAP_SOURCES,
    TrainingConfig,
    configuration_of,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network", "lit"),
        ("schedule", "cos"),
        ("precision", "int4"),
        ("n_steps", -1),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("weight_decay", -1e-4),
        ("n_sources", ()),
        ("n_sources", (1, -1)),
        ("n_times", 1),
        ("resting_share", 1.5),
        ("electrode_jitter", (0.01, 0.0)),
        ("seed", -1),
        ("validation_size", 0),
        ("score_size", 0),
        ("score_every", 0),
        ("ema_decay", 1.5),
    ],
)
def test_what_is_out_of_range_is_refused_at_once(name, value):
    with pytest.raises(OptionError, match=f"{name}="):
        TrainingConfig(**{name: value})


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_says_how_many_samples(profile):
    config = configuration_of(profile)
    wanted = PROFILES[profile].n_training_samples
    assert 0 <= wanted - config.n_steps * config.batch_size < config.batch_size


def test_the_papers_run_is_the_papers():
    """METHOD: 620,256 samples twenty times, Adam at 3e-4 with decay 1e-6."""
    config = configuration_of("paper", "paper")
    assert config.n_steps * config.batch_size == pytest.approx(20 * 620_256, abs=64)
    assert (config.learning_rate, config.weight_decay) == (3e-4, 1e-6)
    assert (config.n_sources, config.ema_decay) == ((1, 2, 3), 0.0)


def test_the_share_of_resting_eeg_is_said_once():
    with pytest.raises(OptionError, match=r"give Variety\(resting_share=0.5\)"):
        TrainingConfig(variety=Variety(), resting_share=0.5)
    assert TrainingConfig(variety=Variety(resting_share=0.5)).resting_share == 0


def test_unknown_names_are_refused():
    with pytest.raises(OptionError, match="profile='huge'"):
        configuration_of("huge")
    with pytest.raises(OptionError, match="network='resnet'"):
        configuration_of("lite", "resnet")


# What a run on a GPU takes otherwise: more and larger steps.
_PACE = (
    *("n_steps", "batch_size", "learning_rate", "ema_decay", "score_every"),
    "precision",
)


def test_lite_was_trained_on_what_the_command_trains_on():
    """``deepsif-lite train --out run``, but for how long and how fast it learned."""
    made = load_card("lite")["training"]
    config = replace(
        configuration_of("lite"),
        variety=Variety(),
        n_sources=ANY_CAP_SOURCES,
        options=ANY_CAP_SIZES,
    )
    recipe = json.loads(json.dumps(asdict(config)))
    wanted = {key: value for key, value in recipe.items() if key not in _PACE}
    # Its card does not name what was added after, whose defaults leave samples alike.
    own = wanted["variety"]
    wanted["variety"] = {key: own.pop(key) for key in made["variety"]}
    added = {"template_share": TEMPLATE_SHARE, "head_error": [0.0, 0.0]}
    added |= {"bridged_share": 0.0, "resting_share": 0.0}
    assert own == added
    assert {key: made[key] for key in wanted} == wanted
    assert made["samples"] == made["steps_done"] * made["batch_size"]
    assert made["steps_done"] == made["n_steps"]


def test_the_papers_network_was_trained_on_the_papers_samples():
    made, recipe = load_card("paper-75")["training"], configuration_of("lite", "paper")
    for name in ("n_sources", "electrode_jitter", "weight_decay", "variety"):
        assert made[name] == json.loads(json.dumps(getattr(recipe, name)))
