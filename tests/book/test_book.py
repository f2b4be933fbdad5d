"""The book as it is stored: pairs, outputs, alternative texts, settings."""

import json
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

import address
import build_site
import execute
import jupytext
import nbformat
import nbval_copies
import pytest
import records
import setup_cell
import yaml
from packaging.requirements import Requirement

import deepsif_lite as dl
from deepsif_lite.results import load_scorecard
from deepsif_lite.runs import only_run_in

ROOT = Path(__file__).resolve().parents[2]

SOURCES = sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.py"))
CHAPTERS = [path.with_suffix(".ipynb") for path in SOURCES]
PAGES = sorted((ROOT / "book").glob("*.md"))

each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda p: p.stem)


def _cells(notebook):
    for cell in notebook.cells:
        tags = sorted(cell.metadata.get("tags", []))
        # Addresses are those of the remote for which a notebook was written.
        source = address.relative_links(cell.source.strip())
        if setup_cell.TAG in tags:
            source = setup_cell.without_address(source)
        yield cell.cell_type, source, tags


@each_source
def test_pair(source):
    """The stored notebook is its source, executed: same cells, tags and captions."""
    stored = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    fresh = execute.read_source(source)
    assert list(_cells(stored)) == list(_cells(fresh))
    figures = [cell.metadata.get("mystnb") for cell in stored.cells]
    assert figures == [cell.metadata.get("mystnb") for cell in fresh.cells]
    captions = [cell.metadata.get("table") for cell in stored.cells]
    assert captions == [cell.metadata.get("table") for cell in fresh.cells]
    jupytext.reads(source.read_text(), fmt="py:percent")


@each_source
def test_code_fits_on_the_page(source):
    """A cell is 88 characters wide on the site; longer lines scroll out of sight."""
    cells = execute.read_source(source).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert [line for line in code.splitlines() if len(line) > 88] == []


@each_chapter
def test_stored_outputs(chapter):
    """Executed once from top to bottom, no errors, no local paths, not too large."""
    notebook = nbformat.read(chapter, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert execute.problems(notebook, chapter.stat().st_size) == []
    assert notebook.metadata.kernelspec.name == "python3"
    assert any("parameters" in cell.metadata.get("tags", []) for cell in code)


@each_chapter
def test_figures_have_caption_and_alt_text(chapter):
    notebook = nbformat.read(chapter, as_version=4)
    shown = 0
    for cell in notebook.cells:
        images = [
            output
            for output in cell.get("outputs", [])
            if any(kind.startswith("image/") for kind in output.get("data", {}))
        ]
        tags = cell.metadata.get("tags", [])
        if not images or {"remove-output", "remove-cell"} & set(tags):
            continue
        shown += 1
        meta = cell.metadata.get("mystnb", {})
        assert len(meta.get("image", {}).get("alt", "")) > 15, cell.source
        assert len(meta.get("figure", {}).get("caption", "")) > 15, cell.source
    assert shown > 0


@each_chapter
def test_tables_have_captions(chapter):
    for cell in nbformat.read(chapter, as_version=4).cells:
        kinds = [output.get("data", {}) for output in cell.get("outputs", [])]
        if any("<table" in data.get("text/html", "") for data in kinds):
            caption = cell.metadata.get("table", {}).get("caption", "")
            assert len(caption) > 15, cell.source


def test_figure_names_are_unique():
    names = [
        cell.metadata["mystnb"]["figure"]["name"]
        for chapter in CHAPTERS
        for cell in nbformat.read(chapter, as_version=4).cells
        if "name" in cell.metadata.get("mystnb", {}).get("figure", {})
    ]
    assert len(names) == len(set(names))


def test_problems_are_seen(tmp_path):
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    error = new_output("error", ename="ValueError", evalue="no", traceback=[])
    path = new_output("stream", name="stdout", text=f"saved {ROOT}/x")
    place = Path(tempfile.gettempdir()) / "ipykernel_7" / "8.py"
    warning = new_output("stream", name="stderr", text=f"{place}:1: RuntimeWarning: no")
    outputs = [error, path, warning]
    notebook = new_notebook(cells=[new_code_cell("1", outputs=outputs)])
    found = execute.problems(notebook, 4_000_000)
    assert len(found) == 4
    assert "4.0 MB" in found[0]
    assert "ValueError" in found[1]
    assert "shows" in found[2]
    assert "ipykernel_" in found[3]


def test_profile_is_read_from_the_parameters(tmp_path):
    from nbformat.v4 import new_code_cell, new_notebook

    cell = new_code_cell('profile = "smoke"\nseed = 3')
    notebook = new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python"}
    path = tmp_path / "n.ipynb"
    nbformat.write(notebook, path)
    with pytest.raises(SystemExit, match="no cell tagged"):
        execute.default_profile(path)
    cell.metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    assert execute.default_profile(path) == "smoke"


def test_results_lie_beside_the_notebooks(tmp_path):
    written = tmp_path / "written"
    written.mkdir()
    scores = {"chapter": "04_x", "data": "synthetic", "scores": {}}
    scores["scores"]["sim/le/1"] = {"value": 1.12, "sd": 0.1, "se": 0.01}
    (written / "scores-04_x.json").write_text(json.dumps(scores))
    facts = {"seconds": 9.6, "commit": "abc", "device": "cpu", "numpy": "1"}
    execute.store_results("04_x", facts, written, tmp_path)
    execute.store_results("05_y", facts | {"numpy": "2"}, written, tmp_path)
    card = load_scorecard("smoke", tmp_path / "results")
    assert card.loc["sim/le/1", ["ours", "verdict"]].tolist() == [1.12, "equal"]
    runs = records.runs_table(records.read(tmp_path / "results"))
    assert "| 04_x | 10 | `abc` | cpu |" in " ".join(runs.split())
    assert "Chapters 04 ran with: numpy 1." in runs
    assert "Chapters 05 ran with: numpy 2." in runs
    # A chapter that writes no scores any more has none that are old.
    (written / "scores-04_x.json").unlink()
    execute.store_results("04_x", facts, written, tmp_path)
    assert load_scorecard("smoke", tmp_path / "results")["ours"].isna().all()


def test_stored_notebooks_have_their_scorecard():
    """A clone builds the site with the numbers of the notebooks that it shows."""
    folder = ROOT / "notebooks" / "results"
    record = json.loads((folder / "chapters.json").read_text())
    assert sorted(record) == [source.stem for source in SOURCES]
    scoring = [path.stem for path in SOURCES if "write_scores(" in path.read_text()]
    found = sorted(path.stem for path in folder.glob("scores-*.json"))
    assert found == [f"scores-{name}" for name in scoring]
    card = load_scorecard("lite", folder)
    assert set(card["chapter"].dropna()) == set(scoring)


def test_every_sanitize_rule_counts():
    """nbval drops a rule silently when its form is slightly off."""
    from nbval.plugin import get_sanitize_patterns

    text = (ROOT / "book" / "nbval_sanitize.cfg").read_text()
    rules = get_sanitize_patterns(text)
    assert len(rules) == len(re.findall(r"^regex:", text, flags=re.M))
    for pattern, replacement in rules:
        assert replacement
        re.compile(pattern)


def test_data_cells_are_not_compared_without_data(tmp_path):
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell("a = 1"), new_code_cell("b")]
    cells[1].metadata["tags"] = ["published-data"]
    nbformat.write(new_notebook(cells=cells), tmp_path / "in.ipynb")
    for published, count in ((True, 0), (False, 1)):
        target = tmp_path / "out.ipynb"
        left_out = nbval_copies.prepare(
            tmp_path / "in.ipynb", target, published=published
        )
        tags = [c.metadata.get("tags", []) for c in nbformat.read(target, 4).cells]
        assert left_out == count
        assert ("nbval-ignore-output" in tags[1]) is not published
        assert tags[0] == []


def test_small_cells_run_at_the_size_of_smoke(tmp_path):
    from nbformat.v4 import new_code_cell, new_notebook

    ask = "{} = settings.n_test_samples"
    cells = [new_code_cell(ask.format(name)) for name in ("before", "inside", "after")]
    cells[1].metadata["tags"] = ["small-in-tests", "nbval-ignore-output"]
    nbformat.write(new_notebook(cells=cells), tmp_path / "in.ipynb")
    nbval_copies.prepare(tmp_path / "in.ipynb", tmp_path / "out.ipynb", published=True)
    names = {"dl": dl, "profile": "lite", "settings": dl.get_profile("lite")}
    for cell in nbformat.read(tmp_path / "out.ipynb", 4).cells:
        exec(cell.source, names)
    small, lite = (dl.get_profile(p).n_test_samples for p in ("smoke", "lite"))
    assert [names[n] for n in ("before", "inside", "after")] == [lite, small, lite]


@each_source
def test_exercises_have_solutions_whose_code_fits(source):
    notebook = execute.read_source(source)
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    asked = re.findall(r"^:::\{exercise\}\n:label: (\S+)$", text, re.MULTILINE)
    assert asked
    assert re.findall(r"^:::\{solution\} (\S+)$", text, re.MULTILINE) == asked
    for code in nbval_copies.solutions(notebook):
        compile(code, source.name, "exec")
        assert max(map(len, code.splitlines())) <= 88


def test_code_of_solutions_runs_behind_the_chapter(tmp_path):
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    told = (
        ":::{solution} one\n:class: dropdown\n\nSo:\n\n```python\nc = a + 1\n```\n:::"
    )
    other = "```python\nraise SystemExit\n```"  # of the text, not of a solution
    cells = [new_code_cell("a = 1"), new_markdown_cell(told), new_markdown_cell(other)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "in.ipynb")
    nbval_copies.prepare(tmp_path / "in.ipynb", tmp_path / "out.ipynb", published=True)
    last = nbformat.read(tmp_path / "out.ipynb", 4).cells[-1]
    assert "nbval-ignore-output" in last.metadata["tags"]  # it has none to compare
    names = {"dl": dl, "profile": "lite", "a": 1}
    exec(last.source, names)
    assert names["c"] == 2


def test_toc_lists_what_is_there():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    chapters = [name for name in files if name.startswith("notebooks/")]
    assert sorted(chapters) == [f"notebooks/{path.name}" for path in CHAPTERS]
    pages = {f"{name}.md" for name in (*files, toc["root"]) if "ipynb" not in name}
    assert pages == {f"book/{path.name}" for path in PAGES}


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("git@github.com:someone/project.git", "https://github.com/someone/project"),
        ("https://github.com/someone/project", "https://github.com/someone/project"),
        ("https://user@example.org/a/b.git", "https://example.org/a/b"),
        ("ssh://git@example.org:22/a/b.git", "https://example.org/a/b"),
        ("/home/someone/project", None),
        ("../project", None),
        ("file:///srv/project.git", None),
        ("", None),
    ],
)
def test_addresses_come_from_the_remote(remote, expected):
    assert address.web_address(remote) == expected


def test_links_lead_to_the_published_site_and_back():
    text = "[a](../book/glossary.md#term), [b](03_training.ipynb), [c](https://x.org/)"
    site = address.site_url("https://github.com/Some/name")
    there = address.absolute_links(text, site)
    assert "(https://some.github.io/name/book/glossary.html#term)" in there
    assert "(https://some.github.io/name/notebooks/03_training.html)" in there
    assert address.relative_links(there) == text
    assert address.site_url("https://example.org/a/b") is None
    assert address.absolute_links(text, None) == text


def test_ways_to_try_it_need_an_address():
    assert address.try_it(None) == address.try_it("https://example.org/a/b") == ""
    shown = address.try_it("https://github.com/a/b")
    assert "colab.research.google.com/github/a/b/blob/main/notebooks/" in shown
    assert "mybinder.org/v2/gh/a/b/main" in shown


def _run_setup(package, monkeypatch, found, returncode=0):
    """Run the first cell as if the package were there or not; return calls of pip."""
    import torch  # noqa: F401  (asks for other packages when it is first imported)

    calls = []

    def pip(command, **options):
        calls.append(command)
        return subprocess.CompletedProcess(command, returncode, stderr="no such place")

    monkeypatch.setattr("importlib.util.find_spec", lambda name: found)
    monkeypatch.setattr("subprocess.run", pip)
    exec(setup_cell.source(package), {})
    return calls


def test_the_first_cell_installs_what_is_missing(monkeypatch, capsys, tmp_path):
    package = setup_cell.package_address("https://github.com/a/b")
    assert package == f"deepsif-lite @ git+https://github.com/a/b@v{dl.__version__}"
    monkeypatch.chdir(tmp_path)
    assert _run_setup(package, monkeypatch, found=True) == []
    (command,) = _run_setup(package, monkeypatch, found=None)
    assert command[2:6] == ["pip", "install", "-q", package]
    assert capsys.readouterr().out.startswith("device:")
    wheel = tmp_path / "deepsif_lite-0.1.0-py3-none-any.whl"
    wheel.touch()
    for known in (package, ""):
        (command,) = _run_setup(known, monkeypatch, found=None)
        assert command[5] == str(wheel)


def test_the_first_cell_replaces_nothing(monkeypatch, tmp_path):
    """Pip is told to keep each package needed that is here, at its version."""
    from importlib import metadata

    monkeypatch.chdir(tmp_path)
    (command,) = _run_setup("address", monkeypatch, found=None)
    needs = [Requirement(text) for text in metadata.requires("deepsif-lite")]
    names = {need.name for need in needs if not need.marker}
    assert {"torch", "numpy", "pandas", "scikit-learn"} <= names
    assert sorted(command[6:]) == sorted(f"{n}=={metadata.version(n)}" for n in names)


def test_the_first_cell_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="pip wheel . --no-deps"):
        _run_setup("", monkeypatch, found=None)
    with pytest.raises(RuntimeError, match=r"no such place\npip failed to install x"):
        _run_setup("x", monkeypatch, found=None, returncode=1)


@each_source
def test_the_first_cell_of_code_is_the_setup(source):
    notebook = execute.read_source(source)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert setup_cell.TAG in code[0].metadata["tags"]
    assert "remove-cell" in code[0].metadata["tags"]
    wants_gpu = notebook.metadata.get("accelerator") == "GPU"
    assert wants_gpu == (source.stem in setup_cell.ON_GPU)


def test_buttons_need_an_address():
    plain = build_site.configuration(None)
    assert "repository" not in plain
    assert "launch_buttons" not in plain
    assert not plain["html"]["use_repository_button"]
    elsewhere = build_site.configuration("https://example.org/a/b")
    assert elsewhere["html"]["use_repository_button"]
    assert "launch_buttons" not in elsewhere  # Colab opens GitHub only
    github = build_site.configuration("https://github.com/a/b")
    assert github["launch_buttons"]["colab_url"]


def test_citations_are_in_the_bibliography():
    keys = set(re.findall(r"@\w+\{(\w+),", (ROOT / "book/references.bib").read_text()))
    texts = [path.read_text() for path in (*PAGES, *SOURCES)]
    cited = {
        key.strip()
        for text in texts
        for group in re.findall(r"\{cite:[a-z]+\}`([^`]+)`", text)
        for key in group.split(",")
    }
    assert cited
    assert cited <= keys


def test_pins_cover_the_installed_packages():
    """Everything that is installed here is pinned, and at this version."""
    from importlib import metadata

    from packaging.utils import canonicalize_name

    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {}
    for line in lines:
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            pins[canonicalize_name(requirement.name)] = requirement.specifier
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    queue = [Requirement(text) for text in sum(extras, project["dependencies"])]
    needed: set[str] = set()
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        if name in needed:
            continue
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # an extra that was left out here
        needed.add(name)
        queue += [
            child
            for child in map(Requirement, found.requires or [])
            if child.marker is None or child.marker.evaluate({"extra": ""})
        ]
    assert needed - {"pip", "setuptools", "wheel"} <= set(pins)


def test_what_a_killed_run_left_is_removed_and_never_shown(tmp_path):
    draft = tmp_path / f"{execute.DRAFT}01_simulation.ipynb"
    kept = tmp_path / "01_simulation.ipynb"
    for path in (draft, kept):
        path.touch()
    assert list(tmp_path.glob("[0-9][0-9]*_*.ipynb")) == [kept]  # what the site copies
    execute.execute_all([], tmp_path, tmp_path, "smoke")
    assert list(tmp_path.iterdir()) == [kept]


def test_a_second_book_is_told_who_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPSIF_LITE_RESULTS", str(tmp_path))
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["execute.py", "--profile", "smoke"])
    held = tmp_path / "smoke"
    with only_run_in(held), pytest.raises(SystemExit, match=f"{held} is in use by"):
        execute.main()
    assert not (tmp_path / "_build").exists()
