"""The page of the explorer, unpacked again as the browser does it."""

from __future__ import annotations

import base64
import json
import re
import zlib

import numpy as np
import pytest

from deepsif_lite import figures
from deepsif_lite.head import load_head_model
from deepsif_lite.signals import average_reference

TYPES = {"i2": "<i2", "u2": "<u2", "u1": "u1", "i1": "i1"}


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-75")


@pytest.fixture(scope="module")
def page(head):
    size = head.sensitivity.copy()
    size[3] = np.nan
    maps = {"depth": (1e3 * head.depth, "mm"), "size": (size, "V/(A m)")}
    return figures.explore_cortex(head, maps, chosen=7)


@pytest.fixture(scope="module")
def unpacked(page):
    meta = json.loads(re.search(r"const meta = (.*);\n", page.html)[1])
    text = re.search(r'const packed = "(.*)";', page.html)[1]
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    arrays, at = {}, 0
    for name, kind, count in meta["arrays"]:
        size = np.dtype(TYPES[kind]).itemsize
        whole = planes[at : at + size * count].reshape(size, count).T.tobytes()
        arrays[name] = np.frombuffer(whole, TYPES[kind])
        at += size * count
    assert at == len(planes)
    return meta, arrays


def test_surfaces_are_those_of_the_cortex(head, unpacked):
    meta, arrays = unpacked
    pial = arrays["pial"].reshape(-1, 3) / meta["unit"]
    apart = pial - head.cortex.vertices
    np.testing.assert_allclose(apart - apart.mean(axis=0), 0, atol=1.1e-4)
    half = arrays["faces"].reshape(-1, 3).astype(int)
    faces = np.vstack([half, half + meta["n_left"]])
    np.testing.assert_array_equal(faces, head.cortex.faces)
    np.testing.assert_array_equal(arrays["region"], head.cortex.region_of_vertex)


@pytest.mark.parametrize("region", [7, 944])
def test_the_chosen_region_can_be_seen(head, region):
    page = figures.explore_cortex(head, {"depth": (head.depth, "m")}, chosen=region)
    meta = json.loads(re.search(r"const meta = (.*);\n", page.html)[1])
    side = "left" if head.cortex.centroids[region, 0] < 0 else "right"
    assert meta["view"] == side


def test_maps_come_back_within_a_level(head, unpacked):
    meta, arrays = unpacked
    levels = arrays["maps"].reshape(2, -1)
    assert [m["unit"] for m in meta["maps"]] == ["mm", "V/(A m)"]
    for level, values, about in zip(
        levels, (1e3 * head.depth, head.sensitivity), meta["maps"], strict=True
    ):
        top = about["range"][1]
        known = level != 255
        np.testing.assert_allclose(
            (level * top / 254)[known], values[known], atol=0.006 * top
        )
    assert levels[1][3] == 255
    assert (levels[0] != 255).all()


def test_scalp_maps_are_columns_of_the_leadfield(head, unpacked):
    meta, arrays = unpacked
    gain = arrays["gain"].reshape(head.cortex.n_regions, -1)
    truth = average_reference(head.leadfield)
    np.testing.assert_allclose(
        gain.T / 127, truth / np.abs(truth).max(axis=0), atol=0.005
    )
    places = dict(zip(head.ch_names, meta["electrodes"], strict=True))
    assert places["T7"][0] < 0 < places["T8"][0]
    assert places["Oz"][1] < 0 < places["Fpz"][1]
    assert np.linalg.norm(list(places.values()), axis=1).max() <= 1.001


def test_the_page_needs_no_network_and_little_room(page):
    assert "http" not in page.html
    assert " src=" not in page.html
    shown = page._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert len(shown) < 500_000
    assert repr(page) == "<Explorer: shown by a browser>"


def test_wrong_maps_are_refused(head):
    good = head.depth
    for maps, chosen, word in (
        ({}, 0, "empty"),
        ({"a": (good[:5], "m")}, 0, r"shape \(5,\)"),
        ({"a": (-good, "m")}, 0, "negative"),
        ({"a": (good, "m")}, 994, "chosen=994"),
    ):
        with pytest.raises(ValueError, match=word):
            figures.explore_cortex(head, maps, chosen=chosen)


def test_no_name_of_a_map_ends_the_script(head):
    name = "</script><script>alert(1)</script>"
    page = figures.explore_cortex(head, {name: (head.depth, name)})
    assert page.html.count("<script") == page.html.count("</script>") == 1
    meta = json.loads(re.search(r"const meta = (.*);\n", page.html)[1])
    assert [meta["maps"][0][key] for key in ("name", "unit")] == [name, name]
