import matplotlib as mpl
import mne
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

mpl.use("agg")

import deepsif_lite as dl
from deepsif_lite import figures
from deepsif_lite.figures import raster, views
from deepsif_lite.figures.head import _crossings
from deepsif_lite.solvers import METHODS


@pytest.fixture(scope="module")
def cortex():
    return dl.load_cortex()


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def test_raster_agrees_with_ray_casting(cortex):
    """The vertex a pixel shows is the nearest one that a ray from the viewer meets."""
    view = raster.rasterize(cortex, "pial", "lh-lateral")
    points = cortex.vertices[: cortex.n_left]
    faces = cortex.faces[cortex.faces[:, 0] < cortex.n_left]
    rng = np.random.default_rng(0)
    rows, columns = np.nonzero(view.vertex >= 0)
    for k in rng.choice(len(rows), 40, replace=False):
        row, column = rows[k], columns[k]
        # The camera looks along +x: image right is -y, image up is z.
        y = -(view.extent[0] / 1e3 + column * raster.PIXEL)
        z = view.extent[2] / 1e3 + row * raster.PIXEL
        corners = points[faces][:, :, 1:] - (y, z)
        nxt = np.roll(corners, -1, axis=1)
        cross = corners[..., 0] * nxt[..., 1] - corners[..., 1] * nxt[..., 0]
        met = np.flatnonzero((cross > 0).all(axis=1) | (cross < 0).all(axis=1))
        weights = np.roll(cross[met], -1, axis=1) / cross[met].sum(
            axis=1, keepdims=True
        )
        x = (weights * points[faces[met]][:, :, 0]).sum(axis=1)
        assert view.vertex[row, column] in faces[met[x.argmin()]]


def test_left_and_right_are_not_swapped(cortex):
    left = raster.rasterize(cortex, "inflated", "lh-medial").vertex
    right = raster.rasterize(cortex, "inflated", "rh-lateral").vertex
    assert left.max() < cortex.n_left <= right[right >= 0].min()
    dorsal = raster.rasterize(cortex, "inflated", "dorsal").vertex
    column = dorsal.shape[1] // 4  # seen from above, left is on the left
    seen = dorsal[:, column][dorsal[:, column] >= 0]
    assert (seen < cortex.n_left).all()


def test_plot_cortex_colors_the_region(cortex):
    region = int(np.flatnonzero(cortex.hemisphere == "lh")[0])
    values = np.zeros(cortex.n_regions)
    values[region] = 1.0
    fig, axes = figures.plot_cortex(values, cortex, outlines={"seed": [region]})
    assert len(axes) == 4
    colored = 0
    for ax, view in zip(axes, figures.HEMISPHERES, strict=True):
        image = ax.images[0].get_array()
        vertex = raster.rasterize(cortex, "inflated", view).vertex
        shown = (vertex >= 0) & (cortex.region_of_vertex[vertex] == region)
        is_red = (image[..., 0] - image[..., 2] > 0.2) & (image[..., 3] > 0)
        np.testing.assert_array_equal(is_red, shown)
        colored += shown.sum()
    assert colored > 20
    assert fig.legends[0].get_texts()[0].get_text() == "seed"


def test_plot_cortex_refuses_wrong_length(cortex):
    with pytest.raises(ValueError, match=r"12 entries; the cortex has 994"):
        figures.plot_cortex(np.zeros(12), cortex)
    with pytest.raises(ValueError, match="view='top'"):
        figures.plot_cortex(np.zeros(994), cortex, views=["top"])


def test_scale_is_centered_for_signed_values():
    _, norm = views.color_scale(np.array([-2.0, 1.0, np.nan]), None, None, None)
    assert (norm.vmin, norm.vmax) == (-2, 2)
    _, norm = views.color_scale(np.array([0.5, 3.0]), None, None, None)
    assert (norm.vmin, norm.vmax) == (0, 3)


def test_plot_methods_keeps_method_colors(cortex):
    maps = {"deepsif": np.ones(994), "lcmv": np.arange(994.0)}
    _, axes = figures.plot_methods(maps, cortex)
    assert axes.shape == (2, 4)
    names = ["lh lateral", "lh medial", "rh medial", "rh lateral"]
    assert [ax.get_title() for ax in axes[0]] == names
    label = axes[1, 0].texts[0]
    assert (label.get_text(), label.get_color()) == ("LCMV", "#009E73")


def test_a_row_may_have_its_own_outline_alone(cortex):
    maps = dict.fromkeys(["a", "b"], np.ones(994))
    regions = np.flatnonzero(np.asarray(cortex.hemisphere) == "lh")[:60]
    outlines = {"a": regions, "b": []}

    def drawn(**options):
        _, axes = figures.plot_methods(maps, cortex, outlines=outlines, **options)
        return [any(ax.collections for ax in row) for row in axes]

    assert drawn() == [True, True]
    assert drawn(own_outlines=True) == [True, False]


def test_each_map_has_its_own_scale(cortex):
    maps = {"a": (np.arange(994.0), "mm"), "b": (np.linspace(-2, 1, 994), "")}
    fig, axes = figures.plot_maps(maps, cortex, views=["lh-lateral"], limits={})
    assert axes.shape == (2, 1)
    bars = [ax for ax in fig.axes if ax not in axes.ravel()]
    assert [bar.get_ylabel() for bar in bars] == ["mm", ""]
    assert bars[0].get_ylim() == pytest.approx((0, 993))
    assert bars[1].get_ylim() == pytest.approx((-2, 2))
    fig, axes = figures.plot_maps(
        maps, cortex, views=["lh-lateral"], limits={"a": (0, 10)}
    )
    bars = [ax for ax in fig.axes if ax not in axes.ravel()]
    assert bars[0].get_ylim() == pytest.approx((0, 10))


def test_method_colors_stay_apart_for_the_color_blind():
    """Machado et al. 2009, severity 1."""
    from matplotlib.colors import to_rgb

    matrices = {
        "deutan": [
            [0.367, 0.861, -0.228],
            [0.280, 0.673, 0.047],
            [-0.012, 0.043, 0.969],
        ],
        "protan": [
            [0.152, 1.053, -0.205],
            [0.115, 0.786, 0.099],
            [-0.004, -0.048, 1.052],
        ],
        "tritan": [
            [1.256, -0.077, -0.179],
            [-0.078, 0.931, 0.148],
            [0.005, 0.691, 0.304],
        ],
        "none": np.eye(3),
    }
    colors = np.array([to_rgb(figures.METHOD_COLORS[m]) for m in figures.METHOD_NAMES])
    linear = np.where(
        colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4
    )
    for matrix in matrices.values():
        seen = np.clip(linear @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
        gaps = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
        assert gaps[np.triu_indices(len(seen), 1)].min() > 0.11
    # As letters and lines on the white of the figures: WCAG 2.2, section 1.4.11.
    contrast = 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)
    assert contrast.min() >= 3


def test_butterfly_asks_for_times_first():
    with pytest.raises(ValueError, match="transpose"):
        figures.plot_butterfly(np.zeros((5, 100)), np.arange(100))
    fig, ax = figures.plot_butterfly(np.zeros((100, 5)), np.arange(100) / 500, mark=0.1)
    assert len(ax.lines) == 6
    assert ax.get_xlim() == pytest.approx((0, 198))
    assert ax.figure is fig


def test_strata_bins_by_edges():
    table = pd.DataFrame(
        {"method": "lcmv", "depth": [1, 2, 11, 12], "le": [0, 2, 4, 8]}
    )
    _, ax = figures.plot_strata(table, "le", "depth", bins=[0, 10, 20])
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[5, 1], [15, 6]])


def test_an_axis_of_one_decade_has_more_than_one_number():
    table = pd.DataFrame({"method": "lcmv", "snr": [5, 10, 15], "le": [1.4, 8.0, 22.0]})
    fig, ax = figures.plot_strata(table, "le", "snr", log=True)
    fig.canvas.draw()
    low, high = ax.get_ylim()
    shown = [
        t.get_text() for t in ax.get_yticklabels() if low <= t.get_position()[1] <= high
    ]
    assert shown == ["3", "10"]


def test_area_reports_pearson():
    x = np.array([1.0, 2, 3, np.nan, 5])
    y = np.array([2.0, 2, 4, 1, 7])
    _, ax = figures.plot_area(x, y)
    r = np.corrcoef(x[[0, 1, 2, 4]], y[[0, 1, 2, 4]])[0, 1]
    assert f"r = {r:.2f}, n = 4" in ax.get_title(loc="left")


def test_loss_needs_a_loss_column():
    with pytest.raises(ValueError, match="no loss column"):
        figures.plot_loss(pd.DataFrame({"samples": [1]}))
    history = pd.DataFrame({"samples": [64, 128], "validation_loss": [0.2, 0.1]})
    _, ax = figures.plot_loss(history)
    assert ax.get_yscale() == "log"


def test_style_is_left_alone(cortex):
    before = dict(mpl.rcParams)
    figures.plot_cortex(np.ones(994), cortex, views=["lh-lateral"])
    assert dict(mpl.rcParams) == before


def test_the_style_is_one_of_matplotlib():
    with mpl.rc_context():
        mpl.rcParams.update(figures.STYLE)
        colors = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert colors[: len(METHODS)] == [m.color for m in METHODS.values()]
    assert len(set(colors)) == len(colors)


def test_every_method_has_a_name_and_a_color():
    for name, method in METHODS.items():
        assert figures.method_name(name) == method.label
        assert figures.method_color(name) == method.color
    assert (
        set(figures.METHOD_NAMES)
        == {"truth", "known head", *METHODS}
        == set(figures.METHOD_COLORS)
    )


def test_cortex_figures_fit_the_column(cortex):
    values = np.arange(994.0)
    both = figures.HEMISPHERES
    for shown in ((*both, "ventral"), both, ["dorsal"]):
        for fig, _ in (
            figures.plot_cortex(values, cortex, views=shown, title="T"),
            figures.plot_methods({"lcmv": values}, cortex, views=shown),
            figures.plot_maps({"depth": (values, "mm")}, cortex, views=shown),
        ):
            assert fig.get_size_inches()[0] <= figures.WIDTH + 1e-9


def test_evoked_is_drawn_with_its_strongest_scalp_map():
    import mne

    info = mne.create_info(["C3", "C4", "Pz", "Oz", "Fz"], 500.0, "eeg")
    data = np.outer([3e-6, -2e-6, 1e-6, 0, -1e-6], np.hanning(101))
    evoked = mne.EvokedArray(data, info, tmin=-0.1, verbose=False)
    evoked.set_montage("biosemi64", verbose=False)
    _, axes = figures.plot_evoked(evoked, title="one")
    *traces, mark = axes[0].lines
    np.testing.assert_allclose(traces[0].get_ydata(), 1e6 * data[0])
    assert mark.get_xdata() == pytest.approx([0, 0], abs=1e-9)  # ms
    assert axes[0].get_ylabel() == "EEG (µV)"
    _, axes = figures.plot_evoked(evoked, 0.05, scale=1, unit="arbitrary")
    assert axes[0].lines[-1].get_xdata() == pytest.approx([50, 50])
    assert axes[0].get_ylabel() == "EEG (arbitrary)"


def test_a_cut_through_a_sphere_is_a_circle():
    from deepsif_lite.mesh import geodesic_sphere

    points, faces = geodesic_sphere(8)
    segments = _crossings(points, faces, axis=0, at=0.6)
    assert segments.shape[1:] == (2, 3)
    np.testing.assert_allclose(segments[:, :, 0], 0.6, atol=1e-12)
    radius = np.linalg.norm(segments[:, :, 1:], axis=2)
    np.testing.assert_allclose(radius, 0.8, rtol=0.02)
    ends = segments[:, :, 1:].round(6).reshape(-1, 2)
    _, visits = np.unique(ends, axis=0, return_counts=True)
    assert (visits == 2).all()  # a closed line


def test_plot_head_draws_every_shell(cortex):
    from deepsif_lite.head import load_head_model, load_shells

    head = load_head_model("template-75")
    _, axes = figures.plot_head(load_shells(), head.cortex, head.sensors)
    assert len(axes) == 3
    labels = axes[-1].get_legend_handles_labels()[1]
    assert {"scalp", "outer skull", "inner skull", "cortex"} <= set(labels)


def test_learning_curves_show_the_rows_that_were_scored():
    """Samples above, minutes below, one line a network, dashed what is to be reached."""
    log = pd.DataFrame(
        {
            "samples": [1000, 2000, 4000],
            "seconds": [60, 120, 240],
            "recall": [0.5, np.nan, 0.75],
        }
    )
    _, axes = figures.plot_learning({"net": log}, {"recall": "recall"}, {"recall": 0.8})
    above, below = (ax.lines for ax in axes[:, 0])
    assert above[0].get_xydata().tolist() == [[1, 0.5], [4, 0.75]]
    assert below[0].get_xdata().tolist() == [1, 4]
    assert above[1].get_ydata() == [0.8, 0.8]


@pytest.fixture
def recordings():
    rng = np.random.default_rng(0)
    rows = [
        {"method": m, "n_sources": c, "sample": k, "recall": rng.random(), "le": 9 * c}
        for m in ("deepsif", "sloreta")
        for c in (1, 2)
        for k in range(12)
    ]
    return pd.DataFrame(rows)


METRICS = {"recall": "recall", "le": "error (mm)"}


def test_distributions_show_medians_means_and_the_paper(recordings):
    paper = pd.DataFrame({"recall": [0.2, 0.3]}, index=[1, 2])
    _, axes = figures.plot_distributions(recordings, METRICS, paper=paper)
    ax = axes.flat[0]
    rows = recordings.groupby(["n_sources", "method"])["recall"]
    points = np.array([line.get_ydata()[0] for line in ax.lines[:4]])
    np.testing.assert_allclose(np.sort(points), np.sort(rows.median()))
    np.testing.assert_allclose(ax.lines[4].get_ydata(), [0.2, 0.3])
    means = [c.get_segments()[0][0][1] for c in ax.collections if _is_level(c)]
    np.testing.assert_allclose(np.sort(means), np.sort(rows.mean()))
    assert axes.flat[1].get_yscale() == "log"


def _is_level(collection):
    segments = getattr(collection, "get_segments", list)()
    return len(segments) == 1 and segments[0][0][1] == segments[0][1][1]


def test_boxes_carry_the_stars_of_their_tests(recordings):
    table = dl.evaluation.compare_methods(recordings, "deepsif", ["le", "recall"])
    table["p_holm"] = [0.001, 0.02]
    _, axes = figures.plot_boxes(recordings, METRICS, p_values=table)
    assert [[t.get_text() for t in ax.texts] for ax in axes.flat] == [["*"], ["**"]]
    names = [t.get_text() for t in axes.flat[0].get_yticklabels()]
    assert names == ["DeepSIF", "sLORETA"]


def test_levels_stand_in_the_order_of_the_table():
    table = pd.DataFrame(
        {
            "level": ["b", "a"] * 2,
            "method": ["deepsif"] * 2 + ["sloreta"] * 2,
            "le": [1.0, 2, 3, 4],
            "le_se": 0.1,
        }
    )
    _, axes = figures.plot_levels(table, {"le": "error (mm)"}, names={"a": "A"})
    assert [t.get_text() for t in axes[0].get_yticklabels()] == ["b", "A"]
    drawn = [c.lines[0].get_xdata().tolist() for c in axes[0].containers]
    assert drawn == [[1, 2], [3, 4]]


def test_the_drawn_definitions_are_the_librarys():
    """The cells of the drawing, scored by the metrics, give the titles."""
    from deepsif_lite.figures import drawings

    cells = list(dict.fromkeys(drawings._TRUE + drawings._FOUND))
    true, found = (
        np.array([cells.index(c) for c in part])
        for part in (drawings._TRUE, drawings._FOUND)
    )
    precision, recall = dl.metrics.precision_recall(found, true)
    _, axes = figures.plot_definitions()
    titles = [ax.get_title(loc="left") for ax in axes]
    for title, value in zip(titles, (precision, recall), strict=False):
        hits, of = title.split("=")[1].split("/")
        assert int(hits) / int(of) == value


def test_frames_and_movie_show_the_times_asked_for(cortex):
    import re
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image

    times = np.arange(20) / 100
    activity = np.outer(np.sin(times), np.ones(cortex.n_regions))
    images = {"truth": activity, "deepsif": activity}
    _, axes = figures.plot_frames(images, cortex, times, [0.05, 0.1, 9.0])
    titles = [ax.get_title() for ax in axes[0]]
    assert titles == ["50 ms", "100 ms", "190 ms"]  # the last one is the last sample
    movie = figures.make_movie(images, cortex, times, [0.05, 0.1, 0.15], dpi=30)
    assert Image.open(BytesIO(movie)).n_frames == 3
    html = figures.movie_html(movie, 'activity "spreads"')
    assert html.index("prefers-reduced-motion") < html.index("<img")
    still, loop = re.findall(r"base64,([^\"]+)", html)
    assert Image.open(BytesIO(b64decode(still))).n_frames == 1
    assert b64decode(loop) == movie
    assert "&quot;spreads&quot;" in html


def test_growth_and_courses(cortex):
    patch = dl.grow_patch(cortex, 100, rng=0)
    steps = {}
    for name, regions in (("seed", patch[:1]), ("whole", patch)):
        steps[name] = np.isin(np.arange(cortex.n_regions), regions).astype(float)
    view = f"{cortex.hemisphere[100]}-lateral"
    _, axes = figures.plot_growth(steps, cortex, view=view)
    assert [ax.get_title(loc="left") for ax in axes] == ["seed", "whole"]
    assert axes[0].get_xlim() == axes[1].get_xlim()
    times = np.arange(50) / 100
    courses = {"source 1": {"truth": -2 * times, "deepsif": times}}
    _, axes = figures.plot_courses(courses, times)
    assert [line.get_ydata()[-1] for line in axes[0].lines] == [-1, 1]


def test_patients_scores_have_a_dot_each_and_the_papers_mean():
    table = pd.DataFrame(
        {
            "method": ["deepsif"] * 3 + ["sloreta"] * 3,
            "precision": [0.9, 0.8, 0.7, 0.3, 0.2, 0.4],
        }
    )
    paper = pd.DataFrame({"precision": [0.79, 0.31]}, index=["deepsif", "sloreta"])
    stars = pd.Series({("precision", "sloreta"): "**"})
    _, axes = figures.plot_patient_scores(
        table, {"precision": "precision"}, paper=paper, stars=stars
    )
    ax = axes[0, 0]
    drawn = [c for c in ax.collections if isinstance(c, PathCollection)]
    heights = [sorted(dots.get_offsets()[:, 1]) for dots in drawn]
    assert heights == [[0.7, 0.8, 0.9], [0.79], [0.2, 0.3, 0.4], [0.31]]
    assert "**" in [text.get_text() for text in ax.texts]


def test_group_shows_mean_and_standard_error():
    courses = {"two": np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])}
    _, ax = figures.plot_group(courses, np.arange(3) / 10)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 2)
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(3)  # sd sqrt(2), over sqrt(2) people
    assert ax.get_legend().get_texts()[0].get_text() == "two (n = 2)"


def test_an_electrode_is_shown_in_its_unit_with_a_map_at_each_mark():
    head = dl.load_head_model("template-64")
    data = 1e-6 * np.arange(64.0)[:, None] * np.linspace(0, 1, 51)
    evoked = mne.EvokedArray(data, head.info, tmin=-0.02)
    marks = {"P1": 0.03, "N1": 0.08}
    _, (trace, *maps) = figures.plot_electrode(evoked, "Oz", marks)
    own = 1e6 * data[head.ch_names.index("Oz")]
    np.testing.assert_allclose(trace.lines[0].get_xydata()[:, 1], own)
    assert trace.lines[0].get_xdata()[0] == pytest.approx(-20)  # ms
    assert [line.get_xdata()[0] for line in trace.lines[2:]] == pytest.approx([30, 80])
    titles = [ax.get_title(loc="center") for ax in maps]
    assert titles == ["P1, 30 ms", "N1, 80 ms"]


def test_shares_are_means_over_people_beside_chance():
    table = pd.DataFrame(
        {
            "study": "VEP",
            "method": ["deepsif", "deepsif", "sloreta", "sloreta"],
            "area": "BA 17",
            "value": [2.0, 4.0, 1.0, 1.0],
        }
    )
    _, (ax,) = figures.plot_shares(table)
    points, bars = zip(*((dots, bar) for dots, _, (bar,) in ax.containers), strict=True)
    means = [dots.get_xydata()[0, 1] for dots in points]
    np.testing.assert_allclose(means, [3, 1])
    (ends,) = bars[0].get_segments()
    np.testing.assert_allclose(ends[:, 1], [2, 4])  # sd sqrt(2), over sqrt(2) people
    assert [1, 1] in [list(line.get_ydata()) for line in ax.lines]


def test_reliability_stands_beside_a_forecast_that_is_right():
    table = pd.DataFrame({"predicted": [0.2, 0.8], "observed": [0.1, 0.9]})
    _, ax = figures.plot_reliability({"2": table})
    right, own = (line.get_xydata() for line in ax.lines)
    np.testing.assert_array_equal(right, [[0, 0], [1, 1]])
    np.testing.assert_array_equal(own, table.to_numpy())


def test_people_have_a_map_each_in_rows(cortex):
    maps = {f"person {k}": (np.eye(994)[k], {}) for k in range(3)}
    _, axes = figures.plot_people(maps, cortex, most=2)
    assert axes.shape == (2, 2)
    named = [ax.get_title(loc="center") for ax in axes.flat]
    assert named == ["person 0", "person 1", "person 2", ""]
    assert [len(ax.images) for ax in axes.flat] == [1, 1, 1, 0]


def test_the_study_leads_from_spikes_to_both_tests():
    _, ax = figures.plot_study()
    words = [text.get_text() for text in ax.texts if text.get_text()]
    assert words[0].startswith("spikes")
    assert [word.split(":")[0] for word in words[-2:]] == ["resection", "onset zone"]
    assert len(_heads_of_arrows(ax)) == len(words) - 1


def test_counts_share_an_axis_of_trials():
    table = pd.DataFrame({"count": [1, 1, 4], "error": [4.0, 8.0, 2.0]})
    _, axes = figures.plot_counts({"a": table}, {"error": "error (mm)"})
    np.testing.assert_allclose(axes[0].lines[0].get_xydata(), [[1, 6], [4, 2]])


def test_clusters_turn_courses_to_the_contact():
    times = np.linspace(-0.1, 0.1, 50)
    wave = np.exp(-((times / 0.02) ** 2))
    _, axes = figures.plot_spike_clusters(
        np.stack([wave, 0.1 * wave]), times, [5, 3], chosen=0, scalp=-wave, image=-wave
    )
    assert len(axes[1].lines) == 3
    for line in axes[1].lines:
        np.testing.assert_allclose(line.get_ydata(), wave / wave.max())


def _heads_of_arrows(ax):
    """Where each arrow starts and ends, in data coordinates."""
    return [(note.xyann, note.xy) for note in ax.texts if not note.get_text()]


def test_arrows_lead_from_box_to_box():
    blocks = {
        "in": figures.Block(0.5, 0, 0.2, "EEG"),
        "below": figures.Block(0.55, 1, 0.3, "maps", "layer"),
        "far": figures.Block(0.1, 1, 0.1, "courses"),
    }
    arrows = [("in", "below"), ("in", "far"), ("below", "far")]
    _, ax = figures.plot_blocks(blocks, arrows)
    straight, slanted, sideways = _heads_of_arrows(ax)
    assert straight[0][0] == pytest.approx(straight[1][0])  # between 0.4 and 0.6
    assert slanted[0][0] == pytest.approx(0.5)
    assert slanted[1][0] == pytest.approx(0.1)
    assert [end[0] for end in sideways] == pytest.approx([0.4, 0.15])
    assert -1 < straight[1][1] < straight[0][1] < 0  # edges, not centers
    with pytest.raises(dl.errors.OptionError, match="arrow='out' is unknown"):
        figures.plot_blocks(blocks, [("in", "out")])


def test_layers_are_as_tall_as_they_have_units():
    layers = [("EEG", 75), ("W", 500), ("LSTM", 994)]
    _, ax = figures.plot_layers(layers, [(0, 2, "x")], {"all": (0, 2)})
    heights = np.array([bar.get_height() for bar in ax.patches[:3]])
    np.testing.assert_allclose(heights / heights[2], [75 / 994, 500 / 994, 1])
    shown = [text.get_text() for text in ax.texts]
    assert {"EEG\n75", "W\n500", "LSTM\n994", "x", "all"} <= set(shown)
    with pytest.raises(dl.errors.OptionError, match="must lead forward"):
        figures.plot_layers(layers, [(2, 1, "back")])


def test_cancellation_draws_the_numbers_of_the_table():
    options = ["reg=1", "reg=5", "reg=1, n_steps=1", "reg=1, n_steps=2"]
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [(o, snr, *rng.random(5)) for o in options for snr in (20.0, 5.0)],
        columns=["options", "snr_db", "passed", "recall", "recall_se", "AP", "AP_se"],
    )
    _, axes = figures.plot_cancellation(table)
    for ax, column in zip(axes, ("passed", "recall", "AP"), strict=True):
        assert len(ax.lines) == len(options)
        for line, name in zip(ax.lines, options, strict=True):
            rows = table[table["options"] == name].iloc[::-1]  # noise falls
            np.testing.assert_array_equal(line.get_xdata(), [5, 20])
            np.testing.assert_array_equal(line.get_ydata(), rows[column])
    narrow, _, patch, wide = axes[0].lines
    assert narrow.get_color() == pytest.approx(patch.get_color())
    styles = [line.get_linestyle() for line in (narrow, patch, wide)]
    assert styles == ["-", "--", ":"]
