"""The pages in a browser: the numbers of "Play", and nothing cut off on any page."""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import threading
import warnings
from pathlib import Path

import mne
import numpy as np
import play_assets
import pytest
import torch

import deepsif_lite as dl
from deepsif_lite.imaging import write_image
from deepsif_lite.solvers import sloreta

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "book" / "_static" / "play"
HTML = ROOT / "_build" / "html"
LONGEST_MS = 300  # of a change, on two cores
WAIT_MS = 120_000
HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _serve(folder: Path):
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


def _stop(server) -> None:
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def chromium():
    """Start Debian's browser."""
    sync = pytest.importorskip(
        "playwright.sync_api", reason="the Python package playwright is missing"
    )
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium")
    flags = ["--no-sandbox", "--enable-unsafe-swiftshader"]
    with sync.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def play(chromium, tmp_path_factory):
    """Open the page, without the book around it, and press the button."""
    folder = tmp_path_factory.mktemp("play")
    shutil.copytree(STATIC, folder / "play")
    play_assets.write(folder / "play")
    if not (folder / "play" / "ort.wasm.min.mjs").is_file():
        pytest.skip("the runtime could not be had from npm")
    text = (ROOT / "book" / "play.md").read_text()
    part = text.split("```{raw} html\n")[1].split("```")[0].replace("../_static/", "")
    (folder / "index.html").write_text(HEAD + part)
    server, address = _serve(folder)
    page = chromium.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{address}/index.html")
    page.click("#play-start")
    ready = "document.getElementById('play').dataset.state"
    page.wait_for_function(ready, timeout=WAIT_MS)
    assert page.inner_text("#play-status").startswith("Simulated"), wrong
    yield page
    _stop(server)
    assert wrong == []


@pytest.mark.parametrize("cap", ["75 electrodes (10-10)", "32 electrodes"])
def test_the_page_gives_what_torch_gives(play, cap):
    play.select_option("#play-cap", label=cap)
    names = play.evaluate(f"deepsifPlay.meta().caps['{cap}']")
    play.wait_for_function(f"deepsifPlay.result().names.length === {len(names)}")
    result = json.loads(play.evaluate("JSON.stringify([...deepsifPlay.result().eeg])"))
    eeg = np.reshape(result, (-1, len(names))).astype(np.float32)
    head = dl.load_head_model("template", channels=names)
    imager = dl.load_model("lite", head=head, device="cpu")
    with torch.no_grad():
        activity, probability = imager.network.image(torch.as_tensor(eeg)[None])
    # Half a million numbers take long on their way here: every 997th is compared.
    found = play.evaluate(
        "names => deepsifPlay.image({names, eeg: deepsifPlay.result().eeg, nTimes: "
        "deepsifPlay.result().nTimes}).then(({activity, probability}) =>"
        " ({activity: [...activity].filter((_, i) => i % 997 === 0),"
        " probability: [...probability]}))",
        names,
    )
    some = activity.ravel()[::997]
    assert float(some.abs().max()) > 0.1
    for ours, theirs in ((some, "activity"), (probability, "probability")):
        np.testing.assert_allclose(found[theirs], ours.numpy().ravel(), atol=1e-3)


def test_its_sloreta_is_that_of_the_library(play):
    names = play.evaluate("deepsifPlay.meta().caps['19 electrodes (10-20)']")
    head = dl.load_head_model("template", channels=names)
    eeg = np.random.default_rng(0).standard_normal((30, len(names)))
    matrix = play.evaluate(
        "names => deepsifPlay.linear({names}).then(({sloreta}) => [...sloreta])", names
    )
    eeg -= eeg.mean(axis=1, keepdims=True)
    ours = eeg @ np.reshape(matrix, (-1, len(names))).T
    theirs = sloreta.solve(eeg, head)
    scale = (ours * theirs).sum() / (theirs**2).sum()
    np.testing.assert_allclose(ours / scale, theirs, atol=1e-3 * np.abs(theirs).max())


def _set(page, name, value):
    page.fill(f"#play-{name}", str(value))
    page.dispatch_event(f"#play-{name}", "input")


def test_a_change_is_quick_and_scored(play):
    took = []
    for size in (3, 8, 20):
        before = play.evaluate("deepsifPlay.result()?.truth.length")
        _set(play, "size1", size)
        play.wait_for_function(
            f"deepsifPlay.result().truth.length === {size}", timeout=WAIT_MS
        )
        took.append(play.evaluate("deepsifPlay.result().ms"))
        assert before != size
    scores = play.evaluate("deepsifPlay.result().methods.deepsif.scores")
    assert 0 <= scores["precision"] <= 1
    assert 0 <= scores["recall"] <= 1
    assert min(took) < LONGEST_MS


def test_own_recordings_are_read_or_refused_in_words(play, tmp_path):
    names = play.evaluate("deepsifPlay.meta().caps['32 electrodes']")
    times = np.arange(250)[:, None]
    course = np.exp(-0.5 * ((times - 120) / 12) ** 2)
    values = course * np.linspace(-1, 1, len(names))
    table = "\n".join(",".join(f"{v:.6f}" for v in row) for row in values)
    good = tmp_path / "mine.csv"
    good.write_text(",".join(["T3", *names[1:]]) + "\n" + table)
    play.set_input_files("#play-file", good)
    play.wait_for_function(
        "document.getElementById('play-status').textContent.startsWith('mine.csv')"
    )
    assert play.evaluate("deepsifPlay.result().nTimes") == 250
    bad = tmp_path / "bad.csv"
    bad.write_text("x,y\n1,2\n3,4")
    play.set_input_files("#play-file", bad)
    play.wait_for_function(
        "document.getElementById('play-status').textContent.includes('not read')"
    )
    assert "only 0 of its channels" in play.inner_text("#play-status")
    play.click("#play-back")
    play.wait_for_function("deepsifPlay.result().truth?.length > 0")


def test_a_report_fits_a_phone_and_prints_on_two_pages(chromium, tmp_path):
    """With all that a report can hold: the network's image of many electrodes."""
    head = dl.load_head_model("template-75")
    course = np.exp(-0.5 * ((np.arange(500) - 250) / 12) ** 2)
    noise = np.random.default_rng(0).standard_normal((75, 500))
    data = 1e-8 * np.outer(head.leadfield[:, 120], course) + 1e-6 * noise
    evoked = mne.EvokedArray(data, head.info, tmin=-0.5, verbose="error")
    with warnings.catch_warnings(action="ignore"):
        image = dl.image(evoked)
    assert image.probability is not None
    assert image.trust is not None
    report = write_image(image, evoked, tmp_path, "night")[-1]
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.goto(report.as_uri(), wait_until="load")
    assert page.evaluate(OVERFLOW) == []
    printed = page.pdf(format="A4")
    page.close()
    assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= 2


@pytest.fixture(scope="module")
def site():
    """Serve the site, where it was built."""
    if not (HTML / "index.html").is_file():
        pytest.skip("the site is not built: make site")
    server, address = _serve(HTML)
    yield address
    _stop(server)


OVERFLOW = """() => {
  const page = document.documentElement, wide = [];
  if (page.scrollWidth > page.clientWidth + 1) wide.push(`page ${page.scrollWidth} px`);
  return wide;
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_window_and_none_complains(chromium, site, width):
    pages = [
        path.relative_to(HTML)
        for folder in ("book", "notebooks")
        for path in sorted((HTML / folder).glob("*.html"))
    ]
    assert pages
    wrong = []
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    for name in pages:
        page.goto(f"{site}/{name.as_posix()}", wait_until="load")
        wrong += [f"{name}: {found}" for found in page.evaluate(OVERFLOW)]
    page.close()
    assert wrong == []
