# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Measure how well it sees, and where it fails
#
# A real EEG comes without the answer, so a method can only be measured on recordings whose sources we made ourselves.
# This chapter makes fresh ones, with one, two and three sources, from simulated clips that training never saw.
# It asks three questions of each image: is it in the right *place*, has it the right *extent*, does it follow the right *time course*?
# Then it changes one thing after the other, until the network fails.
# [An appendix](04b_limits.ipynb) reads the paper literally, asks what limits the scores, and looks at the strongest rivals.
#
# **Paper map.** PNAS Fig. 3 A–E and Results, "Model Training and Evaluation" {cite:p}`sun2022deepsif`; SI Figs. S2 (growth of a source), S4 to S6 and S11 (two sources), S7 to S10 (recordings unlike those of the training), S12 (other methods), S13 and the movies (activity over time), and SI Note 3 (physical units).
#
# **Library.** {py:func}`dl.evaluate <deepsif_lite.evaluate>`, {py:func}`dl.score <deepsif_lite.score>`, and the modules {py:mod}`evaluation <deepsif_lite.evaluation>`, {py:mod}`metrics <deepsif_lite.metrics>` and {py:mod}`solvers <deepsif_lite.solvers>`.
#
# **You will learn**
# - what precision, recall, localization error and linear correlation say, and what they hide;
# - how scores depend on noise, on depth, and on the size, distance and likeness of sources;
# - what happens when the recording is not like those of the training;
# - how much a definition can move a score: the same images, scored in several ways.
#
# **Run time.** About two minutes at profile `lite` on two cores. What takes hours was computed by `benchmarks/full_counts.py` and `benchmarks/conditions.py`, stored in `data/experiments`, and is read here; each table says how many recordings stand behind it.

# %% tags=["parameters"]
profile = "lite"
seed = 2022

# %%
import matplotlib.pyplot as plt
import mne
import numpy as np
import pandas as pd
from IPython.display import HTML

import deepsif_lite as dl
from deepsif_lite import evaluation
from deepsif_lite.evaluation import MAP_METRICS, METRICS
from deepsif_lite.head import load_head_variant

dl.figures.use_style()

# %%
settings = dl.get_profile(profile)
model = dl.load_model("lite-75")
known = dl.load_model("lite-75-known-head")  # see "The test sets"
networks = {"deepsif": model, "known head": known}
METHODS = (*networks, "sloreta", "lcmv")

# %%
head, cortex = model.head, model.head.cortex
clips = dl.load_spike_library("lite", split="test")
n_samples = settings.n_test_samples
print(f"{len(clips)} test clips, {n_samples} recordings in each test set")
print(f"the paper: {dl.results.paper_values().value['size/test_samples']:,.0f}")

# %% [markdown]
# ## One recording, looked at closely
#
# Before averages, two examples, with one source and with three: the first ones of their streams whose sources lie where a figure can show them.
# The network's only input is the EEG of {numref}`fig-evaluation-eeg`.


# %%
def is_easy_to_see(sample):
    """All sources on the outer side of the brain, 5 cm and more from each other."""
    seeds = [patch[0] for patch in sample.patches]
    apart = cortex.distances[np.ix_(seeds, seeds)] + np.eye(len(seeds))
    return np.abs(cortex.centroids[seeds, 0]).min() > 0.04 and apart.min() > 0.05


examples = {}
for count in (1, 3):
    stream = dl.SyntheticEEG(head, clips, n_sources=count, seed=seed)
    examples[count] = next(
        sample
        for sample in map(stream.__getitem__, range(500))
        if is_easy_to_see(sample)
    )

# %%
example = examples[3]
times = np.arange(len(example.eeg)) / clips.sfreq
loudest = int(np.abs(example.eeg).max(axis=1).argmax())
print(f"noise: {example.snr_db:.0f} dB")
for k, patch in enumerate(example.patches, 1):
    x, y, z = cortex.centroids[patch[0]] * 1e3
    print(f"source {k}: {len(patch)} regions around ({x:.0f}, {y:.0f}, {z:.0f}) mm")

# %% mystnb={"figure": {"name": "fig-evaluation-eeg", "caption": "One synthetic recording: all 75 electrodes, and the scalp map at the moment of the largest potential (dashed line)."}, "image": {"alt": "Left: 75 overlaid noisy EEG traces of one second with spikes rising from the background. Right: the scalp map at the largest potential."}}
fig, (left, right) = plt.subplots(
    1, 2, figsize=(6.7, 2.2), width_ratios=[3, 1], layout="constrained"
)
mark = times[loudest]
_ = dl.figures.plot_butterfly(
    example.eeg, times, ax=left, ylabel="EEG (no unit)", mark=mark
)
_ = dl.figures.plot_topography(
    example.eeg[loudest], head.info, ax=right, colorbar=False
)


# %%
def images_of(sample):
    """Image a recording by each method."""
    images = {name: network.predict(sample.eeg) for name, network in networks.items()}
    for method in ("sloreta", "lcmv"):
        images[method] = dl.solvers.get_solver(method)(sample.eeg, head)
    return images


images = {count: images_of(sample) for count, sample in examples.items()}


def strengths(count):
    """Return the largest magnitude of each region, the truth first."""
    everything = {"truth": examples[count].activity, **images[count]}
    return {name: np.abs(image).max(axis=0) for name, image in everything.items()}


# %% mystnb={"figure": {"name": "fig-evaluation-example", "caption": "Three sources (first row and outlines) and the image of each method: the largest magnitude of each region over the second. Each row is scaled to its own maximum. Compare PNAS Fig. 3E, left."}, "image": {"alt": "Five rows of cortex maps: truth, both networks, sLORETA and LCMV, with the true patches outlined in each row."}}
outlines = {f"source {k}": p for k, p in enumerate(example.patches, 1)}
fig, axes = dl.figures.plot_methods(strengths(3), cortex, outlines=outlines)
_ = dl.results.write_figure("04_example", fig, profile, dpi=110)

# %% mystnb={"figure": {"name": "fig-evaluation-single", "caption": "The same for one source. Compare PNAS Fig. 3E, right."}, "image": {"alt": "Four rows of cortex maps for a recording with a single source."}}
shown = strengths(1)
del shown["known head"]  # differs little from the other network here
_ = dl.figures.plot_methods(shown, cortex, outlines={"source": examples[1].patches[0]})

# %% [markdown]
# Does it also find *what* the sources did?
# For each source, an image is averaged over the regions found there and drawn over the true time course.
# A source can be in the map and still count as missed, if all of it lies below the threshold that the next section describes; one strong source sets that threshold for the whole image.


# %%
def courses_of(sample, image):
    """Return the true time course of each source, and the network's if it is found."""
    found = dl.metrics.active_regions(image)
    parts = dl.metrics.assign_regions(found, sample.patches, cortex.distances)
    courses = {}
    for k, (patch, part) in enumerate(zip(sample.patches, parts, strict=True), 1):
        true = sample.activity[:, patch[0]]
        if len(part) == 0:
            courses[f"source {k}: missed"] = {"truth": true}
            continue
        ours = image[:, part].mean(axis=1)
        r = dl.metrics.correlation(ours, true)
        courses[f"source {k}: r = {r:.2f}"] = {"truth": true, "deepsif": ours}
    return courses


# %% mystnb={"figure": {"name": "fig-evaluation-waveforms", "caption": "True time course of each of the three sources and the network's, averaged over the regions found and scaled to the same maximum. r is the linear correlation."}, "image": {"alt": "Three panels, one a source: the true spike in black and the network's estimate in orange, one second long."}}
_ = dl.figures.plot_courses(courses_of(example, images[3]["deepsif"]), times)

# %% [markdown]
# How activity comes and goes can be seen over time, too: as frames, and as a loop of the same source.

# %% mystnb={"figure": {"name": "fig-evaluation-frames", "caption": "One source around its peak, 20 ms from frame to frame, true and imaged. Compare PNAS SI Fig. S13."}, "image": {"alt": "Rows of cortex maps at successive times: a patch lights up and fades, in truth and in the image of the network."}}
single = examples[1]
over_time = {"truth": single.activity, "deepsif": images[1]["deepsif"]}
peak = np.abs(single.activity).max(axis=1).argmax() / clips.sfreq
side = str(cortex.hemisphere[single.patches[0][0]])
frames = np.clip(peak + np.arange(-40, 45, 20) / 1e3, 0, times[-1])
_ = dl.figures.plot_frames(over_time, cortex, times, frames, view=f"{side}-lateral")

# %% tags=["nbval-ignore-output", "hide-input"]
alt = "The frames above as a loop: true activity and its image"


def loop(sample, image, view):
    """Return a loop of truth and image around the largest activity."""
    activities = {"truth": sample.activity, "deepsif": image}
    largest = np.abs(sample.activity).max(axis=1).argmax() / clips.sfreq
    shown = np.clip(largest + np.arange(-80, 125, 15) / 1e3, 0, times[-1])
    return dl.figures.make_movie(activities, cortex, times, shown, view=view)


HTML(dl.figures.movie_html(loop(single, images[1]["deepsif"], f"{side}-lateral"), alt))

# %% [markdown]
# The three sources of the first example, from above, each with a time course of its own (where the system asks for less motion, the middle of each loop stands still):

# %% tags=["nbval-ignore-output", "hide-input"]
alt = "Loop of the cortex from above: three true sources come and go, and their image"
HTML(dl.figures.movie_html(loop(example, images[3]["deepsif"], "dorsal"), alt))

# %% [markdown]
# ## The four measures
#
# First the active regions of an image must be selected.
# [Otsu's threshold](../book/glossary.md) splits all values of the image into two classes {cite:p}`otsu1979`; a region counts when it stays above for 16 ms or more.
# Each active region is then given to the nearest true source.
# With $\hat G$ the regions given to a source and $G$ its true ones,
#
# $$
# \begin{aligned}
# \text{precision} &= \frac{|\hat G \cap G|}{|\hat G|}\\
# \text{recall} &= \frac{|\hat G \cap G|}{|G|}\\
# \text{LE} &= \frac{1}{|\hat G|}\sum_{r\in\hat G}\min_{g\in G} d(r, g)
# \end{aligned}
# $$
#
# ($d$: distance of region centers), and the linear correlation compares the mean time course over $\hat G$ with the true one.

# %% mystnb={"figure": {"name": "fig-evaluation-definitions", "caption": "The same source and the same estimate three times. Each cell is a region of the cortex. Compare PNAS Fig. 3A."}, "image": {"alt": "Three drawings of a honeycomb with true cells, found cells and their overlap; in the last, arrows lead from each false cell to the nearest true one."}}
_ = dl.figures.plot_definitions()

# %% [markdown]
# A region inside the true patch has no error at all, so an LE of 1 mm does not mean millimeter resolution: it means that *few* regions lie outside.
#
# A source that is missed has no $\hat G$.
# Its recall is 0 here; its precision, LE and correlation do not exist and are left out of their means.
#
# Two scores need no threshold. *Average precision* calls regions active one after the other, the most likely first, and averages the precision at each true one. The *earth mover's distance* is the mean distance over which the mass of a map has to be moved to make the truth of it.
#
# ## The test sets
#
# For the networks, regions are selected from all time points, as in the paper.
# The images of sLORETA and LCMV are noisy at every moment, so under that rule nearly every region counts at some time.
# For them the threshold is applied to the root mean square over time, which gives them better scores; both rules are compared further down.
#
# The test sets are those of the paper's main figure: each recording has a source, and every electrode is where the head model has it.
# The paper's network was trained on such recordings only.
# Ours was not: `lite`, the network for any cap (for the 75 electrodes used here its name is `lite-75`), was trained on other heads, with eyes and muscles, and on sources of any size ([chapter 3](03_training.ipynb) says why). So the network to compare with the paper's is a second one, `lite-75-known-head`. It has no probability $p$ that there is a source at all, and was trained with every electrode in its place and with sources as large as the paper's in each recording (`deepsif-lite train --n-sources 1 2 3 --electrode-jitter 0 0 --steps 3250`).

# %% tags=["nbval-ignore-output"]
thresholds = (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8)  # of probability, used further down
everything = evaluation.evaluate(
    networks,
    clips,
    methods=METHODS,
    selections=("corrected", "published", "map", "probability", *thresholds),
    n_samples=n_samples,
    seed=seed,
)
samples = evaluation.per_sample(everything)
corrected, sources = evaluation.headline(samples), evaluation.headline(everything)
ours = corrected[corrected["method"] == "deepsif"]

# %% table={"caption": "Mean scores of the networks and of two classical methods, by the number of sources."}
means = evaluation.summary(corrected, ["n_sources", "method"])
flat = means.set_axis(["_".join(column) for column in means.columns], axis=1)
_ = dl.results.write_table("04_methods", flat.reset_index(), profile, seed=seed)
shown = means.xs("mean", axis=1, level=1)[list(METRICS)].rename(columns=METRICS)
shown = shown.rename_axis(["sources", "method"]).round(2)
shown.rename(dl.figures.method_name, level="method")

# %% [markdown]
# Means hide much: recall has a long tail of missed sources, and the error one of false regions far away.

# %% mystnb={"figure": {"name": "fig-evaluation-metrics", "caption": "Distributions over recordings, between the 10th and the 90th percentile; white circles are medians, bars means, thick lines the middle half. Gray diamonds: means of the paper's DeepSIF. The error has a logarithmic axis. Compare PNAS Fig. 3 B–D."}, "image": {"alt": "Four panels over the number of sources with violins of both networks, sLORETA and LCMV; the paper's means as diamonds."}}
paper = dl.results.paper_table(METRICS, (1, 2, 3, "all"))
fig, axes = dl.figures.plot_distributions(corrected, METRICS, paper=paper)
_ = dl.results.write_figure("04_metrics", fig, profile)

# %% table={"caption": "Average precision, which needs no threshold."}
whole = corrected.groupby(["n_sources", "method"], sort=False)["average_precision"]
shown = whole.agg(["mean", "sem", "median"]).set_axis(
    ["mean", "± s.e.", "median"], axis=1
)
shown = shown.rename_axis(["sources", "method"]).round(3)
shown.rename(dl.figures.method_name, level="method")

# %% [markdown]
# ## Beside the paper's numbers
#
# A difference means something only beside its standard error.
# So the numbers of the [scorecard](../book/scorecard.md) come from larger test sets, computed once with the same code; means ± standard errors:

# %%
stored = dl.results.read_experiment("full_counts")
counts = stored[stored["id"] == "sim/le/1"].set_index("method")["n"]
for n, methods in counts.groupby(counts.astype(int), sort=False).groups.items():
    print(f"{n:,} recordings in each test set:", end=" ")
    print("; ".join(map(dl.figures.method_name, methods)))


def stored_scores(method):
    """Return the stored numbers of a method that the paper has, too."""
    rows = stored[stored["method"] == method].set_index("id")
    kept = rows.index.intersection(dl.results.paper_values().index)
    columns = ["value", "sd", "se", "n"]
    return {key: dl.results.Score(*rows.loc[key, columns]) for key in kept}


def with_unit(rows):
    """Return what each of the paper's numbers is, with its unit if it has one."""
    unit = (" (" + rows["unit"] + ")").fillna("")
    return rows["quantity"] + unit


scores = {name: stored_scores(name) for name in networks}

# %% table={"caption": "The paper's numbers and those of both networks, means ± standard errors over the larger test sets."}
paper_numbers = dl.results.paper_values()
rows = paper_numbers[paper_numbers["group"] == "Synthetic test sets"]
rows = rows.loc[rows.index.intersection(list(scores["deepsif"]))]
comparison = pd.DataFrame({"paper": rows["value"], "paper, SD": rows["sd"]})
for name, of_network in scores.items():
    label = dl.figures.method_name(name)
    comparison[label] = [
        f"{of_network[key].value:.3f} ± {of_network[key].se:.3f}" for key in rows.index
    ]
comparison = comparison.set_index(with_unit(rows).rename("quantity"))
_ = dl.results.write_table("04_paper", comparison.reset_index(), profile)
comparison

# %% [markdown]
# The paper's network is larger and went through its 620,256 samples about twenty times; the test sets are not the same recordings.
#
# ## Noise and depth
#
# More noise at the electrodes and a deeper source should both make the task harder.
# Depth is the distance from the center of the seed region to the nearest electrode.
# (That LCMV finds *less* of a source with less noise has a [reason](beamformer).)

# %% mystnb={"figure": {"name": "fig-evaluation-strata", "caption": "Localization error (logarithmic) and recall against noise (left) and against depth (right). Lines are means, bands the middle half of the sources. A source that is missed has recall 0 and no error. Compare PNAS Fig. 3D."}, "image": {"alt": "Four line charts: localization error and recall of two networks, sLORETA and LCMV against signal-to-noise ratio and against source depth."}} tags=["hide-input"]
fig, axes = plt.subplots(2, 2, figsize=(6.7, 4.6), layout="constrained", sharex="col")
edges = np.quantile(sources["depth_mm"], np.linspace(0, 1, 7))
for row, metric in zip(axes, ("error_mm", "recall"), strict=True):
    for ax, by, bins in zip(row, ("snr_db", "depth_mm"), (None, edges), strict=True):
        labels = {
            "xlabel": "signal-to-noise (dB)" if by == "snr_db" else "depth (mm)",
            "ylabel": METRICS[metric],
        }
        log = metric == "error_mm"
        _ = dl.figures.plot_strata(
            sources, metric, by, bins=bins, log=log, ax=ax, **labels
        )
        ax.get_legend().remove()
for ax in axes[0]:
    _ = ax.set_xlabel("")  # as below
handles, labels = axes[1, 0].get_legend_handles_labels()
_ = fig.legend(handles, labels, ncols=4, loc="outside lower center")

# %%
network = sources[sources["method"] == "deepsif"]
deepest = network[
    network["depth_mm"] > network["depth_mm"].quantile(1 - evaluation.DEEPEST)
]
print(
    f"deepest {evaluation.DEEPEST:.0%} of sources (from "
    f"{deepest['depth_mm'].min():.0f} mm): {deepest['error_mm'].mean():.1f} mm, "
    f"{1 - deepest['detected'].mean():.1%} missed; the paper: about 6 mm"
)
missed = 1 - network.groupby("snr_db")["detected"].mean()
print("missed:", ", ".join(f"{m:.1%} at {db:.0f} dB" for db, m in missed.items()))

# %% [markdown]
# Read error and misses together: a source that is not found at all has no error.
# The paper's 6 mm is read from a curve whose bins are not given, so the two values for deep sources need not have the same definition.
# With low noise and shallow sources there is an error too: at the edge of a patch the image is uncertain.
#
# How far off is a region that is falsely called active?
# True regions have no error, so the localization error is the share of false ones, one minus the precision, times *their* mean distance from the source.

# %%
neighbors = np.where(cortex.adjacency > 0, cortex.distances, np.nan) * 1e3
away = ours["error_mm"] / (1 - ours["precision"]).where(ours["precision"] < 1)
print(f"a false region lies {away.median():.1f} mm off (median over recordings);")
print(f"the average neighbor of a region {np.nanmean(neighbors):.1f} mm")

# %% [markdown]
# The two are alike, which suggests that most false regions touch a source. They can be counted:

# %%
for count in (1, 2, 3):
    stream = dl.SyntheticEEG(head, clips, n_sources=count, seed=seed)
    beside = []
    for sample in map(stream.__getitem__, range(max(n_samples // 3, 5))):
        true = np.concatenate(sample.patches)
        found = dl.metrics.active_regions(model.predict(sample.eeg))
        false = np.setdiff1d(found, true)
        beside.extend((cortex.adjacency[np.ix_(false, true)] > 0).any(axis=1))
    share, many = np.mean(beside), len(beside)
    print(f"sources: {count}; {share:.0%} of {many} false regions touch one")

# %% [markdown]
# So nearly all of the error is at the edge of the sources, and in millimeters it depends on the size of the regions as much as on the method.
#
# Where on the cortex is an image good?
# With a few sources a region there is no map of single regions yet, so each region shows the mean over sources whose seed lies within 15 mm.

# %% mystnb={"figure": {"name": "fig-evaluation-map", "caption": "Mean scores of the network `lite-75` over the sources within 15 mm of each region, all test sets together. Compare PNAS Fig. 3, B to D, right."}, "image": {"alt": "Four rows of cortex maps: linear correlation, precision, recall and localization error, each with its scale."}}
units = {"correlation": "r", "precision": "", "recall": "", "error_mm": "mm"}
maps = {
    METRICS[metric]: (evaluation.over_cortex(network, metric, cortex), unit)
    for metric, unit in units.items()
}
limits = {METRICS[m]: (0.5, 1) for m in ("correlation", "precision", "recall")}
fig, axes = dl.figures.plot_maps(maps, cortex, limits=limits)

# %% [markdown]
# With fewer electrodes, `lite` loses more of a source, and not everywhere alike ({numref}`fig-evaluation-place`).
# `deepsif_lite.evaluation.trust_map` makes such a map for your own cap and noise; it is computed once and kept.

# %% mystnb={"figure": {"name": "fig-evaluation-place", "caption": "Share of a source that `lite` finds (regions with a probability above one half; a missed source counts 0), by the place of its seed, for three caps at a signal-to-noise ratio of 10 dB."}, "image": {"alt": "Three rows of cortex maps: recall grows from 19 to 64 electrodes, and differs from place to place."}}
places = dl.results.read_experiment("by_place").set_index("region")
rows = {name: (places[name], "recall") for name in places if "10 dB" in name}
_ = dl.figures.plot_maps(rows, cortex, limits=dict.fromkeys(rows, (0.5, 1)))

# %% [markdown]
# ## Extent
#
# A point-like estimate can be in the right place and still say nothing about how much cortex is involved.
# {numref}`fig-evaluation-area` compares areas, summed over the sources of a recording.

# %% mystnb={"figure": {"name": "fig-evaluation-area", "caption": "Estimated against simulated area for all recordings, with the identity line; triangles at the upper edge lie beyond. r is Pearson's correlation. Compare PNAS Fig. 3C, r = 0.83."}, "image": {"alt": "Four scatter plots of estimated against simulated area for both networks, sLORETA and LCMV, with a dashed identity line."}}
fig, axes = plt.subplots(2, 2, figsize=(6.0, 5.6), layout="constrained")
for ax, method in zip(axes.flat, METHODS, strict=True):
    rows = corrected[corrected["method"] == method]
    simulated, found = rows["area_true_cm2"], rows["area_found_cm2"]
    _ = dl.figures.plot_area(simulated, found, ax=ax, method=method)

# %% [markdown]
# The sources of the test sets grow as the paper's do: from a seed, its neighbors all together, then one or two rings of which some join, along a direction drawn at random.

# %% mystnb={"figure": {"name": "fig-evaluation-growth", "caption": "How a source grows, from a seed on the left: its first ring joins whole, of the next rings some regions, and the strength falls with the distance from the seed. Compare PNAS SI Fig. S2."}, "image": {"alt": "Five views of a patch of the left cortex that grows from one region to three rings."}}
near = np.linalg.norm(cortex.centroids - [-0.055, -0.02, 0.02], axis=1)
start = int(near.argmin())
two, three = (dl.grow_patch(cortex, start, n_layers=n, rng=0) for n in (2, 3))
regions = {"seed": [start], "first ring": [start, *cortex.neighbors[start]]}
regions |= {"two rings": two, "three rings": three}
every = np.arange(cortex.n_regions)
steps = {name: np.isin(every, part).astype(float) for name, part in regions.items()}
steps["strength"] = steps["three rings"].copy()
steps["strength"][three] = dl.cortex.decay(cortex, three, 0.04)
_ = dl.figures.plot_growth(steps, cortex)

# %% [markdown]
# So no source of the paper is smaller than a first ring, some 10 cm².
# How a score depends on what the recordings hold takes many test sets, in each of which one thing is set.
# They were scored beforehand:

# %%
IN_WORDS = {  # what differs on a head,
    r"skull-(1/\d+)$": r"skull conducts \1 of the brain",
    r"skull-(\d+)mm$": r"skull \1 mm thick",
    r"jitter-(\d+)mm$": r"electrodes off by \1 mm",
    r"shift-left-(\d+)mm$": r"cap \1 mm to the left",
    r"^corrected$": "as described",  # recordings
    r"^published$": "as in the code",
}
conditions = dl.results.read_experiment("conditions")
conditions["level"] = conditions["level"].replace(IN_WORDS, regex=True)
n_stored = conditions["n"].min()
print(
    f"{conditions.groupby(['group', 'level']).ngroups} test sets, {n_stored} and more"
)
SHOWN = {name: METRICS[name] for name in ("precision", "recall", "error_mm")}


def show(group, label="", source="all", metrics=SHOWN):
    """Draw the stored scores of a group of test sets."""
    rows = conditions.query("group == @group and source == @source")
    return dl.figures.plot_levels(rows, metrics, label=label)


# %% mystnb={"figure": {"name": "fig-evaluation-size", "caption": "One source of a given area; the smallest is a single region. Whiskers in this figure and those like it: two standard errors."}, "image": {"alt": "Dot charts of precision, recall and error against the area of the source, for two networks and sLORETA."}}
_ = show("size", "area (cm²)")

# %% [markdown]
# The network that knows sources of the paper's sizes alone answers a single region with a patch of those sizes: precision falls, by definition. `lite` has met small sources.
#
# Between a region and a first ring, some four to seven regions, `lite` finds the source but adds neighbors. Is that a matter of the threshold?
# The same images with regions from other probabilities on (`benchmarks/threshold.py`, single sources):

# %% table={"caption": "Precision and recall of lite-75 by the number of regions of a source and the probability (threshold) from which regions count."}
by_size = dl.results.read_experiment("threshold")
_ = dl.results.write_table("04_threshold_by_size", by_size, profile)
by_number = by_size[by_size["threshold"] != "map"].astype({"threshold": float})
everywhere = by_number[by_number["noise"] == "all"]
shown = everywhere[everywhere["threshold"].isin([0.3, 0.5, 0.7, 0.9])]
print(f"{everywhere['n'].min()} recordings of each size")
shown = shown.set_index(["regions", "threshold"])[["precision", "recall"]]
shown.unstack().round(2)

# %%
AIM = 0.8  # of precision
for count, rows in everywhere.groupby("regions"):
    enough = rows[rows["precision"] >= AIM].iloc[0]
    print(
        f"source of {count:2d}: precision {AIM} and more from a probability of "
        f"{enough['threshold']:.2g} on; recall {enough['recall']:.2f} ± "
        f"{enough['recall_se']:.2f}"
    )

# %%
SEVEN, HALF = 7, 0.5
LEVELS = {"all": "all levels of noise", "20 dB": "20 dB alone"}
of_seven = by_size[by_size["regions"] == SEVEN]
for _, row in by_number.query("regions == @SEVEN and threshold == @HALF").iterrows():
    away = row["error_mm"] / (1 - row["precision"])
    print(
        f"{LEVELS[row['noise']]}: precision {row['precision']:.2f} ± "
        f"{row['precision_se']:.2f} (n = {row['n']}), a false region {away:.0f} mm off"
    )
print("by Otsu's threshold on the map, the same recordings for both:")
for _, row in of_seven[of_seven["threshold"] == "map"].iterrows():
    print(
        f"{dl.figures.method_name(row['method']):10s} precision "
        f"{row['precision']:.2f} ± {row['precision_se']:.2f}, average precision "
        f"{row['average_precision']:.2f} ± {row['average_precision_se']:.2f} "
        f"(n = {row['n']})"
    )

# %% [markdown]
# Means ± standard errors. A threshold buys precision with recall: for seven regions there is none at which both reach 0.8.
# The noise is not to blame, for in the clearest recordings precision is the same. Nor is it the network alone: Champagne, which is given the very head, ranks the regions of these sources no better.
# What is false lies about one region beside the source. At the edge of a source of this size an EEG leaves open which neighbors belong to it, and a larger source has less edge for its area.
#
# ## Two sources: close together, or alike
#
# The paper's SI shows that its network separates two sources that are close (SI Fig. S4), or whose time courses are alike (S5).

# %% mystnb={"figure": {"name": "fig-evaluation-distance", "caption": "Two sources by the distance of their seeds. Compare PNAS SI Fig. S4."}, "image": {"alt": "Dot charts of precision, recall and error against the distance of two sources."}}
_ = show("distance", "apart (mm)")

# %% [markdown]
# Where their seeds are less than about 25 mm apart, recall falls to that of sLORETA: what is found is as precise as before, but covers less of the two sources together. Hardly any counts as missed, because each region found counts for the source nearer to it.

# %% mystnb={"figure": {"name": "fig-evaluation-correlation", "caption": "Two sources more than 5 cm apart by the correlation of their time courses. Compare PNAS SI Fig. S5."}, "image": {"alt": "Dot charts of precision, recall and error against the correlation of two time courses."}}
_ = show("correlation", "correlation")

# %% [markdown]
# Likeness alone costs little recall and some precision. At a correlation of one the network that knows one head only loses far more than `lite`.
#
# Two sources with one time course make a scalp map that changes in nothing but size, and many pairs of sources make the same one.
# A single dipole, the oldest of all models, then lands where it explains most of that map: in one of the two, or between them.

# %%
alike = evaluation.ControlledEEG(
    head, clips, n_sources=2, seed=seed, correlation=1.0, apart=(0.05, 0.09)
)


def dipole(sample):
    """Return the region that alone explains most of the largest scalp map."""
    scalp = sample.eeg[np.abs(sample.eeg).max(axis=1).argmax()]
    gain = head.referenced_leadfield
    return int(((scalp @ gain) ** 2 / (gain**2).sum(axis=0)).argmax())


# %%
rows = []
for k in range(max(n_samples // 8, 8)):
    sample = alike[k]
    truth = np.concatenate(sample.patches)
    away = 1e3 * cortex.distances[dipole(sample), truth].min()
    image = model.predict(sample.eeg)
    scored = dl.score(image, sample.activity, sample.patches, cortex)
    rows.append({"dipole off (mm)": away, **scored})
rows = pd.DataFrame(rows)
between = rows["dipole off (mm)"] > 20
print(f"{len(rows)} pairs; dipole more than 2 cm from both: {between.mean():.0%}")
print(f"DeepSIF misses one: {(rows['n_missed'] > 0).mean():.0%} of all, ", end="")
print(f"{(rows.loc[between, 'n_missed'] > 0).mean():.0%} of those")

# %% mystnb={"figure": {"name": "fig-evaluation-alike", "caption": "Two simultaneous spikes with one time course: of the pairs above, the one whose single dipole lies farthest from both (outlined in pink). Top: truth; below: image of DeepSIF."}, "image": {"alt": "Cortex maps of two true sources and of the network's image, with the outlines of the sources and of the region of the single dipole."}}
worst = alike[int(rows["dipole off (mm)"].argmax())]
marks = {f"source {k}": patch for k, patch in enumerate(worst.patches, 1)}
marks["dipole"] = [dipole(worst)]
shown = {"truth": worst.activity, "deepsif": model.predict(worst.eeg)}
shown = {name: np.abs(image).max(axis=0) for name, image in shown.items()}
_ = dl.figures.plot_methods(shown, cortex, outlines=marks)

# %% [markdown]
# A weak source beside a strong one is hard for another reason: one threshold holds for the whole image (SI Fig. S11). A deep one beside a shallow one could be, too (S6).
# The figures show the *second* source alone: the deep one of a mixed pair, and the weaker one.

# %% mystnb={"figure": {"name": "fig-evaluation-deep", "caption": "The second of two sources, by the depth of both. Compare PNAS SI Fig. S6."}, "image": {"alt": "Dot charts of the share of sources detected, recall and error for shallow, mixed and deep pairs."}}
OF_ONE = {"detected": "share detected"} | {k: SHOWN[k] for k in ("recall", "error_mm")}
_ = show("depth", source="2", metrics=OF_ONE)

# %% mystnb={"figure": {"name": "fig-evaluation-amplitude", "caption": "The second of two sources, by how many decibels its ratio to the background lies below that of the first. Compare PNAS SI Fig. S11."}, "image": {"alt": "Dot charts of the share of sources detected, recall and error against the weakness of the second source."}}
_ = show("amplitude", "weaker by (dB)", source="2", metrics=OF_ONE)

# %% [markdown]
# Depth alone does no such harm here: all sources are scaled to be as far above the background *at the electrodes*, a deep one like a shallow one, and the networks find it as often. Strength does: at 10 dB less about half of the sources are missed.
#
# ## How sure it is
#
# The paper's method gives an image without a word on how sure it is.
# Ours gives each region a probability of being active (`SourceImage.probability`), and a probability can be checked: of all regions given 70 %, about 70 % should have been active.

# %%
tests = {f"{count} on the template": (count, head) for count in (1, 2, 3)}
tests["1 to 3, electrodes off by 5 mm"] = ((1, 2, 3), load_head_variant("jitter-5mm"))
told_and_true = {
    name: evaluation.probability_and_truth(
        model, clips, n_sources=count, n_samples=n_samples, seed=seed, head=real
    )
    for name, (count, real) in tests.items()
}
reliability = {
    name: evaluation.reliability(*pair) for name, pair in told_and_true.items()
}

# %% mystnb={"figure": {"name": "fig-evaluation-reliability", "caption": "Reliability of the probabilities on test recordings: share of regions that were part of a source, against the probability given to them, in ten bins. Dashed: a forecaster that is right."}, "image": {"alt": "Four curves, for one, two and three sources and for displaced electrodes, beside the diagonal."}}
fig, ax = dl.figures.plot_reliability(reliability)
_ = dl.results.write_figure("04_reliability", fig, profile)

# %% [markdown]
# Above one half, the network says less than it could on these recordings: it was trained to expect another head under displaced electrodes, and eyes and muscles in the recording, and here the shape of the head is the template's and the recording is clean. For single sources it says a little too much below one half.
# The mean gap between forecast and outcome is the expected calibration error. Most regions are surely inactive and make it small, so it is given for the doubtful ones, too.
# [What can be imaged](../book/contract.md) compares probabilities on recordings as varied as those of the training, of other heads, caps and clips; there the gap is small, for a person's own head, too: images of recordings take into account that people's heads are not computed ([an appendix](03b_trials.ipynb) shows how).

# %% table={"caption": "Expected calibration error, over all regions and over those given between 5 and 95 % (doubtful ones)."}
errors = {}
for name, (told, active) in told_and_true.items():
    doubtful = (told > 0.05) & (told < 0.95)
    of_doubtful = evaluation.reliability(told[doubtful], active[doubtful])
    errors[name] = {
        "all regions": evaluation.expected_calibration_error(reliability[name]),
        "doubtful ones": evaluation.expected_calibration_error(of_doubtful),
        "share that is doubtful": doubtful.mean(),
    }
errors = pd.DataFrame(errors).T.rename_axis("sources")
_ = dl.results.write_table("04_reliability", errors.reset_index(), profile, seed=seed)
errors.round(3)

# %% [markdown]
# And in a *source-free* recording, with background activity and noise alone?
# A network that was never trained on one finds a source in each.
# Of the recordings that ours was trained on, one in seven is source-free.

# %%
print(f"{n_samples} recordings without a source")
for name, candidate in networks.items():
    told, _ = evaluation.probability_and_truth(
        candidate, clips, n_sources=0, n_samples=n_samples, seed=seed
    )
    for level in (0.5, 0.9):
        print(
            f"{dl.figures.method_name(name):20s} some region above {level:.0%}: "
            f"{(told > level).any(axis=1).mean():4.0%} of them, "
            f"{(told > level).sum(axis=1).mean():4.1f} regions"
        )

# %% [markdown]
# ## Where to draw the line
#
# A probability lets its user choose the threshold.
# One question needs all tissue that could be involved, another (where does a spike begin?) no false region.
# The same images, with regions selected by other probabilities than one half:

# %% table={"caption": "Scores by the probability from which a region counts."}
chosen = samples[samples["method"] == "deepsif"]
chosen = chosen.replace({"selection": {"probability": 0.5}})
chosen = chosen.groupby("selection")[list(METRICS)].mean()
numbers = [rule for rule in chosen.index if not isinstance(rule, str)]
by_threshold = chosen.loc[numbers].sort_index()
_ = dl.results.write_table(
    "04_thresholds", by_threshold.reset_index(), profile, seed=seed
)
by_threshold.rename(columns=METRICS).rename_axis("probability above").round(2)

# %% mystnb={"figure": {"name": "fig-evaluation-thresholds", "caption": "Precision, recall and localization error over the three test sets together, against the probability from which on a region counts. Dotted: Otsu's threshold on the same images. Dashed: the paper's network on its own test sets."}, "image": {"alt": "Three line charts: with a higher threshold precision rises, recall and localization error fall."}}
fig, axes = plt.subplots(1, 3, figsize=(6.7, 2.2), layout="constrained")
for ax, metric in zip(axes, SHOWN, strict=True):
    ax.plot(by_threshold.index, by_threshold[metric], "o-", ms=4)
    ax.axhline(chosen.loc["corrected", metric], ls=":", lw=1)
    theirs = paper.loc["all", metric]
    ax.axhline(theirs, color=dl.figures.PAPER_COLOR, ls="--", lw=1)
    _ = ax.set_xlabel("probability above")
    _ = ax.set_title(METRICS[metric], fontsize=9)
_ = dl.results.write_figure("04_thresholds", fig, profile)

# %% [markdown]
# ## A head that is not the template
#
# So far the head of the recording was the head model of the network, which no patient's head is.
# [Chapter 2](02_forward.ipynb) computed the leadfields of heads that differ from the template in one thing, by the boundary element method; here they make the recordings, while the methods assume the template.
# The paper's network met such heads only in its tests (SI Figs. S7 to S10): the median localization error rose by 1 mm at most.
# The standard error of a rise is that of the same recordings twice, once on each head (bootstrap of pairs). The largest of many rises is partly the largest by chance; so ours looks larger than it is beside the paper's limit.
# `lite` was trained on twelve heads of other shapes and skulls, none of which is among these, with electrodes displaced by up to 1 cm.

# %% mystnb={"figure": {"name": "fig-evaluation-heads", "caption": "Two sources, where the head of the recording is another than the one that the methods assume. Compare PNAS SI Fig. S9."}, "image": {"alt": "Three dot charts with one row a head, for two networks and sLORETA; the networks' error grows most where electrodes are displaced."}}
fig, axes = show("head")
_ = dl.results.write_figure("04_heads", fig, profile)

# %% table={"caption": "The head, of those above, on which the median error of a method rises most, in pairs of recordings."}
heads = conditions.query("group == 'head' and level != 'template'")
worst_heads = heads.loc[heads.groupby("method", sort=False)["rise"].idxmax()]
worst_heads = worst_heads.set_index("method")
for name in networks:
    of_worst = worst_heads.loc[name, ["rise", "rise_se", "n"]]
    scores[name]["sim/le/other_heads"] = dl.results.Score(
        of_worst["rise"], se=of_worst["rise_se"], n=of_worst["n"]
    )
columns = {"level": "head", "rise": "rise (mm)", "rise_se": "± s.e."}
shown = worst_heads[list(columns)].rename(columns=columns)
shown.rename(dl.figures.method_name).round(2)

# %% table={"caption": "Rise of the median error where electrodes are beside their places."}
moved = heads[heads["level"].str.startswith("electrodes")]
moved = moved[moved["method"] != "sloreta"]
moved = moved.set_index(["level", "method"])
moved = moved.rename_axis(["head", "method"])
shown = moved[["rise", "rise_se"]].rename(columns=columns).round(2)
shown.rename(dl.figures.method_name, level="method")

# %% [markdown]
# All these heads are ours, by one method.
# A head made by others, with finite elements, six tissues and the subject's own skull, is a harder test (it has 71 electrodes, for which `lite` serves as the network for any cap):

# %% tags=["hide-input"] table={"caption": "The template under the electrodes of a published head, and that head itself, by finite elements."}
elements = conditions.query("group == 'finite elements'").set_index(["level", "method"])
elements = elements.rename_axis(["head", "method"])
columns = {"precision": "precision", "recall": "recall", "error_mm": "error (mm)"}
columns |= {"rise": "rise of median", "rise_se": "± s.e."}
elements = elements[list(columns)].rename(columns=columns).round(2)
elements.rename(dl.figures.method_name, level="method")

# %% [markdown]
# The error rises more than on any head above, for sLORETA too: those differ from the template in one thing each, a person's head in everything.

# %% [markdown]
# ## A recording unlike those of the training
#
# *Noise* that is not white (SI Fig. S7): the published resting EEG mixed in by its share of the noise power, noise that falls with frequency, and noise that neighboring electrodes share.

# %% mystnb={"figure": {"name": "fig-evaluation-noise", "caption": "Two sources under noise of several kinds. Compare PNAS SI Fig. S7."}, "image": {"alt": "Dot charts of precision, recall and error, one row a kind of noise."}}
_ = show("noise")

# %% [markdown]
# *Sources* that grow by another rule, or fall off in another way (S8):

# %% mystnb={"figure": {"name": "fig-evaluation-sources", "caption": "Two sources that grow by other rules. Compare PNAS SI Fig. S8."}, "image": {"alt": "Dot charts of precision, recall and error, one row a rule of growth or of decay."}}
_ = show("growth")

# %% [markdown]
# *Time courses* that are no simulated spikes, and recordings of which a filter left a band (S10):

# %% mystnb={"figure": {"name": "fig-evaluation-courses", "caption": "Two sources with other time courses. Compare PNAS SI Fig. S10."}, "image": {"alt": "Dot charts of correlation, recall and error, one row a kind of time course."}}
OF_COURSE = {k: METRICS[k] for k in ("correlation", "recall", "error_mm")}
_ = show("course", metrics=OF_COURSE)

# %% mystnb={"figure": {"name": "fig-evaluation-bands", "caption": "Two sources, of whose recording a filter kept a band of frequencies; the truth stays as it was. Compare PNAS SI Fig. S10."}, "image": {"alt": "Dot charts of correlation, recall and error, one row a band of frequencies."}}
_ = show("band", metrics=OF_COURSE)

# %% [markdown]
# Of these changes, other noise matters least. Sources that grow by random neighbors cost precision, and those of four rings, which are larger, cost recall. A narrow band costs the time course, which cannot be that of the unfiltered truth, and the slowest one costs `lite` much of its recall.
#
# All these change one thing of our generator.
# A second generator shares nothing with it but the head: sources grow by random neighbors, their time courses are formulas, the background is filtered noise, amplitudes follow from the area of a source ({py:class}`evaluation.IndependentEEG <deepsif_lite.evaluation.IndependentEEG>`).
# What the networks lose there, beyond what sLORETA loses, they owe to having been trained by the generator of their test.

# %% mystnb={"figure": {"name": "fig-evaluation-generators", "caption": "One to three sources of the training's generator and of the independent one, beside each other. AP: average precision, which needs no threshold."}, "image": {"alt": "Dot charts of precision, recall, error and average precision for two generators of test recordings."}}
_ = show("generator", metrics=SHOWN | {"average_precision": "AP"})

# %% [markdown]
# ## The same images, other definitions
#
# The paper's text and the published code differ in places.
# Two choices matter for scores.
#
# 1. *Selection.* The code finds Otsu's threshold on the magnitude of the output, then compares it with the signed, unscaled output. We compare like with like (*corrected*); the code's way is called *published*.
#    A third way, here called *map*, thresholds the root mean square over time; a fourth takes the regions with a probability above one half (*probability*), so that no strong source sets the threshold for a weak one.
# 2. *Misses.* The published script drops a missed source from every mean. We count its recall as 0.

# %% table={"caption": "The same images, by which regions are called active and what a miss counts."}
rules = ["corrected", "published", "map", "probability"]
columns = {
    "missed": "missed",
    "recall": "recall, miss = 0",
    "recall_detected": "recall, misses dropped",
    "precision": "precision",
    "error_mm": "error (mm)",
}
definitions = samples[samples["selection"].isin(rules)]
definitions = definitions.assign(missed=1 - definitions["detected"])
definitions = definitions.groupby(["selection", "method"], sort=False)[list(columns)]
definitions = definitions.mean().rename(columns=columns)
_ = dl.results.write_table(
    "04_definitions", definitions.reset_index(), profile, seed=seed
)
definitions = definitions.swaplevel()
definitions.rename(dl.figures.method_name, level="method").round(2)

# %% [markdown]
# A third difference is in the *recordings*: the noise, and how strong a source is.
# The published code halves the noise power and counts a channel's offset as signal; and it scales a source over a longer window, without its decay.
# The same network on recordings made that way:

# %% mystnb={"figure": {"name": "fig-evaluation-readings", "caption": "One to three sources, recordings made as the paper describes and as the published code makes them."}, "image": {"alt": "Dot charts of precision, recall and error for two ways to make recordings."}}
_ = show("reading")

# %% [markdown]
# Paper and code differ in more places than these two and the recordings.
# [An appendix](04b_limits.ipynb) takes each of them literally, one at a time. Of those that concern recordings and images most change a score by hundredths, and what counts most is that a recording is prepared as in training; in a training, how the network learns counts for more than how its samples are made.

# %% [markdown]
# ## What keeps scores down
#
# Other numbers than the paper's were set beforehand, too. [The appendix](04b_limits.ipynb) puts ours beside them and looks for what keeps back those that are behind: misses, where there are several sources, displaced electrodes on other heads, and for single sources the edge, which an EEG leaves open.

# %% [markdown]
# ## All methods on the same recordings
#
# Some methods take seconds an image, so all were compared on few recordings (SI Fig. S12); each method that is not a network is given the leadfield of the very head.

# %%
same = dl.results.read_experiment("method_samples")
p_values = evaluation.compare_methods(same, "deepsif", METRICS | MAP_METRICS)
per_method = same.groupby("method", sort=False).size()
print(f"{per_method.iloc[0]} recordings with one to three sources, each by all methods")

# %% mystnb={"figure": {"name": "fig-evaluation-methods", "caption": "All methods on the same recordings: boxes span the middle half, whiskers the 10th to 90th percentile, solid lines are medians, dashed ones means. One star: differs from DeepSIF with P < 0.05, two: P < 0.005 (Wilcoxon's signed rank test, both sides, Holm's correction for all tests of the figure). Compare PNAS SI Fig. S12."}, "image": {"alt": "Six panels of horizontal box plots, one box a method: precision, recall, correlation, error, average precision, earth mover's distance."}}
fig, axes = dl.figures.plot_boxes(same, METRICS | MAP_METRICS, p_values=p_values)
_ = dl.results.write_figure("04_all_methods", fig, profile)

# %% table={"caption": "Median difference of each method's scores to those of lite-75, recording by recording."}
_ = dl.results.write_table("04_tests", p_values.reset_index(), profile)
shown = p_values["difference"].unstack("metric")[[*METRICS, *MAP_METRICS]]
shown = shown.loc[per_method.index.drop("deepsif")].rename_axis(columns=None)
shown.rename(dl.figures.method_name).rename(columns=METRICS | MAP_METRICS).round(2)

# %% [markdown]
# How long does one image take, and how many times as long as the network's?

# %% table={"caption": "Time of one image of one second, and how many times as long as DeepSIF's it is."}
seconds = stored[stored["id"] == "speed/seconds"].set_index("method")["value"]
times_longer = seconds / seconds["deepsif"]
nearer = times_longer[["cmem", "fast-ires"]].min()
scores["deepsif"]["speed/image"] = 1e3 * seconds["deepsif"]
scores["deepsif"]["speed/fast-ires"] = seconds["fast-ires"]
scores["deepsif"]["speed/factor"] = nearer
shown = {
    "milliseconds": (1e3 * seconds).map("{:.0f}".format),
    "times DeepSIF's": times_longer.map("{:.1f}".format),
}
pd.DataFrame(shown).rename(dl.figures.method_name)

# %% [markdown]
# The paper speaks of tens of milliseconds, of minutes for FAST-IRES, and of several thousand times. Here cMEM and FAST-IRES take a second or less, for this library solves them for 994 regions of fixed orientation, not for a mesh of tens of thousands of triangles. The network takes as long as the paper's; the others have become faster. So speed is a smaller reason for a network than it was.

# %% [markdown]
# ## How strong, in ampere-meters
#
# The network sees EEG scaled to a largest magnitude of one, and its image has no unit (SI Note 3 has the scaling that the paper needs in the other direction).
# The recording has one: the image, projected to the scalp, has to be as large as what was measured.
# {py:func}`imaging.in_ampere_meters <deepsif_lite.imaging.in_ampere_meters>` finds that one factor by least squares.
# A test with a known answer: the single source above, given 300 nA m at its peak.

# %%
region = cortex.region_of_vertex
size = np.bincount(region[region >= 0], minlength=cortex.n_regions)  # vertices
moments = single.activity * size  # of each region, any unit
scale = 300e-9 / np.abs(moments.sum(axis=1)).max()
volts = scale * (single.activity @ head.leadfield.T)
volts += 0.2 * volts.std() * np.random.default_rng(seed).standard_normal(volts.shape)

# %%
evoked = mne.EvokedArray(volts.T, head.info, verbose="error")
image = dl.image(evoked, "deepsif", head=head)
fit = dl.imaging.fit_amplitude(image)
strong = dl.imaging.in_ampere_meters(image)
found = np.abs(strong.activity.sum(axis=0)).max()
print(f"largest potential {1e6 * np.abs(volts).max():.0f} µV")
print(f"found {1e9 * found:.0f} of 300 nA m, ± {fit.error / fit.scale:.1%}")
print(f"explained variance {fit.explained:.0%}")

# %% [markdown]
# The uncertainty printed is that of the fit alone. The skull's conductivity, which nobody knows to better than a factor of two, counts more.

# %% [markdown]
# ## Stronger rivals
#
# sLORETA and LCMV are not the strongest methods there are. [The appendix](04b_limits.ipynb) compares the library's {term}`Champagne` with an implementation of its family by others, also on the recordings of a public benchmark: where a source is a patch, both are far above sLORETA by average precision, and which of them is ahead depends on what is known of the noise.
# It also shows why LCMV finds less of a source as noise falls.

# %% tags=["remove-cell"]
for name, of_network in scores.items():
    of_network["size/test_samples"] = counts[name]
    of_network["size/regions"] = cortex.n_regions
    of_network["size/training_samples"] = networks[name].card["training"]["samples"]
_ = dl.results.write_scores(
    "04_evaluation",
    scores["deepsif"],
    profile,
    known_head=scores["known head"],
    seed=seed,
)

# %% [markdown]
# ## Summary
#
# - The network is scored on recordings made from clips that training never saw, with the same measures as the paper and with misses counted.
# - Its misses are weak sources beside strong ones, and sources in noisy recordings: one threshold for the whole image drops them. Of the sources it detects, it recovers most regions.
# - Of two sources with one time course a single dipole finds one, or a place that is neither; the network does better, and worse than for sources with courses of their own.
# - Its probabilities above one half are too low on clean recordings, as it expects worse, and low in source-free recordings, in each of which the network that was never trained on one finds a source.
# - On heads that are not the template, and on recordings of another generator, it loses; the figures show how much. A network that was trained on one head only loses more where electrodes are displaced.
# - The classical methods are not wrong, they answer another question: they spread a source over the cortex, which costs precision, and part of the noise appears as sources.
# - Single sources are behind the paper by Otsu's rule: cut at the best threshold of each recording, which nobody knows, the same images would not be. What an EEG leaves open is the edge of a source.
# - A source of a few regions is found, but not its edge: higher precision costs recall, whatever the threshold.
# - A score depends on its definition. Ask what happens to missed sources before you compare two papers. Of the places where paper and code differ, the preparation of the recording counts most.
#
# ## Limits
#
# - The main test recordings come from the same simulator as the training ones. That flatters the network, here as in the paper; sLORETA and LCMV know the head but not the simulator.
# - Extents of the methods that are no networks are cut by Otsu's threshold on the root mean square over time, which suits sparse images better than smooth ones; average precision needs no threshold. LCMV estimates its covariance from one second of the recording, and takes sources to be single regions: an extended source is partly suppressed, more so where noise is low.
# - The test sets are smaller than the paper's, and those with one thing set smaller still; the sizes are printed with them. A difference of less than two standard errors may be chance, and among as many comparisons as here some larger ones will be, too.
# - How the paper's SI varied things is known by name only; kinds and values here are our choice.
#
# ## Exercises
#
# :::{exercise}
# :label: ex-evaluation-1
#
# What is the localization error of a method that always answers "every region"? And its recall? Compute both, then say why no single measure is enough.
# :::
#
# :::{solution} ex-evaluation-1
# :class: dropdown
#
# Every true region is among those found, so recall is 1. The error is the mean distance of all regions to the nearest true one, several centimeters:
#
# ```python
# truth = examples[1].patches[0]
# print(f"{1e3 * cortex.distances[:, truth].min(axis=1).mean():.0f} mm")
# ```
#
# A method that answers one sure region has an error near zero and a recall near zero. Error and precision punish too much, recall too little; an image is described by both sides.
# :::
#
# :::{exercise}
# :label: ex-evaluation-2
#
# Set `sensor_snr=(0,)` in `evaluation.evaluate` and look at the missed sources. Which method loses them first?
# :::
#
# :::{solution} ex-evaluation-2
# :class: dropdown
#
# ```python
# noisy = evaluation.evaluate(
#     model,
#     clips,
#     methods=("deepsif", "sloreta"),
#     n_samples=min(n_samples, 30),
#     sensor_snr=(0,),
#     progress=False,
# )
# shown = evaluation.headline(noisy).groupby(["method", "n_sources"])
# shown[["detected", "precision", "recall"]].mean().round(2)
# ```
#
# The network, and the more, the more sources there are: one threshold for the whole image drops a weak source in noise. sLORETA misses next to none, and that is no merit: its threshold calls so much of the cortex active that some of it lies in every source, at a precision of a fifth or less.
# :::
#
# :::{exercise}
# :label: ex-evaluation-3
#
# Pass `half_distance=(0.01, 0.02)` to make sources that fade quickly from their center. What happens to recall, and is that an error of the network or of the definition of truth?
# :::
#
# :::{solution} ex-evaluation-3
# :class: dropdown
#
# ```python
# for name, options in {"usual": {}, "fading": {"half_distance": (0.01, 0.02)}}.items():
#     scored = evaluation.evaluate(
#         model,
#         clips,
#         methods=("deepsif",),
#         n_samples=min(n_samples, 30),
#         progress=False,
#         **options,
#     )
#     means = evaluation.headline(scored)[["precision", "recall", "error_mm"]].mean()
#     print(name, means.round(2).to_dict())
# ```
#
# Recall falls, while precision rises. Regions at the border of such a patch hold a tenth of the activity of its center or less, and no recording shows them; the truth counts them as full members all the same. It is the definition that is hard there: weight each region by its activity, and the loss shrinks.
# :::
#
# :::{exercise}
# :label: ex-evaluation-4
#
# Make a recording of two sources that are mirror images of each other and share one time course. Where does the dipole go, and where the network?
# :::
#
# :::{solution} ex-evaluation-4
# :class: dropdown
#
# Mirror a patch, and find the region that alone explains most of the sum of both maps:
#
# ```python
# flipped = cortex.centroids * [-1, 1, 1]
# mirror = np.linalg.norm(cortex.centroids[:, None] - flipped, axis=2).argmin(axis=0)
# spike = np.exp(-0.5 * ((times - 0.5) / 0.02) ** 2)
# gain, rng = head.referenced_leadfield, np.random.default_rng(seed)
# lateral = np.flatnonzero(np.abs(cortex.centroids[:, 0]) > 0.03)
# for start in rng.choice(lateral, 8, replace=False):
#     patches = [dl.grow_patch(cortex, start, rng=0)]
#     patches.append(np.unique(mirror[patches[0]]))
#     truth = np.concatenate(patches)
#     scalp = gain[:, truth].sum(axis=1)
#     one = int(((scalp @ gain) ** 2 / (gain**2).sum(axis=0)).argmax())
#     noise = 0.1 * scalp.std() * rng.standard_normal((len(times), len(scalp)))
#     image = np.abs(model.predict(np.outer(spike, scalp) + noise)).max(axis=0)
#     found = image[truth[: len(patches[0])]].max(), image[patches[1]].max()
#     shares = [f"{value / image.max():.0%}" for value in found]
#     print(f"dipole {1e3 * cortex.distances[one, truth].min():2.0f} mm off;", end=" ")
#     print("the network's image in both, of its largest:", " and ".join(shares))
# ```
#
# A dipole explains the sum of both scalp maps with one place, often near the midline and deeper, where there is no source. The network places patches together and takes one on each side; where it takes one alone, its probability and the share of the EEG that one patch explains are low.
# :::
#
# ## Next
#
# These were simulated recordings. [Chapter 5](05_epilepsy.ipynb) gives the network a patient's.
