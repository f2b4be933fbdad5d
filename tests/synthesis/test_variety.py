"""Every share and range of a variety is checked when it is made."""

from dataclasses import fields

import pytest

from deepsif_lite.errors import OptionError
from deepsif_lite.synthesis import Variety

PLAIN = Variety()
NAMES = [each.name for each in fields(Variety)]
RANGES = [name for name in NAMES if isinstance(getattr(PLAIN, name), tuple)]
SHARES = [name for name in NAMES if isinstance(getattr(PLAIN, name), float)]


def test_all_of_it_is_a_share_a_range_or_the_shortest_window():
    assert {*RANGES, *SHARES, "shortest"} == set(NAMES)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
@pytest.mark.parametrize("name", SHARES)
def test_shares_lie_between_none_and_all(name, value):
    with pytest.raises(OptionError, match=f"{name}="):
        Variety(**{name: value})


@pytest.mark.parametrize("name", RANGES)
def test_ranges_run_up(name):
    with pytest.raises(OptionError, match=f"{name}="):
        Variety(**{name: (1.0, 0.5)})


def test_electrodes_are_no_less_than_nothing_beside_their_places():
    with pytest.raises(OptionError, match="displacement="):
        Variety(displacement=(-0.01, 0.01))
    with pytest.raises(OptionError, match="head_error="):
        Variety(head_error=(-0.5, 1.0))
    with pytest.raises(OptionError, match="shortest=1"):
        Variety(shortest=1)
