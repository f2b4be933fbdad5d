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
# # What was tried on the way to the network
#
# *Appendix of [chapter 3](03_training.ipynb).*
# The network of chapter 3 was not designed at a desk: it is what was left after a series of trials.
# This appendix lists them, those that brought nothing included, and asks whether more clips or more parameters would help.
#
# Most of its numbers were not computed on this page: they are stored in `data/experiments`, since each row is a training of its own.
# Most trials are of earlier networks, each for a single cap and trained for a shorter time than the shipped one, so they say which design is better, not how good the shipped network is.
#
# **Paper map.** Methods, "Training the DNN" {cite:p}`sun2022deepsif`. The paper reports one design.
#
# **Library.** {py:func}`dl.train <deepsif_lite.train>`, {py:func}`dl.results.read_experiment <deepsif_lite.results.read_experiment>`; `benchmarks/robustness.py`, `benchmarks/scaling.py`, `benchmarks/variety.py`, `benchmarks/baseline_whitening.py` and `benchmarks/head_error.py` make most of the tables again.
#
# **Needs.** [Chapter 3](03_training.ipynb). No graphics card.
#
# **You will learn**
# - what each idea of the design bought;
# - which kinds of variety in training pay, and whether a baseline helps;
# - how sure the network may be with a person's own head;
# - what a wrong head and source-free recordings do to a network that never met them;
# - why good scores on samples like those of the training are not enough;
# - how few clips would do, and whether a larger network does better.
#
# **Run time.** Under a minute at profile `lite` on two cores.

# %% tags=["parameters"]
profile = "lite"
seed = 2022

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import pandas as pd

import deepsif_lite as dl
from deepsif_lite.errors import RecordingUnavailable
from deepsif_lite.evaluation import METRICS, per_sample
from deepsif_lite.head import (
    load_cap_sampler,
    load_fem_head,
    template_cap,
    topography_correlation,
)

dl.figures.use_style()

# %%
settings = dl.get_profile(profile)
model = dl.load_model("lite-75")
labels = {name: METRICS[name] for name in ("precision", "recall", "error_mm")}

# %% [markdown]
# ## What each idea bought
#
# Loss on the same 256 validation samples against samples seen, recorded while the first network was designed (two busy cores, one run each, stopped early).
# Whitening and a dictionary made the network learn many times faster; the search did so once more, and so did the signal band and message passing.
# (The final network of that design is not among them: its loss counts all of the error, theirs left out the part that no loading can change.)

# %% mystnb={"figure": {"name": "fig-training-trials", "caption": "Validation loss of the designs that were tried. Round patches: three round patches a region and no whitening, the first design. White: with whitening, and a dictionary of so many patches a region. The last three add to it: two tests of the regions at a patch's border; the search; signal band and message passing."}, "image": {"alt": "Falling curves of loss against samples seen; that of the last design lies lowest."}}
trials = dl.results.read_experiment("scan_network")
fig, ax = plt.subplots(figsize=(5.2, 2.8), layout="constrained")
for name, log in trials.groupby("run", sort=False):
    _ = dl.figures.plot_loss(log, columns={"validation_loss": name}, ax=ax)
_ = ax.set(ylabel="loss", xscale="log")
_ = ax.legend(loc="lower left", fontsize=7)

# %% [markdown]
# Two of these ideas, one after the other: three runs of 16,000 samples, alike in all else and scored on the same 144 recordings by Otsu's threshold (one processor core each, beside each other).

# %% table={"caption": "Three short trainings, each with one idea more than the row above."}
short_runs = dl.results.read_experiment("short_runs")
_ = dl.results.write_table("03b_short_runs", short_runs, profile)
shown = short_runs.drop(columns="samples").set_index("design").round(3)
shown.rename(columns={**METRICS, "validation_loss": "validation loss"})

# %% [markdown]
# How exact is a mean over so many recordings? These trials stored no deviations. That of `lite-75-known-head` over recordings of the same kind gives the standard error of a mean; rows are compared on the same recordings, so their differences are more exact.

# %% table={"caption": "Standard error of a mean, by the number of recordings."}
spread = dl.results.read_experiment("full_counts").query("method == 'known head'")
spread = spread.set_index("id")["sd"]
SCALED = "360 recordings"  # of the networks of "Clips and parameters"
sizes = {"144 recordings": 144, "300 recordings": 300, SCALED: 360}
sizes["450 recordings"] = 450
exact = {
    METRICS[name]: {
        size: spread[dl.results.paper_key(name)] / n**0.5 for size, n in sizes.items()
    }
    for name in labels
}
pd.DataFrame(exact).rename_axis("standard error of a mean over").round(3)

# %% [markdown]
# And nine later trials of as many samples, scored on 450 recordings (150 with one, two and three sources each; regions with a probability above one half).
# A row that begins with "and" changes one thing in the row above it.
# A larger dictionary helps: the more patches, the nearer one of them comes to the true one.
# A transformer of half the width, and with it a network of a third of the size, does as well.
# Two ideas brought nothing in so short a training: four steps of message passing instead of two, and another branch for the EEG that the first image leaves unexplained.
#
# Whitening divides by the spatial covariance of the background, so it amplifies differences between electrodes whose background is alike; the smaller the noise-to-background ratio ("share" in the table), the smaller the differences that count.
# In these trials such differences were right, because the head model of the image was that of the recording, so a larger ratio (last two rows) costs accuracy.

# %% table={"caption": "Nine short trainings that differ in one thing from the row above, or in what the row says."}
last_trials = dl.results.read_experiment("last_trials")
_ = dl.results.write_table("03b_last_trials", last_trials, profile)
shown = last_trials.drop(columns=["samples", "test_recordings"]).set_index("trial")
shown["parameters"] = shown["parameters"].map("{:,}".format)
shown.rename(columns=METRICS).round(3)

# %% [markdown]
# (a-wrong-head-and-a-source-free-recording)=
# ## A wrong head, and a source-free recording
#
# In people those small differences are *not* right, because no head equals the template ([chapter 6](06_evoked.ipynb) shows it on a real recording).
# And a network trained only on recordings with sources may find sources in any recording.
# Four more short trainings (`benchmarks/robustness.py`), scored on recordings with one, two and three sources of the head model used in training and of heads with displaced electrodes (by 5 and 10 mm), computed by the boundary element method (regions with a probability above one half).
# Last column: of as many *source-free* recordings ("empty" in the table), the share in which some region had a probability above one half.

# %%
robustness = dl.results.read_experiment("robustness")
_ = dl.results.write_table("03b_robustness", robustness, profile)
print(
    f"{robustness.samples[0]:,} training samples each, "
    f"{robustness.recordings_in_each_set[0]} recordings in each test set"
)

# %% table={"caption": "Four short trainings on heads with electrodes off their places, and on source-free recordings."}
names = {r"jitter-(\d+)mm": r"electrodes off by \1 mm", "template-75": "template"}
shown = robustness.replace({"head": names}, regex=True).set_index(["trial", "head"])
shown = shown[["precision", "recall", "error_mm", "false_alarms"]]
shown.rename(columns={**METRICS, "false_alarms": "false alarms"}).round(2)

# %% [markdown]
# Electrodes displaced in training cost next to nothing on the known head, and improve the others a little.
# Source-free recordings cost nothing on the first two heads; with electrodes 10 mm off, precision rises and recall falls.
# A noise-to-background ratio of 0.2, the better one in the trials above, is the worse one where electrodes are displaced; so the networks whiten with 1.
# (One run each, on three sets of the size printed: see the standard errors above, and the differences of two runs of one recipe come on top.)
#
# The first three find a source in nearly every source-free recording. (They were trained on none, and before the network had the output $p$.)
# The last one was trained on source-free recordings, as the shipped networks were: one in seven, background activity under noise of any strength, down to noise alone.
# [Chapter 4](04_evaluation.ipynb) counts the false alarms of the shipped network, and what avoiding them costs elsewhere.
#
# `lite-published-75`, the network for the authors' head model, went on from an earlier network that was trained in this way, for a few minutes on that head.
#
# ## Trained to the end
#
# The designs that were trained to the end, scored on fresh recordings with one to three sources (means over 11,928 of them, over 900 for the first; regions selected by Otsu's threshold, a missed source has recall 0; a dash: not measured).
# Weighting electrodes by their power was *not* adopted, although its scores are better than those of the design it changes.
# In the training data an electrode's noise is proportional to its power, so a network can weight each electrode by its power in the recording; that helps a little on recordings of the same kind.
# But where noise follows another rule, it weights the wrong electrodes.
# The last column shows it, with recordings made as the published code makes them, where an electrode's constant offset counts as signal (`deepsif-lite evaluate --synthesis published`; 300 recordings, regions with a probability above one half).
# The rule of the noise in the next patient is unknown, so the shipped networks weight electrodes alike.
# Leaving out the frequencies of mere noise raised recall more, and assumes no such rule.
# The last three designs lose some localization accuracy in return for robustness to other heads; the last one regains a part of it by estimating $p$ separately.
# All of them were trained on sources of 10 cm$^2$ and more, on clean recordings; the table of the network for any cap is in [chapter 3](03_training.ipynb), "What electrodes cost".

# %% table={"caption": "Designs that were trained to the end. Error: localization error on recordings as those of the training, then on recordings with other noise."}
designs = dl.results.read_experiment("designs")
_ = dl.results.write_table("03b_designs", designs, profile)
shown = designs.set_index("design").drop(columns="test_recordings")
shown["samples"] //= 1000
columns = {
    "samples": "thousand samples",
    "error_mm": "error (mm)",
    "other_noise_error_mm": "with other noise (mm)",
}
earlier = {name: name.replace("(lite-75)", "(an earlier lite)") for name in shown.index}
shown.rename(index=earlier, columns=columns).round(3)

# %% [markdown]
# (what-each-kind-of-variety-buys)=
# ## What each kind of variety buys
#
# The network for any cap learns from samples that differ in many ways beside the paper's: sources of all sizes, eyes and muscles, other heads ... ([chapter 3](03_training.ipynb)).
# Is each of them worth its place?
# `benchmarks/variety.py` starts from a small network that has seen only the paper's samples, under any cap, and lets it go on with the whole recipe, with recipes that lack one kind, and with two that have one kind more; all for equally many samples, with two seeds.
# Every network is scored on the same recordings, of heads, clips and caps that none was trained on: with the kind in question in every recording, with none of them, and with all as in the recipe.
# The table shows the change of the average precision against the whole recipe, with its standard error over recordings (paired); "seeds" is half the difference between the two seeds.

# %%
variety = dl.results.read_experiment("variety")
_ = dl.results.write_table("03b_variety", variety, profile)
asked = variety.recipe.str.replace("with(out)? ", "", regex=True)
own = variety[variety.recordings_with == asked].set_index("recipe")
plain, whole = (
    variety[variety.recordings_with == kind].set_index("recipe")
    for kind in ("nothing besides", "the whole recipe")
)

# %% tags=["hide-input"] table={"caption": "Change of the average precision when one kind of variety is left out or added."}
change, error = "average_precision_difference", "average_precision_se"
columns = {"with this kind": own, "with none": plain, "as in the recipe": whole}
shown = pd.DataFrame(
    {
        name: [f"{c:+.3f} ± {e:.3f}" for c, e in zip(t[change], t[error], strict=True)]
        for name, t in ((n, each.loc[own.index]) for n, each in columns.items())
    },
    index=own.index,
)
shown.assign(seeds=own["average_precision_between_seeds"].round(3))

# %% [markdown]
# Four kinds pay: eyes, muscles and electrodes; sources of all sizes; related time courses; rhythms.
# A network that never met one of them does worse on the recordings that have it, with both seeds.
# What they cost on recordings without any of them is a few thousandths.
#
# The other kinds change thousandths, up or down: so short a training does not show whether they pay.
# (Displaced electrodes did, in longer trainings of another network: see the table of wrong heads above.)
# They stay, since recordings have them and they cost nothing that can be measured here.
# Bridged electrodes and real resting EEG, which the recipe does not have, brought nothing, and stay out.
#
# ## Whitening by the baseline
#
# Evoked responses come with a baseline, which shows what goes on all the time.
# `benchmarks/baseline_whitening.py` tells the shipped network of it in several ways, on simulated recordings with strong rhythms and artifacts, each compared with imaging as it is on the same recordings (two seeds, other ones than those that served to choose): the strongest scalp maps of the baseline are taken out of data and leadfield, or both are whitened by its covariance, whole, halfway, or with some of the window's power added, as if the head model were wrong by that much.

# %% table={"caption": "Average precision when the network is told of the baseline, and the gain over imaging as it is."}
ways = dl.results.read_experiment("baseline_whitening").query("recordings == 'all'")
_ = dl.results.write_table("03b_baseline_whitening", ways, profile)
gains = [f"{g:+.3f} ± {e:.3f}" for g, e in zip(ways.gain, ways.gain_se, strict=True)]
shown = ways.assign(gain=gains, seed=[f"seed {seed}" for seed in ways.seed])
shown["average precision"] = shown["average_precision"].map("{:.3f}".format)
shown = shown.pivot(index="way", columns="seed", values=["average precision", "gain"])
shown.loc[ways.way.unique()].rename_axis(columns=[None, None])

# %% [markdown]
# Can such images be trusted? {py:func}`dl.image <deepsif_lite.image>` gives each a verdict ([chapter 7](07_your_eeg.ipynb)), here by those checks that need no positions of electrodes.
# The table shows the share of wrong images (the strongest region lies more than 2 cm from any source) among those with each verdict, and the largest difference of a probability above 0.2 from the share of regions that are active:

# %% table={"caption": "Share of wrong images among those with each verdict, and the largest difference of the probabilities from the truth, without the baseline and with it."}
verdicts = dl.results.read_experiment("baseline_trust")
_ = dl.results.write_table("03b_baseline_trust", verdicts, profile)
verdicts["wrong"] *= verdicts["images"]
counts = verdicts.groupby(["way", "verdict"], sort=False)[["images", "wrong"]].sum()
share = (counts["wrong"] / counts["images"]).round(2)
gap = ways.groupby("way")["largest_gap"].mean().round(2)
shown = share.unstack().rename(columns=lambda verdict: f"“{verdict}”: wrong")
shown.assign(**{"largest difference": gap.loc[shown.index]})

# %% [markdown]
# Then the best way was tried on published recordings: the share of the ten strongest regions that lie in the area where the response is known to arise.

# %% table={"caption": "Share of the ten strongest regions in the expected area, by recording."}
recordings = dl.results.read_experiment("baseline_whitening_recordings")
_ = dl.results.write_table("03b_baseline_recordings", recordings, profile)
kinds = recordings.recording.str.split("-").str[0]
in_words = {"mne": "MNE's test responses", "oddball": "visual oddball"}
in_words |= {"patient": "patient's spikes", "sep": "touch", "vep": "checkerboard"}
recordings = recordings[recordings.way.isin(["as it is", "whitened"])]
shares = recordings.groupby([kinds.map(in_words), "way"])["in_target"].mean()
shares.unstack().round(2)

# %% [markdown]
# It helps the responses of healthy people and harms the patient's spikes, perhaps because the patient's baseline holds activity of the same region.
# So {py:func}`dl.image <deepsif_lite.image>` does it where it is given a `baseline`, and not unless asked ([chapter 6](06_evoked.ipynb) shows it).
#
# Does a network gain by training with it? `benchmarks/whitened_training.py` lets two small networks learn from 6,400 recordings each, one as they are, the other half of them whitened by imperfect covariances, of one to sixteen other recordings of the same person. Average precision on the recordings of other people, as they are and by their own baselines (two trainings each; difference from the first network without a baseline, paired by recording):

# %% tags=["hide-input"] table={"caption": "Average precision of networks trained with and without whitening, by how they image."}
trained = dl.results.read_experiment("whitened_training")
_ = dl.results.write_table("03b_whitened_training", trained, profile)
trained["difference"] = [
    f"{d:+.3f} ± {e:.3f}"
    for d, e in zip(trained.difference, trained.difference_se, strict=True)
]
shown = trained.rename(columns=lambda name: name.replace("_", " ")).round(3)
shown.set_index(["trained on", "imaged"]).iloc[:, :2]

# %% [markdown]
# Whitening pays for a network that never met it, and so short a training with it adds nothing that two seeds could tell.
# It stays out of the recipe.
#
# One thing does not agree: whitened real responses get low probabilities ([chapter 6](06_evoked.ipynb)), whitened simulations do not.
# A reason shows in how well the best patch of the dictionary fits into the first three scalp maps (means; `--person` makes the recordings with a person's own head, see the next section):

# %% tags=["hide-input"] table={"caption": "Share of the best patch's scalp map in the span of the first three maps, as recorded and whitened."}
of_person = dl.results.read_experiment("baseline_whitening_person")
_ = dl.results.write_table("03b_baseline_person", of_person, profile)
of_person = of_person.query("recordings == 'all'")
simulated = {"simulated, computed heads": ways, "simulated, a person's head": of_person}
once = recordings.drop_duplicates(["recording", "window", "way"])
fits = {name: table.groupby("way")["fit"].mean() for name, table in simulated.items()}
for kind, part in once.groupby(once.recording.str.split("-").str[0].map(in_words)):
    fits[kind] = part.groupby("way")["fit"].mean()
shown = pd.DataFrame(fits).T[["as it is", "whitened"]]
shown.rename_axis("recordings", axis=0).rename_axis(None, axis=1).round(2)

# %% [markdown]
# Where the recording comes from a head that was computed as the network's own, whitening costs the fit little. From a person's head it costs more, and of touch and checkerboard most: it enlarges the directions in which noise is small, and there the errors of the leadfield are all that is left.
# MNE's responses and the oddball fit badly either way. To the network a bad fit is a sign that there is no source.
#
# (a-head-that-no-model-computes)=
# ## A head that no model computes
#
# The training has twelve heads of other shapes and skulls, computed as the template was. How far are they from it, and how far is a person's own head, by finite elements with six tissues (subject A0206 of [chapter 2](02_forward.ipynb))?

# %% tags=["published-data", "hide-input"]
heads = {f"training {k + 1}": h for k, h in enumerate(load_cap_sampler().others)}
try:
    own = load_fem_head()
    cap = template_cap(own.ch_names)
    maps = {"a person's own": own.leadfield}
except RecordingUnavailable:
    cap, maps = dl.load_head_model("template-75"), {}
maps |= {name: potentials.at(cap.sensors) for name, potentials in heads.items()}
alike = {k: topography_correlation(v, cap.leadfield) for k, v in maps.items()}
alike = pd.DataFrame(alike).median()
print("correlation of scalp maps with the template's, medians over parcels:")
of_training = alike[[*heads]]
print(f"heads of training: {of_training.min():.3f} to {of_training.max():.3f}")
for name, correlation in alike.drop([*heads]).items():
    print(f"{name}: {correlation:.3f}")

# %% [markdown]
# So this is how sure the network may be with people: recordings as varied as those of training, made with that head and imaged by the template, beside the template's own (same electrodes), and other caps on heads computed as those of training.
#
# What would training with such heads change? In `Variety(head_error=...)` the potentials of each person are changed at random: the brain is shifted under the cap, the skull lets more through at some places, and folds turn some of each parcel towards its neighbors, up to half as much again as the person's head differs.
# `benchmarks/head_error.py` lets the shipped network learn from 6,400 further samples, as those of its training and with such heads (two seeds; changes against the former, paired by recording):

# %% tags=["hide-input"] table={"caption": "The shipped network on a person's own head and on computed ones, and after 6,400 further samples without and with heads that no model computes."}
head_error = dl.results.read_experiment("head_error")
_ = dl.results.write_table("03b_head_error", head_error, profile)
measures = {"average_precision": "average precision", "cross_entropy": "cross-entropy"}
head_error["cross_entropy"] = head_error["cross_entropy"].round(1)
shown = head_error.set_index(["recordings_of", "network"])[[*measures, "largest_gap"]]
for name in measures:
    change, error = head_error[f"{name}_difference"], head_error[f"{name}_se"]
    digits = 3 if name == "average_precision" else 1
    shown[f"{measures[name]}, change"] = [
        f"{c:+.{digits}f} ± {e:.{digits}f}" for c, e in zip(change, error, strict=True)
    ]
shown = shown.rename(columns={**measures, "largest_gap": "largest gap"}).round(3)
in_words = {"as it is": "usual samples", "with other heads": "wrong heads, too"}
shown.rename(in_words).rename_axis(["recordings of", "network"])

# %% [markdown]
# On a person's head all is harder, and the shipped network promises too much: of the regions to which it gives three quarters, six in ten are active.
# Further training of the usual kind leaves that as it is. With wrong heads in it the gap halves, and sources are found a little better; on computed heads the network then promises too little, and finds a little less.
#
# So probabilities that are true of computed heads are not true of people, and the other way round, and a network does not see from a recording whose head it is.
# The user does. Hence the shipped network stays as it is, and so do the probabilities of simulated EEG. Those of *recordings* go through a curve of three numbers ({py:class}`BetaCalibration <deepsif_lite.imaging.BetaCalibration>`) {cite:p}`kull2017` that was fitted to simulated recordings of heads that no model computes. It changes no order of regions.
# How far should those heads be from computed ones? `benchmarks/recalibration.py` fits curves to three ranges of `head_error` (1 is about a person's; two seeds each), and holds them against the person's own head, which served for no fit:

# %% tags=["hide-input"] table={"caption": "Largest gap of the probabilities above .2: as the network gives them, and by curves fitted to heads that differ from computed ones by so much (two seeds)."}
curves = dl.results.read_experiment("recalibration")
_ = dl.results.write_table("03b_recalibration", curves, profile)
gaps = curves.pivot_table(
    "largest_gap", "fitted_to", "recordings_of", ["min", "max"], sort=False
)
gaps = gaps.round(2).astype(str)
spans = gaps["min"].where(gaps["min"] == gaps["max"], gaps["min"] + ", " + gaps["max"])
spans.rename({"none": "none: as told"}).rename_axis("curve of head errors").rename_axis(
    columns="recordings of"
)

# %% [markdown]
# The range around a person's was taken, and its curve fitted to both seeds at once. (Where the two differ most, few regions have such a probability at all.)
# On computed heads such a curve promises too little, so it is for recordings alone.
# [What can be imaged](../book/contract.md) has the gap of the shipped curve, on other recordings of this head. It is one person's: how much people differ in it is not known.
#
# ## Clips and parameters
#
# Are there enough clips?
# If not, the network would do better on recordings made of clips it has trained on than on recordings made of others.

# %% tags=["nbval-ignore-output"]
rows = {}
options = {"n_samples": min(settings.n_test_samples, 40), "seed": seed}
for split, name in {"train": "clips of the training", "test": "other clips"}.items():
    clips = dl.load_spike_library("lite", split=split)
    scores = dl.evaluate(model, clips, methods=("deepsif",), progress=False, **options)
    rows[name] = per_sample(scores)[list(METRICS)].mean()

# %% tags=["nbval-ignore-output"] table={"caption": "The shipped network on clips of its training and on others."}
by_clips = pd.DataFrame(rows).T.rename_axis("recordings of").rename(columns=METRICS)
_ = dl.results.write_table("03b_clips", by_clips, profile, seed=seed, seconds=0)
by_clips.map("{:.2f}".format)

# %% [markdown]
# How few clips would do, and would a larger network do better?
# `benchmarks/scaling.py` trains networks for as many samples each, on ever fewer clips and of ever more parameters, and scores them on the same recordings of the test clips (the stored table is of "dictionary and search", of width 256; it was not measured again with the shipped design):

# %% table={"caption": "Short trainings on fewer clips and with more parameters."}
scaling = dl.results.read_experiment("scaling")
print(f"{scaling.samples.iloc[0]:,} samples each")
_ = dl.results.write_table("03b_scaling", scaling, profile)
shown = scaling.set_index(["curve", "clips", "parameters"])
shown = shown.drop(columns=["samples", "seconds"])
shown = shown.rename(index="{:,}".format, level="parameters")
shown.rename(columns=METRICS).round(2)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-training-clips", "caption": "Precision, recall and localization error after as many samples, against the number of different clips they were made of (top) and against the number of parameters (bottom), one run each. Bars: two standard errors of a mean over the recordings scored, as above; another seed of the training would add to them."}, "image": {"alt": "Six small dot charts with error bars, on whole axes: the dots of all numbers of clips lie on a level, and only the smallest network differs from the others."}}
curves = scaling.groupby("curve", sort=False)
WHOLE = {"precision": (0, 1), "recall": (0, 1), "error_mm": (0, 3)}
fig, axes = plt.subplots(
    len(curves), 3, figsize=(6.8, 1.9 * len(curves)), layout="constrained"
)
for row, (curve, part) in zip(axes, curves, strict=True):
    for ax, (column, limits) in zip(row, WHOLE.items(), strict=True):
        two = 2 * exact[METRICS[column]][SCALED]
        ax.errorbar(part[curve], part[column], two, fmt="o", ms=3, lw=1, capsize=2)
        _ = ax.set(xscale="log", xlabel=curve, title=labels[column], ylim=limits)

# %% [markdown]
# In these short runs seven clips did as well as hundreds: patches, positions and noise make samples differ. Of the sizes, only the smallest network differs.
# Each point is one run, and differences of 0.01 may be chance, so the figure excludes a large effect, not a small one.
# In the trials above a larger dictionary did help.

# %% [markdown]
# ## Summary
#
# - Whitening, a dictionary of patches, the search and the signal band each made the network learn faster; a larger dictionary made it better.
# - A network that has met only the right head and recordings with sources is worse on others, and sees sources where none are.
# - Scores on samples like those of the training reward what is true of these samples alone.
#
# ## Limits
#
# - Most trials are one run each; where there were two, the tables say so. Small differences may be chance.
# - The trials are short, and most are of earlier networks. What does not help within some thousand samples may help within a million: the shipped network was trained for longer than any of them ([chapter 3](03_training.ipynb) reads from its card for how long).
# - Only the whitening by the baseline was tried on recordings of people; all else was scored on simulated ones.
#
# ## Exercises
#
# :::{exercise}
# :label: ex-trials-1
#
# Compare "dictionary and search" and "the same, electrodes weighed" in "Trained to the end". Which would you ship if the last column of the table were missing, and why would that be wrong?
# :::
#
# :::{solution} ex-trials-1
# :class: dropdown
#
# The one that weights electrodes by their power: all of its scores are a little better, after fewer samples. The last column shows what they hide: where the noise follows another rule, it errs by more than a centimeter. A score on samples that were made as the training samples cannot tell what was learned of the brain from what was learned of the simulation.
# :::
#
# :::{exercise}
# :label: ex-trials-2
#
# How large would a test set have to be to tell a difference of 0.01 in recall? (Take 0.25 as the standard deviation of the recall of a recording.)
# :::
#
# :::{solution} ex-trials-2
# :class: dropdown
#
# Scored on the same recordings, two networks are compared by their difference, whose deviation is smaller than that of either; taken as 0.25 nonetheless, the standard error of a mean over $n$ recordings is $0.25/\sqrt{n}$. For 0.01 to be two standard errors, $n = 2500$. And that is only the error of the test set: another seed of the training gives another network.
# :::
#
# ## Next
#
# [Chapter 4](04_evaluation.ipynb) measures the network that came of this.
