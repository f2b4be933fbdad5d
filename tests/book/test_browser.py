"""The pages in a browser: the numbers of "Play", and nothing cut off on any page."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import warnings
from pathlib import Path

import mne
import numpy as np
import play_assets
import print_pdf
import pytest
import torch
from browser import FLAGS, find_chromium, serving

import deepsif_lite as dl
from deepsif_lite.cortex import grow_to_area
from deepsif_lite.imaging import of_people, write_image
from deepsif_lite.solvers import sloreta

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "book" / "_static" / "play"
HTML = ROOT / "_build" / "html"
LONGEST_MS = 300  # of a change, on two cores
WAIT_MS = 120_000
HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'


@pytest.fixture(scope="module")
def chromium():
    """Start Debian's browser."""
    sync = pytest.importorskip(
        "playwright.sync_api", reason="the Python package playwright is missing"
    )
    path = find_chromium()
    if path is None:
        pytest.skip("there is no chromium")
    with sync.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=FLAGS)
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
    page = chromium.new_page(reduced_motion="reduce")
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    with serving(folder) as address:
        page.goto(f"{address}/index.html")
        page.click("#play-start")
        ready = "document.getElementById('play').dataset.state"
        page.wait_for_function(ready, timeout=WAIT_MS)
        assert page.inner_text("#play-status").startswith("Simulated"), wrong
        yield page
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
    if min(took) >= LONGEST_MS and os.getloadavg()[0] > 1.5 * os.cpu_count():
        pytest.skip("others keep the processor busy: a time says nothing")
    assert min(took) < LONGEST_MS


N_TIMES, RATE = 500, 500.0  # a second: EDF has whole ones
REGION = 300  # where the recording has its source


@pytest.fixture(scope="module")
def recording(play):
    """Return names and values, in V, of an average that a reader might have."""
    names = play.evaluate("deepsifPlay.meta().caps['32 electrodes']")
    times = np.arange(N_TIMES)[:, None]
    course = np.exp(-0.5 * ((times - 120) / 12) ** 2)
    noise = np.random.default_rng(0).standard_normal((N_TIMES, len(names)))
    head = dl.load_head_model("template", channels=names)
    source = grow_to_area(head.cortex, REGION, 1e-3)
    response = head.leadfield[:, source].sum(axis=1)
    response /= np.abs(response).max()
    return names, 1e-5 * (course * response + 0.1 * noise)


def _write_csv(path, names, values):
    np.savetxt(path, 1e6 * values, delimiter=",", header=",".join(names), comments="")


def _write_fif(path, names, values):
    info = mne.create_info([*names, "EOG"], RATE, ["eeg"] * len(names) + ["eog"])
    eog = 1e-3 * np.ones((len(values), 1))
    evoked = mne.EvokedArray(np.hstack([values, eog]).T, info, tmin=-0.1, nave=9)
    second = evoked.copy().apply_function(lambda x: 0 * x)
    mne.write_evokeds(path, [evoked, second], verbose="error")


def _write_edf(path, names, values):
    pytest.importorskip("edfio", reason="MNE writes EDF by edfio, which is missing")
    raw = mne.io.RawArray(
        values.T, mne.create_info(names, RATE, "eeg"), verbose="error"
    )
    mne.export.export_raw(path, raw, verbose="error")


def _give(page, path, says="imaged in"):
    page.set_input_files("#play-file", path)
    page.wait_for_function(
        "([name, text]) => { const said = document.getElementById('play-status')"
        ".textContent; return said.startsWith(name) && said.includes(text); }",
        arg=[path.name, says],
        timeout=WAIT_MS,
    )
    return page.inner_text("#play-status")


@pytest.mark.parametrize(
    ("name", "write"),
    [("own.csv", _write_csv), ("own-ave.fif", _write_fif), ("own.edf", _write_edf)],
)
def test_own_recordings_are_read(play, recording, tmp_path, name, write):
    names, values = recording
    old = {"T7": "T3", "P8": "T6"}  # names of before
    write(tmp_path / name, [old.get(known, known) for known in names], values)
    _give(play, tmp_path / name)
    assert play.evaluate("deepsifPlay.result().names") == names
    eeg = np.reshape(play.evaluate("[...deepsifPlay.result().eeg]"), values.shape)
    wanted = values - values.mean(axis=1, keepdims=True)
    wanted = wanted - wanted.mean(axis=0)
    np.testing.assert_allclose(eeg, wanted / np.abs(wanted).max(), atol=1e-3)
    # The probabilities are those of people, as of images of the library.
    model = dl.load_model("lite", head=dl.load_head_model("template", channels=names))
    told = model.predict_with_probability(eeg)[1]
    found = play.evaluate("[...deepsifPlay.result().methods.deepsif.probability]")
    np.testing.assert_allclose(found, of_people(told, model.card), atol=1e-3)
    assert np.abs(np.subtract(found, told)).max() > 0.01


def test_a_file_is_dropped_on_the_page(play, recording, tmp_path):
    _write_csv(tmp_path / "dropped.csv", *recording)
    play.evaluate(
        """text => {
          const held = new DataTransfer(), stage = document.getElementById('play');
          held.items.add(new File([text], 'dropped.csv'));
          stage.dispatchEvent(new DragEvent('drop', {dataTransfer: held, bubbles: true}));
        }""",
        (tmp_path / "dropped.csv").read_text(),
    )
    play.wait_for_function(
        "document.getElementById('play-status').textContent.startsWith('dropped.csv')",
        timeout=WAIT_MS,
    )
    assert play.evaluate("deepsifPlay.result().nTimes") == N_TIMES


def test_the_unit_does_not_matter_but_two_units_do(play, recording, tmp_path):
    names, values = recording
    found = []
    for factor in (1.0, 1e6):
        _write_csv(tmp_path / f"unit{factor:.0f}.csv", names, factor * values)
        _give(play, tmp_path / f"unit{factor:.0f}.csv")
        found.append(play.evaluate("[...deepsifPlay.result().methods.deepsif.map]"))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-3, atol=1e-6)
    mixed = values.copy()
    mixed[:, 3] *= 1e3
    _write_csv(tmp_path / "mixed.csv", names, mixed)
    said = _give(play, tmp_path / "mixed.csv")
    assert f"look at {names[3]}: more than 20 times as large" in said


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("unknown.csv", b"x,y\n1,2\n3,4", "only 0 of its channels have names"),
        ("words.csv", b"Fz,Cz\n1,two", "no number"),
        ("ragged.csv", b"Fz,Cz\n1,2\n3", "a row has not 2 values"),
        ("broken.fif", b"\x7f" * 300, "no FIF file"),
        ("broken.edf", b"0       " * 40, "not that of an EDF file"),
        ("own.mat", b"", "only CSV, EDF and FIF are read here"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(play, tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    assert says in _give(play, tmp_path / name, says="was not read")


def test_back_to_simulation_and_by_keyboard(play, recording, tmp_path):
    _write_csv(tmp_path / "own.csv", *recording)
    _give(play, tmp_path / "own.csv")
    play.focus("#play-back")
    play.keyboard.press("Enter")
    play.wait_for_function("deepsifPlay.result().truth?.length > 0", timeout=WAIT_MS)
    before = play.input_value("#play-seed")
    play.focus("#play-truth")
    for _ in range(6):
        play.keyboard.press("ArrowRight")
    play.keyboard.press("Enter")
    play.wait_for_function(
        "before => document.getElementById('play-seed').value !== before", arg=before
    )


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
    assert page.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    shown = page.evaluate("""[...document.querySelectorAll('.cortex')].map(
        part => [...part.children].map(i => [i.alt, i.clientWidth, i.offsetTop]))""")
    assert len(shown) == 2  # at the peak, and how sure
    for *cortex, _ in shown:
        assert [alt.split(": ")[1] for alt, *_ in cortex] == [
            "lh lateral",
            "lh medial",
            "rh medial",
            "rh lateral",
        ]
        assert min(width for _, width, _ in cortex) > 0.35 * 390  # not four in a row
        assert len({top for *_, top in cortex}) == 2
    assert report.stat().st_size < 0.4e6  # by mail, too
    printed = page.pdf(format="A4")
    page.close()
    assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= 2


@pytest.fixture(scope="module")
def site():
    """Serve the site, where it was built."""
    if not (HTML / "index.html").is_file():
        pytest.skip("the site is not built: make site")
    with serving(HTML) as address:
        yield address


def _pages():
    folders = [
        path for name in ("book", "notebooks") for path in (HTML / name).glob("*")
    ]
    return sorted(path.relative_to(HTML) for path in folders if path.suffix == ".html")


OVERFLOW = """() => {
  const page = document.documentElement, wide = [];
  if (page.scrollWidth > page.clientWidth + 1) wide.push(`page ${page.scrollWidth} px`);
  return wide;
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_window_and_none_complains(chromium, site, width):
    assert _pages()
    wrong = []
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda m: wrong.append(f"{page.url}: {m.text}") if m.type == "error" else None,
    )
    for name in _pages():
        page.goto(f"{site}/{name.as_posix()}", wait_until="load")
        wrong += [f"{name}: {found}" for found in page.evaluate(OVERFLOW)]
    page.close()
    assert wrong == []


# Of a page when it opens, without MathJax, which is fetched once for all, and without
# figures far below, which are fetched when the reader comes near.
MOST_BYTES = 1.2e6
TEXT = {".html", ".js", ".css", ".svg", ".json"}


def _sent(path):
    """Bytes of a file as servers send it: text is compressed, figures are already."""
    content = path.read_bytes()
    return len(gzip.compress(content) if path.suffix in TEXT else content)


def test_no_page_is_heavy(chromium, site):
    heavy, seen = [], set()
    page = chromium.new_page()
    page.on("request", lambda request: seen.add(request.url.split("?")[0]))
    for name in _pages():
        seen.clear()
        page.goto(f"{site}/{name.as_posix()}", wait_until="load")
        files = [HTML / url.removeprefix(f"{site}/") for url in seen if site in url]
        total = sum(_sent(f) for f in files if "mathjax" not in f.as_posix().lower())
        if total > MOST_BYTES:
            heavy.append(f"{name}: {total / 1e6:.1f} MB")
    page.close()
    assert heavy == []


def test_the_book_is_printed(chromium, site, tmp_path, monkeypatch):
    monkeypatch.setattr(print_pdf, "PDF", tmp_path / "book.pdf")
    page = chromium.new_page(color_scheme="light")
    shown = [name for name in _pages() if name.stem != "api"]
    assert print_pdf.print_pages(page, site) == len(shown)
    text = page.inner_text("article.bd-article")
    page.close()
    for title in ("Simulate a brain that makes spikes", "Scorecard", "Glossary"):
        assert title in text
    content = (tmp_path / "book.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", content)) > len(shown)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(chromium, site, theme):
    module = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="the Python package axe-playwright-python is missing",
    )
    axe, wrong = module.Axe(), []
    page = chromium.new_page(color_scheme=theme)
    for name in _pages():
        page.goto(f"{site}/{name.as_posix()}", wait_until="load")
        for found in axe.run(page).response["violations"]:
            if found["impact"] in ("serious", "critical"):
                where = found["nodes"][0]["target"]
                wrong.append(f"{name}: {found['id']} at {where}")
    page.close()
    assert wrong == []
