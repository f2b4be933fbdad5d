"""What the build makes of chapters on their way to the site."""

from __future__ import annotations

import base64
import io
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import execute
import images
import matplotlib.pyplot as plt
import memory
import needs
import numpy as np
import pandas as pd
import pytest
import records
import tables
import terms
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image, ImageColor

import deepsif_lite as dl
from deepsif_lite.cortex import load_cortex
from deepsif_lite.figures import METHOD_COLORS, OUTLINE_COLORS, plot_methods
from deepsif_lite.network import load_card

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.py"))
FACTS = {"profile": "lite", "seconds": 90.0, "commit": "abc", "device": "cpu"}


def _record(tmp_path, **entries):
    (tmp_path / "chapters.json").write_text(json.dumps(entries))
    return records.read(tmp_path)


def _heads(html):
    rows = BeautifulSoup(html, "html.parser").find("thead").find_all("tr")
    return [
        [c.get_text(strip=True) for c in row.find_all(["th", "td"])] for row in rows
    ]


def test_names_of_an_index_stand_in_the_last_row_of_heads():
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["letter", "digit"])
    frame = pd.DataFrame({"x": [1.0, np.nan, 3, 4]}, index=index)
    shown = tables.tidy(frame.to_html(notebook=True))
    assert _heads(shown) == [["letter", "digit", "x"]]
    wide = frame.unstack("digit").rename_axis(columns=["of", "digit"])
    assert _heads(tables.tidy(wide.to_html(notebook=True))) == [
        ["of", "x"],
        ["letter / digit", "1", "2"],
    ]


def test_no_head_is_empty_and_what_is_missing_is_a_dash():
    frame = pd.DataFrame({"NaN or not": [1.5, np.nan]})
    shown = tables.tidy(frame.to_html(notebook=True))
    page = BeautifulSoup(shown, "html.parser")
    assert all(head.get_text(strip=True) for head in page.find_all("th"))
    assert [cell.get_text() for cell in page.tbody.find_all("td")] == ["1.5", "–"]
    assert "NaN or not" in shown


def test_numbers_that_belong_together_stay_on_a_line():
    frame = pd.DataFrame({"mean": ["0.81 ± 0.01", "two words"]})
    page = BeautifulSoup(tables.tidy(frame.to_html(notebook=True)), "html.parser")
    shown = [cell.get_text() for cell in page.tbody.find_all("td")]
    assert shown == ["0.81\u00a0±\u00a00.01", "two words"]


def test_a_table_is_told_its_caption():
    html = tables.captioned(pd.DataFrame({"x": [1]}).to_html(), "2b.1", "One & all.")
    page = BeautifulSoup(html, "html.parser")
    told = page.find(id=page.table["aria-labelledby"])
    assert told.get_text() == "Table 2b.1 One & all."
    assert told.find_next_sibling() is page.table


@pytest.fixture
def uses():
    return terms.FirstUses(["Fixed point", "Patch", "Topography", "LCMV"])


def test_a_term_is_linked_once_where_it_comes_first(uses):
    assert uses.link("Two fixed points, a fixed point.") == (
        "Two {term}`fixed points <Fixed point>`, a fixed point."
    )
    assert uses.link("Another fixed point.") == "Another fixed point."
    assert uses.link("patchwork, dispatch") == "patchwork, dispatch"
    assert (
        terms.FirstUses(["Precision"])
        .link("in double precision")
        .endswith(" precision")
    )


@pytest.mark.parametrize(
    "text",
    [
        "`patch`, {py:func}`a.patch`, $patch$, [patch](x.md), **patch**, *patch*",
        "# A patch\n",
        "| patch | 1 |\n",
        "```python\npatch = 1\n```",
        "$$\npatch\n$$",
        "see {term}`its map <Topography>` of a topography",
    ],
)
def test_code_formulas_links_and_headings_are_left_alone(uses, text):
    assert uses.link(text) == text


def test_links_to_the_page_of_the_glossary_lead_to_the_entry(uses):
    shown = uses.link("[topographies](../book/glossary.md), [patches](../book/x.md)")
    assert shown.startswith("[topographies](../book/glossary.md)")  # no such entry
    assert uses.link("a [patch](../book/glossary.md)") == "a {term}`patch <Patch>`"


def test_the_glossary_is_read_as_it_is_written():
    found = terms.read_glossary(ROOT / "book" / "glossary.md")
    assert {"Average reference", "sLORETA", "Otsu's threshold"} <= set(found)
    assert all(len(term) < 40 for term in found)


def _png(size, dpi):
    """Draw colors under a shade, as cortex maps are."""
    across, along = np.meshgrid(*(np.linspace(0, 6, n) for n in size))
    level = np.sin(across) ** 2 * np.cos(along) ** 2
    color = np.dstack([0.5 + level / 2, 1 - level, 0.3 + 0 * level])
    shade = 0.7 + 0.3 * np.sin(7 * across + 3 * along)[..., None]
    pixels = (255 * color * shade).astype("u1")
    written = io.BytesIO()
    picture = Image.fromarray(pixels).convert("RGBA")
    picture.save(written, "PNG", dpi=(dpi, dpi))
    return written.getvalue()


def test_a_figure_takes_fewer_bytes_and_looks_the_same():
    before = _png((300, 200), 200)
    after = images.with_palette(before)
    assert len(after) < 0.6 * len(before)
    assert images.with_palette(after) == after
    old, new = (
        np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), float)
        for png in (before, after)
    )
    assert np.abs(old - new).mean() < 4  # of 255
    assert images.shown_size(after) == (165, 110)
    assert images.shown_size(_png((300, 200), 110)) is None


def test_a_palette_keeps_the_color_of_lettering():
    """A few pixels of one color, among thousands of colors."""
    picture = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    picture[100:104, 50:60] = (204, 121, 167)
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "PNG")
    few = Image.open(io.BytesIO(images.with_palette(written.getvalue())))
    assert few.mode == "P"
    assert few.convert("RGB").getpixel((55, 102)) == (204, 121, 167)


def _with_palette(fig):
    """Draw a figure as chapters do, with the palette that is stored."""
    written = io.BytesIO()
    fig.savefig(written, dpi=images.DRAWN_DPI)
    plt.close(fig)
    few = Image.open(io.BytesIO(images.with_palette(written.getvalue())))
    assert few.mode == "P"
    return few


def test_a_palette_keeps_the_colors_of_methods_beside_their_maps():
    """A label has fewer pixels than a hundred shades of the cortex."""
    cortex = load_cortex()
    methods = ("deepsif", "sloreta", "lcmv", "cmem", "fast-ires", "mne", "dspm")
    places = np.linspace(0, cortex.n_regions - 1, len(methods)).astype(int)
    maps = {
        m: np.exp(-(cortex.distances[p] / 0.04))
        for m, p in zip(methods, places, strict=True)
    }
    fig, _ = plot_methods(maps, cortex)
    few = _with_palette(fig)
    there = {color for _, color in few.convert("RGB").getcolors(few.width * few.height)}
    for method in methods:
        assert ImageColor.getrgb(METHOD_COLORS[method]) in there, method


def test_a_palette_keeps_white_and_the_thin_outline_of_one_region():
    """Beside the gray of a cortex both are rare, or nearly another color."""
    cortex = load_cortex()
    values = np.exp(-(cortex.distances[400] / 0.03))
    marked = {"one": [400], "two": [800], "dipole": [600]}
    fig, _ = plot_methods({"truth": values}, cortex, outlines=marked)
    few = _with_palette(fig)
    colors = {c for _, c in few.convert("RGB").getcolors(few.width * few.height)}
    assert few.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    for line in OUTLINE_COLORS[:3]:
        assert ImageColor.getrgb(line) in colors, line
    # along the color bar are many shades, though few pixels have each
    bar = few.convert("RGB").crop((int(0.9 * few.width), 0, *few.size))
    assert len(bar.getcolors()) > 60


def test_memory_of_children_is_seen():
    size = 300_000_000
    code = f"import time; held = bytearray({size}); held[::4096] = b'1' * len(held[::4096]); time.sleep(1.5)"
    with memory.PeakMemory() as peak:
        subprocess.run([sys.executable, "-c", code], check=True)
    assert size / 1e9 < peak.gb < 2 * size / 1e9


def test_a_chapter_says_what_was_measured(tmp_path):
    record = _record(tmp_path, **{"03_training": FACTS | {"memory_gb": 1.24}})
    head = "**Run time.** Long at `lite`. What takes hours is stored."
    shown = needs.say_what_it_takes(head, "03_training", record, tmp_path)
    shown = shown.replace("\u00a0", " ")
    assert "takes** 1.5 min and at most 1.2 GB of memory here" in shown
    assert "on Colab ≈ 2.2 min on its T4 (2 cores) and ≈ 1.0 min on its A100" in shown
    assert shown.endswith(
        "A graphics card makes it quicker. What takes hours is stored."
    )
    assert needs.say_what_it_takes(head, "99_other", record, tmp_path) == head
    bare = _record(tmp_path, **{"01_simulation": FACTS})
    shown = needs.say_what_it_takes(head, "01_simulation", bare, tmp_path)
    assert "takes** 1.5\u00a0min here" in shown
    assert _rows(needs.needs_table(bare, tmp_path))["01_simulation"] == [
        *("not recorded", "1.5 min", "not recorded", "not recorded"),
    ]


def _rows(table):
    lines = table.replace("\u00a0", " ").splitlines()
    cells = [line.strip("| ").split("|") for line in lines if line.startswith("|")]
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in cells}


def test_what_takes_longer_is_estimated_from_two_runs(tmp_path):
    """Of a fixed time and one that grows with recordings, steps or nothing."""
    smoke, lite, paper = (dl.get_profile(name) for name in ("smoke", "lite", "paper"))
    fixed, each = 60.0, 0.5

    def facts(profile):
        entry = FACTS | {"profile": profile.name}
        takes = {
            "03_training": fixed + each * profile.live_training_steps,
            "04_evaluation": fixed + each * profile.n_test_samples,
            "06_evoked": fixed,
        }
        return {name: entry | {"seconds": seconds} for name, seconds in takes.items()}

    (tmp_path / "chapters-smoke.json").write_text(json.dumps(facts(smoke)))
    record = _record(tmp_path, **facts(lite))
    rows = _rows(needs.needs_table(record, tmp_path))
    hours = (fixed + each * paper.n_test_samples) / 3600
    assert rows["06_evoked"][:3] == ["1.0 min", "1.0 min", "≈ 1.0 min"]
    assert rows["04_evaluation"][1:3] == ["3.5 min", f"≈ {60 * hours:.1f} min"]

    there = _rows(needs.colab_table(record, tmp_path))
    machine = needs.COLAB["T4 (2 cores)"]
    assert there["06_evoked"][0] == f"≈ {machine.factor:.1f} min"
    run = load_card("lite")["training"]
    slower = 67.0 / machine.tflops  # than the card that the run was on
    trains = paper.live_training_steps * paper.batch_size * slower
    trains *= run["seconds"] / run["samples"]
    assert there["03_training"][2] == f"≈ {machine.factor + trains / 60:.1f} min"


def test_every_chapter_has_a_place_for_what_it_takes():
    for source in SOURCES:
        found = needs._RUN_TIME.findall(source.read_text().replace("\n# ", "\n"))
        assert len(found) == 1, source.name


def test_every_figure_has_its_row(tmp_path):
    png = _png((30, 20), 200)
    cell = new_code_cell("plot()")
    cell.metadata["mystnb"] = {"figure": {"name": "fig-a", "caption": "c"}}
    cell.metadata["papermill"] = {"duration": 2.345}
    image = {"image/png": base64.b64encode(png).decode()}
    cell.outputs = [new_output("display_data", data=image)]
    notebook = new_notebook(cells=[cell])
    seconds = execute.figure_seconds(notebook)
    assert seconds == {"fig-a": 2.3}
    path = tmp_path / "01_simulation.ipynb"
    path.write_text(json.dumps(notebook))
    facts = FACTS | {"figures": seconds, "data": "123456789abc"}
    table = records.figures_table([path], _record(tmp_path, **{"01_simulation": facts}))
    (row,) = [line for line in table.splitlines() if "fig-a" in line]
    wanted = "{numref}`fig-a` | `make run NB=01_simulation` | 2.3 s | "
    assert wanted + f"`123456789abc` | `{records.short_hash(png)}`" in " ".join(
        row.split()
    )


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_exercise_has_a_solution(source):
    text = source.read_text()
    exercises = re.findall(r"# :::\{exercise\}\n# :label: (\S+)", text)
    assert exercises
    assert re.findall(r"# :::\{solution\} (\S+)", text) == exercises


SHORT = [source for source in SOURCES if source.stem[:2] in ("01", "02", "03")]
MEDIAN, MOST_OF_TEN = 6, 15  # lines


@pytest.mark.parametrize("source", SHORT, ids=lambda path: path.stem)
def test_cells_are_short(source):
    lengths = sorted(
        len([line for line in cell.source.splitlines() if line.strip()])
        for cell in execute.read_source(source).cells
        if cell.cell_type == "code"
        and not {"hide-input", "remove-cell"} & set(cell.metadata.get("tags", []))
    )
    assert statistics.median(lengths) <= MEDIAN
    assert lengths[int(0.9 * len(lengths))] <= MOST_OF_TEN
