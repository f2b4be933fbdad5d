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
# # Train a network on brains that never existed
#
# No one has ever measured where all the sources of an EEG are, so there is nothing real to learn from.
# A network can still learn the inverse problem, from scalp to cortex, on simulations, where the sources are known.
# This chapter describes two networks, the paper's and a smaller one, and trains the smaller one for a minute.
#
# **Paper map.** PNAS Fig. 2 (the network); Methods, "Simulating Synthetic Dataset" and "Training the DNN" {cite:p}`sun2022deepsif`.
#
# **Library.** {py:class}`dl.SyntheticEEG <deepsif_lite.SyntheticEEG>`, {py:func}`dl.train <deepsif_lite.train>`, {py:func}`dl.load_model <deepsif_lite.load_model>`, and the modules {py:mod}`synthesis <deepsif_lite.synthesis>`, {py:mod}`network <deepsif_lite.network>` and {py:mod}`training <deepsif_lite.training>`.
#
# **Needs.** [Chapter 2b](02b_inverse.ipynb), singular vectors, and how a network is trained. A graphics card makes the live training quicker; nothing here needs one.
#
# **You will learn**
# - what a training sample looks like, and what the loss asks for;
# - how the paper's network and ours get from 75 electrodes to 994 regions, block by block;
# - why a few scalp maps are enough, and what a scan of the cortex with them is;
# - how to train a network further, for what you image.
#
# What was tried on the way is in [an appendix](03b_trials.ipynb).
#
# **Run time.** About two minutes at profile `lite` on two cores, half of it live training.

# %% tags=["parameters"]
profile = "lite"
seed = 2022

# %% tags=["hide-input"]
import tempfile
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy.fft import dct

# %% tags=["hide-input"]
import deepsif_lite as dl
from deepsif_lite.evaluation import METRICS, per_sample
from deepsif_lite.figures import Block
from deepsif_lite.network import (
    STANDS_OUT,
    available_weights,
    band_spectrum,
    build_network,
    load_card,
    load_log,
    source_whitener,
)
from deepsif_lite.signals import average_reference

dl.figures.use_style()

# %%
settings = dl.get_profile(profile)
head = dl.load_head_model("template-75")
cortex = head.cortex
train_clips = dl.load_spike_library("lite", split="train")
test_clips = dl.load_spike_library("lite", split="test")
print(f"{len(train_clips)} clips to train on, {len(test_clips)} others to test on")

# %% [markdown]
# ## What the network is shown
#
# A sample is one second: EEG in, activity of all regions out.
# `SyntheticEEG` makes sample number $i$ from the seed and $i$ alone, whenever it is asked for; nothing is stored.
# It draws one to three seed regions, grows a patch around each, gives every patch the time course of a simulated clip, and adds the clips' background and noise at the electrodes.
# As in the paper, each source is scaled to a random 10 to 20 dB above the background, and the white noise at the electrodes to a signal-to-noise ratio of 5, 10, 15 or 20 dB.
#
# Both sides are scaled: the EEG loses its mean over time and over channels and is divided by its largest magnitude; the activity is divided by its largest magnitude.
# So the network learns *where* and *when*, never how many nanoampere meters.

# %%
stream = dl.SyntheticEEG(head, test_clips, n_sources=2, seed=seed)
sample = stream[26]
times = np.arange(len(sample.eeg)) / test_clips.sfreq
print(f"EEG {sample.eeg.shape}, activity {sample.activity.shape}")
print(f"patches of {[len(p) for p in sample.patches]} regions, {sample.snr_db:.0f} dB")

# %% mystnb={"figure": {"name": "fig-training-sample", "caption": "One training sample: the EEG that goes in (left, one line an electrode) and the activity that should come out (right, one line a region)."}, "image": {"alt": "Left: 75 overlaid EEG traces with spikes. Right: source activity, zero for most regions, with one spike time course for each of the two patches."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(6.8, 2.2), layout="constrained")
_ = dl.figures.plot_butterfly(sample.eeg, times, ax=left, ylabel="EEG (no unit)")
_ = dl.figures.plot_butterfly(
    sample.activity, times, ax=right, ylabel="activity (no unit)"
)

# %% [markdown]
# ### As varied as recordings are
#
# Recordings differ in more than the paper's samples do, and a network takes what it never met for a source.
# So the samples that trained the shipped network, of {py:class}`VariedEEG <deepsif_lite.synthesis.VariedEEG>`, differ in these things as well:
#
# - **Caps.** Each batch has a cap of its own: common ones, subsets of the 10-10 system, electrodes spread evenly over the head, 16 to 128 of them, some with up to a quarter of their electrodes lost.
# - **Heads.** The network is told the leadfield of the template, at the nominal electrodes. The recording comes from one of twelve other heads (other shapes, skulls of 3 to 7 mm, of other conductivity) or from the template, with electrodes displaced. Some were recorded by another cap and interpolated to this one by spherical splines {cite:p}`perrin1989`.
# - **Sources** of any size, from a single region to 60 cm$^2$, and some recordings with the same time course in several places.
# - **Time courses** that are no spikes: transients of 20 to 500 ms, damped oscillations, rhythms. Some windows are shorter than a second.
# - **Rhythms as background.** One to three patches that oscillate, in bursts or all along, below the power of the rest. They are *not* in the activity that is asked for: the network has to tell an ongoing rhythm from a source.
# - **What is not cortex**: eyes, muscles of temple, jaw, forehead and neck (dipoles in the scalp, their fields by boundary elements as those of the cortex), single electrodes that drift, pop or are noisy, skin potentials, heart, mains.
#
# Some samples have no source at all, so that the network learns to find nothing.
# How often each of these was drawn, and how strong, the card of the shipped network records:

# %%
card = load_card("lite")
n_sources = pd.Series(card["training"]["n_sources"]).value_counts(normalize=True)
print(f"{n_sources[0]:.0%} of the samples have no source; ", end="")
print(f"the others have up to {n_sources.index.max()}")

# %% tags=["hide-input"]
IN_WORDS = {
    "sized_share": "sources of any size (share)",
    "together_share": "sources with related time courses (share)",
    "waveform_share": "time courses that are no spikes (share)",
    "artifact_share": "samples with what is not cortex (share)",
    "artifact_db": "its power against the rest (dB)",
    "displacement": "electrodes displaced by (mm)",
    "mapped_share": "recorded by another cap (share)",
    "short_share": "windows shorter than a second (share)",
    "shortest": "shortest window (s)",
    "rhythm_share": "samples with rhythms as background (share)",
    "rhythm_db": "their power against the rest (dB)",
    "source_snr": "source against its background (dB)",
}

# %% tags=["hide-input"] table={"caption": "What the samples of the shipped network hold beside those of the paper: shares, and ranges that are drawn from evenly."}
drawn = card["training"]["variety"]
in_units = {"displacement": 1e3, "shortest": 1 / test_clips.sfreq}
rows = {}
for name, words in IN_WORDS.items():
    values = np.atleast_1d(drawn[name]) * in_units.get(name, 1)
    rows[words] = " to ".join(f"{value:g}" for value in values)
pd.Series(rows, name="drawn").rename_axis("in samples of lite").to_frame()

# %% [markdown]
# ## The paper's network
#
# Every time point passes the *spatial module*, two residual blocks {cite:p}`he2016`, on its own: with $x \in \mathbb{R}^{75}$ and ELU as $\varphi$,
#
# $$
# \begin{aligned}
# h_1 &= \varphi\big(W_{12}\,\varphi(W_{11} x + x)\big) &&\in \mathbb{R}^{75},\\
# h_2 &= \varphi\big(W_{22}\,\varphi(W_{21} h_1) + W_{23} h_1\big) &&\in \mathbb{R}^{500},\\
# h_3 &= \varphi(W_3 h_2) &&\in \mathbb{R}^{500}
# \end{aligned}
# $$
#
# (biases left out).
# The *temporal module*, three LSTM layers, then runs over the 500 time points; the last layer's state at time $t$ is the activity of the 994 regions at time $t$.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-training-paper-network", "caption": "The paper's network, layer by layer; a bar is as tall as the layer has units (numbers below). Blue: skip connections, added before the nonlinearity; the second one has a matrix of its own, because the sizes differ. Compare PNAS Fig. 2."}, "image": {"alt": "Nine bars in a row: input and two layers of 75 units, three of 500, three LSTM layers of 994. A blue line leads from the input to the first layer, another from the second layer past the third to the fourth."}}
theirs = build_network("paper", len(head.ch_names), cortex.n_regions)
dense = {
    "W₁₁": theirs.block1_in,
    "W₁₂": theirs.block1_out,
    "W₂₁": theirs.block2_in,
    "W₂₂": theirs.block2_out,
    "W₃": theirs.mix,
}
layers = [("EEG", theirs.n_channels)]
layers += [(name, layer.out_features) for name, layer in dense.items()]
layers += [(f"LSTM {k}", x.hidden_size) for k, x in enumerate(theirs.temporal, 1)]
modules = {"spatial module: each time point": (1, 5), "temporal module": (6, 8)}
fig, ax = dl.figures.plot_layers(layers, [(0, 1, "x"), (2, 4, "W₂₃ h₁")], modules)

# %% [markdown]
# Nearly all of its parameters, and so of its cost, are in the LSTM: every parameter takes part in one multiplication and one addition at every time point.

# %%
model = dl.load_model("lite-75", device="cpu")  # its tensors are looked at
net, shape = model.network, (len(head.ch_names), cortex.n_regions)
sizes = pd.Series({"paper": theirs, "lite": net}).map(
    lambda network: sum(p.numel() for p in network.parameters())
)
lstm = sum(p.numel() for p in theirs.temporal.parameters())
billions = 2 * sizes["paper"] * len(times) / 1e9
print(sizes.map("{:,} parameters".format).to_string())
print(f"paper: {lstm / sizes['paper']:.0%} in the LSTM, ", end="")
print(f"{billions:.0f} billion operations for a second of EEG")

# %% [markdown]
# ## Ours: learn only what physics leaves open
#
# Ours starts from two things that are known without any learning.
# A second of EEG is nearly the sum of a few scalp maps, each with one time course; and the leadfield gives the scalp map of every patch of cortex.
# So the first is taken apart, the second is compared with it, and what is learned is to weigh the comparisons.

# %%
size = card["network"]
T, C, R, M = len(times), *shape, net.n_modes
W, L, P = size["width"], size["local_width"], net.geometry.patch_maps.shape[0]
n_rounds, F = net.geometry.n_rounds, net.local_in.in_features

# %%
print(f"transformer: {size['depth']} layers of width {W}")
print(f"scoring: {size['n_messages']} messages, width {L}, {F} features a region")
print(f"dictionary: {P:,} patches, {net.n_shapes} from each region")

# %% tags=["hide-input"]
w, S = 0.185, net.pick.out_features
blocks = {
    "eeg": Block(0.5, 0, 0.3, f"EEG\n{T} × {C}"),
    "white": Block(0.5, 1, 0.3, f"whitened EEG\n{T} × {C}", "physics"),
    "maps": Block(0.5, 2, 0.3, f"{M} scalp maps, strengths\n{M} × {C}, {M}"),
    "courses": Block(0.86, 2, 0.24, f"courses, constant\n{M + 1} × {T}"),
    "tokens": Block(0.1, 3, w, f"transformer\n{M + 2} × {W}", "layer"),
    "rounds": Block(0.3, 3, w, f"region scan\n{n_rounds} × {M} × {R}", "physics"),
    "scan": Block(0.5, 3, w, f"dictionary scan\n{S} × {P:,}", "physics"),
    "search": Block(0.7, 3, w, f"search\n{S * (S + 1) // 2} patches", "physics"),
}

# %% tags=["hide-input"]
text = f"scoring perceptron, {R} × {L}\n{size['n_messages']} messages of neighbors"
blocks |= {
    "together": Block(
        0.9, 3, w, f"placing together\n2 to {net.most_together} patches", "physics"
    ),
    "features": Block(0.605, 4, 0.775, f"features of each region\n{R} × {F}"),
    "score": Block(0.575, 5, 0.835, text, "layer"),
    "loadings": Block(0.17, 6, 0.3, f"loadings\n{M + 1} × {R}"),
    "gate": Block(0.5, 6, 0.3, f"probabilities p and q\n1, {R}"),
    "above": Block(0.86, 6, 0.24, "courses, constant\n(from above)"),
    "activity": Block(0.5, 7, 0.96, f"activity: courses × loadings × p q\n{T} × {R}"),
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-training-networks", "caption": "The shipped network, with the shapes of what flows through it for a second of EEG from 75 electrodes. Gray: data; blue: computed from the head model, nothing learned; orange: learned. Only the transformer and the scoring perceptron, with the layers that read them out, have parameters. The search starts from the dictionary scan, and the transformer tells both which maps to count (arrows left out)."}, "image": {"alt": "Boxes from top to bottom. EEG is whitened and split into maps and courses. The maps go to five boxes side by side: transformer, region scan, dictionary scan, search and placing together. The last four give features to a scoring perceptron; it and the transformer give loadings and probabilities, which times the courses give the activity."}}
five = ("tokens", "rounds", "scan", "search", "together")
arrows = [("eeg", "white"), ("white", "maps"), ("white", "courses")]
arrows += [("maps", name) for name in five]
arrows += [(name, "features") for name in five[1:]]
arrows += [("features", "score"), ("tokens", "loadings"), ("tokens", "score")]
arrows += [("score", "loadings"), ("score", "gate")]
arrows += [(name, "activity") for name in ("loadings", "gate", "above")]
fig, ax = dl.figures.plot_blocks(blocks, arrows)

# %% [markdown]
# The following sections take one block each, with its formula, on the sample above.
#
# ### Whitening
#
# The EEG is *[whitened](../book/glossary.md)*: multiplied by $\mathbf{\Sigma}^{-1/2}$.
# The noise covariance is that of equal, independent activity of all regions and of sensor noise,
#
# $$\mathbf{\Sigma} = \mathbf{K}\mathbf{K}^\top + \eta\,\mathbf{I},$$
#
# with $\mathbf{K}$ scaled such that the background has a mean power of 1 at an electrode.
# The noise-to-background ratio $\eta$ (1 in the shipped networks) regularizes the whitening.
#
# ### Signal band
#
# Scalp maps are taken from the *signal band* only: those frequencies $f$ of a cosine transform over time whose power, summed over channels, is more than twice the noise, which is estimated from the upper half of all frequencies.
# Sources and background have their power below some 20 Hz, sensor noise has it at all frequencies.

# %%
eeg = torch.as_tensor(sample.eeg)[None]
white = net.whiten(eeg)
every_frequency = dct(white[0].numpy(), axis=0, norm="ortho")
power = (every_frequency**2).mean(axis=1)
frequencies = np.arange(len(power)) * test_clips.sfreq / 2 / len(power)
band, _ = band_spectrum(white, n_least=2 * net.n_modes)
kept = frequencies[: band.shape[1]][band[0].any(dim=1).numpy()]
print(f"{len(kept)} of {len(power)} cosines are kept, up to {kept.max():.1f} Hz")

# %% mystnb={"figure": {"name": "fig-training-band", "caption": "Power of the whitened sample in each frequency, mean over channels; shaded: what is kept. Dashed: twice the noise."}, "image": {"alt": "Power falls from low frequencies to a flat floor; the low frequencies above the dashed line are shaded."}}
fig, ax = plt.subplots(figsize=(5.2, 2.2), layout="constrained")
ax.semilogy(frequencies[1:], power[1:], lw=0.9)  # EEG has lost its mean
floor = power[len(power) // 2 :].mean()
ax.axhline(STANDS_OUT * floor, ls="--", lw=0.9, color="0.3")
ax.axvspan(kept.min(), kept.max(), alpha=0.15)
_ = ax.set(xlabel="frequency (Hz)", ylabel="power (no unit)", xlim=(0, 125))

# %% [markdown]
# ### Maps and time courses
#
# A second of EEG is nearly the sum of a few scalp maps, each with one time course.
# These are its singular vectors ([SVD](../book/glossary.md)),
#
# $$
# \mathbf{\phi}(t) \approx \sum_{m=1}^{M} \sigma_m\, v_m(t)\, \mathbf{u}_m , \qquad M = 8 .
# $$
#
# Because a source keeps its place while it is active, the network only has to find how much of each time course $v_m$ belongs to each region, the *loadings*: $M$ numbers a region instead of 500 time points.
# In the sample, with two sources, the first two or three maps carry the spikes, and the rest carry background and noise.

# %%
with torch.no_grad():
    maps, strengths, courses = net.modes(eeg)
    activity, probability = (out[0].numpy() for out in net.image(eeg))
print("strengths:", np.round(strengths[0].numpy(), 3))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-training-modes", "caption": "The first four scalp maps of the whitened sample and their time courses, each scaled to unit size."}, "image": {"alt": "Four scalp maps above their time courses; the first two courses show clear spikes, the others noise and background."}}
fig, axes = plt.subplots(
    2, 4, figsize=(6.8, 2.8), height_ratios=[1.5, 1], layout="constrained", sharey="row"
)
for m, (top, bottom) in enumerate(axes.T):
    _ = dl.figures.plot_topography(
        maps[0, m].numpy(), head.info, ax=top, colorbar=False
    )
    bottom.plot(times, courses[0, m], lw=0.8)
    _ = bottom.set(xlabel="time (s)")
_ = axes[1, 0].set_ylabel("course")

# %% [markdown]
# What does the signal band bring, without any network?
# The table gives the part of a true source's scalp map that lies outside the leading maps of the EEG (as many maps as there are sources).


# %%
def outside(sources, span):
    """Share of unit scalp maps that lies outside a span, mean over all."""
    return float(1 - (sources @ span.mT).square().sum(-1).mean())


# %% table={"caption": "Part of a source's scalp map that lies outside the leading maps of the EEG, with and without the signal band."}
rows = {}
for count in (1, 2, 3):
    recordings = dl.SyntheticEEG(head, test_clips, n_sources=count, seed=seed)
    batch = recordings.batch(range(60))
    sources = net.scalp_maps(batch.weights)
    every = torch.linalg.svd(net.whiten(batch.eeg), full_matrices=False)[2]
    rows[count] = {
        "all frequencies": outside(sources, every[:, :count]),
        "signal band": outside(sources, net.modes(batch.eeg)[0][:, :count]),
    }
pd.DataFrame(rows).T.rename_axis("sources").round(3)

# %% [markdown]
# *Time courses* are taken from all frequencies: a map averages over many electrodes, so its course has signal where single electrodes have none above the noise.
# Each course has its own [Wiener filter](../book/glossary.md) {cite:p}`wiener1949`.
# The table gives the correlation of the course of the strongest map with the true one, for single sources; at 5 dB the band alone is too narrow.


# %%
def strongest_course(batch):
    """The strongest map's time course, in three ways."""
    whitened = net.whiten(batch.eeg)
    strongest, _, cleaned = net.modes(batch.eeg)
    band, cosines = band_spectrum(whitened, n_least=2 * net.n_modes)
    return {
        "all frequencies": whitened @ strongest[:, 0, :, None],
        "signal band": cosines @ band @ strongest[:, 0, :, None],
        "Wiener filter": cleaned[:, 0, :, None],
    }


# %% table={"caption": "Correlation of the strongest map's time course with the true one, by signal-to-noise ratio."}
rows = {}
for snr in (5.0, 10.0, 15.0, 20.0):
    recordings = dl.SyntheticEEG(
        head, test_clips, n_sources=1, seed=seed, sensor_snr=(snr,)
    )
    batch = recordings.batch(range(40))
    truth = batch.waveforms[:, 0] - batch.waveforms[:, 0].mean(-1, keepdim=True)
    rows[snr] = {
        name: float(torch.cosine_similarity(course[..., 0], truth).abs().mean())
        for name, course in strongest_course(batch).items()
    }
pd.DataFrame(rows).T.rename_axis("dB").round(3)

# %% [markdown]
# ### Region scan
#
# How much of the whitened unit scalp map $\mathbf{k}_r$ of a small round patch at region $r$ lies in the span of the first $n$ maps?
#
# $$f_n(r) = \sum_{m \le n} (\mathbf{u}_m^\top \mathbf{k}_r)^2 .$$
#
# This is the scan of [MUSIC](../book/glossary.md) {cite:p}`mosher1992`: 1 where the patch explains the maps completely, and small where it has nothing to do with them.
# In NumPy it is five lines.
# The patches here are a region and, a little weaker, its neighbors:

# %%
n_maps = 3  # of the scans and the search below
U = maps[0, :n_maps].numpy()
white_K = average_reference(source_whitener(head.leadfield) @ head.leadfield)
k = white_K @ (np.eye(R) + 0.9 * cortex.adjacency)
k /= np.linalg.norm(k, axis=0)
scan = np.square(U @ k).sum(axis=0)

# %%
of_library = np.square(net.geometry.round_maps[1].numpy() @ U.T).sum(axis=1)
print(f"largest difference to the library's: {np.abs(scan - of_library).max():.0e}")

# %% [markdown]
# ### Dictionary scan
#
# The same for a [dictionary](../book/glossary.md) of patches grown from every region: the region alone, everything within one, two and three steps of it, and others of all sizes between, grown by the rules that grow the sources of the training data.
# Each patch $G$ gets a weight that rises with its fit $f(G)$, and a region receives the share of the weight around it that falls on patches which contain it,
#
# $$
# \begin{aligned}
# w_G &= \big(1 - f(G)\big)^{-\beta},\\
# \text{feature}_r &= \log \sum_{G \ni r} w_G - \log \sum_{G \text{ near } r} w_G .
# \end{aligned}
# $$
#
# Which maps belong to sources, and the sharpness $\beta$, the transformer says; several such scans are taken, for several answers.
#
# ### Search
#
# No dictionary contains every patch.
# From its best entries that lie apart, regions at the border are added or removed, one at a time, until the fit improves no more.
# Each region then receives by how much the fit would worsen if it changed sides,
#
# $$\pm \log \frac{1 - f(G \,\triangle\, \{r\}) + \varepsilon}{1 - f(G) + \varepsilon},$$
#
# positive for members; three $\varepsilon$ say below which misfits two patches count as alike.
# (The misfit is one minus the fit.)

# %%
best = net.best_fit(maps[:, :n_maps])[0].numpy()
search = net.search(maps[:, :n_maps], n_patches=n_maps)
found = search.found
for start, before, after in zip(
    search.starts[0], search.start_misfit[0], found.misfit[0], strict=True
):
    print(f"{int(start.sum())} regions: misfit {before:.3f} -> {after:.3f}")

# %% [markdown]
# ### Placing together
#
# Sources with one time course share a single scalp map, and then no single patch explains it: the map is a sum of theirs, and lies in the span of neither.
# So two patches, and then three, are placed such that they explain the most of the EEG *together*,
#
# $$\max_{G_1, \ldots, G_n} \big\lVert \mathbf{\Pi}_{G_1, \ldots, G_n} \mathbf{\Phi} \big\rVert^2 ,$$
#
# with $\mathbf{\Phi}$ the maps times their strengths and $\mathbf{\Pi}$ the projection onto the scalp maps of the patches.
# All pairs of the dictionary would be hundreds of millions, so each patch in turn is placed where it explains the most of what the others leave, until each has been placed anew (alternating projections).
# The features of a region say whether it is in one of these patches, how many of its neighbors are, and what that patch adds to the others; and, as from the other scans, how all patches fit in its place.
#
# Scans, search and placing follow from leadfield and cortex, in a fraction of a second for a new cap; only how many maps they count, and how sharply, is learned.
#
# ### Transformer
#
# Each map, with its strength, is one token (item) of a small [transformer](../book/glossary.md) {cite:p}`vaswani2017`, beside one for the sample as a whole and one for the constant part of the activity.
# Attention lets each map look at the others,
#
# $$\text{attention}(\mathbf{Q}, \mathbf{N}, \mathbf{V}) = \text{softmax}\big(\mathbf{Q}\mathbf{N}^\top / \sqrt{d}\big)\, \mathbf{V},$$
#
# with queries $\mathbf{Q}$, keys $\mathbf{N}$ and values $\mathbf{V}$ linear in the tokens and $d$ their width; so sources that share a map can be separated by means of the other maps.
# It sees the maps of any cap as 75 electrodes would show them: a ridge regression between the two leadfields translates them.
#
# ### Scoring perceptron
#
# A small perceptron, with the same weights for all regions and a learned offset for each, combines the features.
# It includes a few steps of [message passing](../book/glossary.md), in which each region receives the mean of its neighbors on the cortex,
#
# $$\mathbf{x}_r \leftarrow \mathbf{x}_r + \text{GELU}\Big(\mathbf{W}\big[\mathbf{x}_r,\ \tfrac{1}{|\mathcal{N}_r|} \textstyle\sum_{n \in \mathcal{N}_r} \mathbf{x}_n\big]\Big),$$
#
# because activity comes in patches and a hole in one is unlikely.
#
# ### Gate and activity
#
# Transformer and perceptron each give a part of the loadings $\ell_{mr}$, and of the log odds that a region is active; the parts are added up.
# The *gate*, the probability that a region is active, is a product of two: $p$, that the recording has a source at all, from the largest features over regions; and $q_r$, that region $r$ is active if there is one.
# The activity is
#
# $$\hat{j}_r(t) = p\, q_r \sum_{m=0}^{M} \ell_{mr}\, v_m(t), \qquad v_0 = 1 .$$
#
# (The constant is there because the EEG has lost its mean, and sources have not.)
#
# {numref}`fig-training-stages` shows scan, search, gate and activity of the sample.
# The scan is high around the true patches, but also where other patches have a similar scalp map; the search starts from the best patches and improves them; the gate combines the results with learned weights.

# %%
searched = (found.members * (1 - found.misfit)[..., None])[0].amax(0).numpy()
outlines = {f"source {k}": p for k, p in enumerate(sample.patches, 1)}
stages = {
    "scan": best,
    "search": searched,
    "gate": probability,
    "activity": np.abs(activity).max(axis=0),
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-training-stages", "caption": "From scan to search to gate to activity. Scan: best fit of the patches grown from each region into the span of the first three maps. Search: the patches it ends at, shaded by how well they fit. Gate: the network's probability that a region is active. Bottom: largest magnitude of the resulting activity. Outlines: the true patches."}, "image": {"alt": "Four rows of cortex maps with the two true patches outlined: a broad scan, a few patches found by the search, a sharp probability map and the activity."}}
fig, axes = dl.figures.plot_methods(stages, cortex, outlines=outlines)

# %% [markdown]
# ## The loss
#
# The paper minimizes the squared error between the network's activity and the true one, summed over all times and regions.
# So do we. Both activities are a few time courses times as many maps of the cortex, so the sum follows from products of courses with courses, and the (time, region) arrays are never formed.
# To it we add the cross-entropy (CE) of the two probabilities, $p$ and $q_r$.
# With $\hat{\mathbf{j}}$ the estimated and $\mathbf{j}$ the true activity, $z$ and $z_r$ equal to 1 where there is a source and where region $r$ is active and to 0 elsewhere, and all sums over the recordings of a batch,
#
# $$
# \begin{aligned}
# \mathcal{L} &= \mathcal{L}_\text{error} + 0.3\, \mathcal{L}_\text{gate}\\
# \mathcal{L}_\text{error} &= \sum \lVert \hat{\mathbf{j}} - \mathbf{j} \rVert^2 \Big/ \sum \lVert \mathbf{j} \rVert^2\\
# \mathcal{L}_\text{gate} &= \sum \Big( \text{CE}(p, z) + z \sum_r \text{CE}(q_r, z_r) \Big) \Big/ \sum \sum_r z_r .
# \end{aligned}
# $$
#
# A recording without a source trains $p$ alone, so it does not bias what the network learns about extent.
#
# ## Watch it learn
#
# A fresh network, a minute on two processor cores.
# `train` uses AdamW, a variant of Adam {cite:p}`kingma2015`. It writes a checkpoint every two minutes and goes on from it when called again; on a CPU a run that was interrupted gives the same weights, to the last bit, as one that was not.

# %% tags=["nbval-ignore-output", "remove-stderr", "small-in-tests"]
config = dl.TrainingConfig(
    n_steps=settings.live_training_steps, batch_size=settings.batch_size, seed=seed
)
began = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    out = dl.train(head, train_clips, folder, config=config, progress=False)
    live = dl.load_model(out)
    live_log = pd.DataFrame(load_log(out))
seconds = time.perf_counter() - began
device = live.card["training"]["device"]
print(f"{live_log.samples.iloc[-1]:,.0f} samples in {seconds:.0f} s on {device}")

# %% [markdown]
# The live run is for one cap, on samples as the paper's.
# The shipped network was trained for any cap, on the varied samples above, on a graphics card; its card says for how long.
# `deepsif-lite train --out run` is the same training for two processor cores, of a tenth of the samples.
# The logs are shipped with the weights.

# %%
recipe = card["training"]
print(f"{recipe['samples']:,} samples in {recipe['seconds'] / 60:.0f} minutes", end=" ")
print(f"on {recipe['device']}, {recipe['arithmetic']}")
print(f"batches of {recipe['batch_size']}, learning rate {recipe['learning_rate']}")
waited = recipe["waiting_for_data"]
print(f"time that the network waited for samples: {waited:.1%}")

# %% mystnb={"figure": {"name": "fig-training-loss", "caption": "Loss on samples the network never sees again, and on a fixed set it never trains on: the live run (left) and the runs behind the shipped networks (right). The sets of the runs differ: those of `lite` hold up to five sources. `lite-75-known-head` was trained for the head of the recordings alone (see chapter 4), `lite-published-75` for the head of the authors. `paper-75` is left out, since its loss is a sum, not a share."}, "image": {"alt": "Left: falling loss of the short live run. Right: falling validation loss of the shipped networks over hundreds of thousands of samples."}} tags=["hide-input", "nbval-ignore-output"]
fig, (left, right) = plt.subplots(1, 2, figsize=(6.8, 2.6), layout="constrained")
names = {"training_loss": "training", "validation_loss": "validation"}
_ = dl.figures.plot_loss(live_log, columns=names, ax=left, title="this run")
lites = [n for n in available_weights() if load_card(n)["network"]["kind"] == "lite"]
for shipped in lites:
    log = pd.DataFrame(load_log(shipped))
    _ = dl.figures.plot_loss(
        log, columns={"validation_loss": shipped}, ax=right, title="shipped"
    )
for ax in (left, right):
    _ = ax.set_ylabel("loss")

# %% [markdown]
# ## What a minute buys, and an hour
#
# The same recordings, imaged by the network of this run and by the shipped one.


# %% tags=["nbval-ignore-output"]
def mean_scores(model, clips):
    """Mean of each metric over recordings with one, two and three sources."""
    scores = dl.evaluate(
        model,
        clips,
        methods=("deepsif",),
        n_samples=min(settings.n_test_samples, 40),
        seed=seed,
        progress=False,
    )
    means = per_sample(scores)[list(METRICS)].mean()
    return means.rename(METRICS)


# %% tags=["nbval-ignore-output"]
rows = {}
for name, candidate in (("this run", live), ("shipped", model)):
    rows[name] = {
        "samples seen": candidate.card["training"]["samples"],
        "training time (min)": candidate.card["training"]["seconds"] / 60,
        **mean_scores(candidate, test_clips),
    }

# %% tags=["nbval-ignore-output"]
paper = dl.results.paper_values().value
rows["the paper"] = {
    "samples seen": paper["size/training_samples"],
    "precision": paper["sim/precision/all"],
    "recall": paper["sim/recall/all"],
    "localization error (mm)": paper["sim/le/all"],
}

# %% tags=["nbval-ignore-output"] table={"caption": "What a minute of training buys: scores of the live run, of the shipped network, and the paper's."}
bought = pd.DataFrame(rows).T
_ = dl.results.write_table(
    "03_training", bought.rename_axis("network"), profile, seed=seed, seconds=seconds
)
bought.round(2).assign(**{"samples seen": bought["samples seen"].map("{:,.0f}".format)})

# %% [markdown]
# The paper's row counts distinct samples; its network saw each of them up to twenty times, on one V100 GPU.
# Chapter 4 scores the shipped network on more recordings, set by set.
#
# And what does `deepsif-lite train --out run` give, where there is no graphics card? Here are both networks for any cap on the same recordings: the paper's, and some as varied as those of the training, of other clips and heads. (Its minutes are those of two cores that did other work, too. `benchmarks/default_recipe.py` makes the table, which was computed beforehand.)

# %% table={"caption": "The network of the default command, trained on two cores, and the shipped one: scores on the paper's recordings (regions by Otsu's threshold), average precision on varied ones, and the largest gap of the probabilities above .2."}
recipes = dl.results.read_experiment("default_recipe").set_index("network")
_ = dl.results.write_table("03_default_recipe", recipes.reset_index(), profile)
words = METRICS | {
    "average_precision": "average precision",
    "varied_average_precision": "average precision, varied recordings",
    "largest_gap": "largest gap",
}
forms = {"samples": "{:,.0f}", "minutes": "{:.0f}"} | dict.fromkeys(words, "{:.2f}")
for name, form in forms.items():
    recipes[name] = recipes[name].map(form.format)
recipes.rename(columns=words).T

# %% mystnb={"figure": {"name": "fig-training-before-after", "caption": "The sample of {numref}`fig-training-sample`, imaged by the network of the live run and by the shipped one."}, "image": {"alt": "Three rows of cortex maps: the two true patches, a blurred image by the briefly trained network, and a sharp one by the shipped network."}} tags=["hide-input", "nbval-ignore-output"]
strength = {
    name: np.abs(candidate.predict(sample.eeg)).max(axis=0)
    for name, candidate in (("this run", live), ("shipped", model))
}
fig, axes = dl.figures.plot_methods(
    {"truth": np.abs(sample.activity).max(axis=0), **strength},
    cortex,
    outlines=outlines,
)

# %% [markdown]
# ## What limits it
#
# More samples alone would not remove the remaining error: the longer a training runs, the less it gains.
# The figure shows the logs of two shipped networks, scored with the paper's metrics on samples set aside, made as those of their training (for `lite`, electrodes are displaced; chapter 4 scores networks on far more).
#
# `paper-75` is the paper's own network, with the hidden sizes rounded up to multiples of 128 and the paper's samples: one to three sources under the electrodes of the head model.
# It was trained on the same graphics card, but for a small part of the paper's samples, so its scores say what the design reaches soon, not what it reaches in the end.

# %% table={"caption": "The training runs of two shipped networks."}
networks = {name: load_card(name) for name in ("lite", "paper-75")}
runs = pd.DataFrame({name: card["training"] for name, card in networks.items()})
runs = runs.loc[["samples", "seconds", "batch_size", "device", "arithmetic"]]
runs.loc["samples a second"] = (runs.loc["samples"] / runs.loc["seconds"]).astype(int)
runs.loc["passes through the paper's samples"] = [
    f"{samples / paper['size/training_samples']:.2f} of 20"
    for samples in runs.loc["samples"]
]
runs.loc["samples"] = runs.loc["samples"].map("{:,}".format)
runs.rename({"batch_size": "samples of a batch", "seconds": "time (s)"})

# %% mystnb={"figure": {"name": "fig-training-scaling", "caption": "Precision, recall (a missed source counts 0) and localization error on validation samples of 75 electrodes during training (regions by Otsu's threshold), against samples (top) and minutes on one graphics card (bottom). Dashed: the paper's network on its test data."}, "image": {"alt": "Six panels over samples and minutes, two lines each: the scores of lite change little after the first ones, those of the paper's network improve to the end."}}
keys = {"precision": "sim/precision/all", "recall": "sim/recall/all"}
keys["error_mm"] = "sim/le/all"
labels = {name: METRICS[name] for name in keys}
logs = {name: pd.DataFrame(load_log(name)) for name in networks}
goals = {name: paper[key] for name, key in keys.items()}
_ = dl.figures.plot_learning(logs, labels, goals)

# %% [markdown]
# Both networks on the same fresh recordings of the head model (means; a missed source has recall 0; regions by Otsu's threshold):

# %% table={"caption": "Both networks on the same fresh recordings, by the number of sources."}
rows = {
    (name, sources): card["scores"]["corrected"][sources]
    for name, card in networks.items()
    for sources in card["scores"]["corrected"]
}
compared = pd.DataFrame(rows).T[["precision", "recall", "correlation", "error_mm"]]
table = compared.rename_axis(["network", "recordings"]).reset_index()
_ = dl.results.write_table("03_networks", table, profile)
compared.rename(columns=METRICS, index={"1 sources": "1 source"}).round(3)

# %% [markdown]
# More clips would not do so either: seven of them train as well as hundreds, and an appendix shows how [clips, parameters and each idea of the design](03b_trials.ipynb) change the scores.
# What remains is the ambiguity of the inverse problem: at 5 dB, or deep in the brain, several patches explain the EEG equally well ([chapter 4](04_evaluation.ipynb) shows where).

# %% [markdown]
# (what-electrodes-cost)=
# ## What electrodes cost
#
# The scans follow from the leadfield, and the transformer sees the maps of any cap as those of its own, so one set of weights serves every cap.
# What do fewer electrodes, lost channels, small sources and equal time courses cost?
# The table was computed beforehand (`benchmarks/price_list.py`; means over fresh recordings of the template head, in the upper rows with one, two and three sources of the paper's sizes; regions with a probability above one half).
# "Missed": sources of which no region was found. "Nearest": share of the recordings whose strongest region lies within 5 mm of a source.

# %% table={"caption": "Scores of the shipped network by electrodes, lost channels, size of the source, equal time courses, sampling rate and length of the window."}
prices = dl.results.read_experiment("price_list")
_ = dl.results.write_table("03_price_list", prices, profile)
shown = prices.set_index(["group", "condition"]).drop(columns="strongest_mm")
shown.rename(columns={"error_mm": "error (mm)", "strongest_near": "nearest"}).round(2)

# %% [markdown]
# Above 32 electrodes, eight more or less change little; below, sources are missed rather than misplaced.
# A source of a single region is found, which a network that had only met large ones could not do.
# Sources with one time course remain the hard case: their maps are one map, and several pairs explain it.
#
# ## Train it further
#
# The network needs no training for your cap.
# Training goes on from shipped weights, on what you change:
#
# ```python
# head = dl.load_head_model("template-64")
# clips = dl.load_spike_library("lite", split="train")
# dl.train(head, clips, "my-network", initial="lite", max_minutes=20)
# ```
#
# In the shell the same is `deepsif-lite train`, and `dl.load_model("my-network")` images with the result.
# Several GPUs or machines share each batch under `torchrun`; a killed run goes on where it was.
#
# ## Summary
#
# - A network learns the inverse problem, from scalp to cortex, from simulated pairs alone.
# - A decomposition of a second of EEG into eight maps turns 500 time points into eight numbers a region, and makes training cheap: minutes on a graphics card, an hour or two on a laptop.
# - What follows from physics need not be learned: the fit of thousands of patches is computed, and the network learns to combine such results.
#
# ## Limits
#
# - The shipped networks were trained for fewer steps than the paper's, on samples drawn from hundreds of clips instead of hundreds of thousands; a clip's time course serves patches anywhere, not only at the region it was simulated in.
# - Eight maps represent a few sources. Activity at many independent places does not fit into them.
# - What was simulated beside the cortex is a choice of ours. An artifact of another kind may still be taken for a source.
# - The scans depend on the leadfield. A head that differs from the template makes them err, though training with displaced electrodes reduces that; [chapter 4](04_evaluation.ipynb) measures by how much.
# - The paper's own network, `paper-75`, saw a small part of the paper's samples (table above).
#
# ## Exercises
#
# :::{exercise}
# :label: ex-training-1
#
# Raise `n_modes` to 16, or lower it to 3 (`TrainingConfig(options={"n_modes": 3})`), and train as long. When does a third source suffer?
# :::
#
# :::{solution} ex-training-1
# :class: dropdown
#
# ```python
# def trained(**options):
#     """Train as long as above, with options of the network."""
#     config = dl.TrainingConfig(
#         n_steps=settings.live_training_steps,
#         batch_size=settings.batch_size,
#         seed=seed,
#         options=options,
#     )
#     with tempfile.TemporaryDirectory() as folder:
#         out = dl.train(head, train_clips, folder, config=config, progress=False)
#         return dl.load_model(out)
#
#
# for name, candidate in {"3 maps": trained(n_modes=3), "8 maps": live}.items():
#     scores = dl.evaluate(
#         candidate,
#         test_clips,
#         methods=("deepsif",),
#         n_samples=min(settings.n_test_samples, 40),
#         progress=False,
#     )
#     recall = per_sample(scores).groupby("n_sources")["recall"].mean()
#     print(f"{name}, recall by number of sources:", recall.round(2).to_dict())
# ```
#
# After so short a training, hardly: three maps hold most of three sources, and their recall falls by less than its standard error. Where noise is stronger than the weakest source, it takes that source's place, so a loss has to be looked for there, on many recordings. Sixteen maps cost time, and bring maps of noise that the network must learn to ignore.
# :::
#
# :::{exercise}
# :label: ex-training-2
#
# Give the dictionary one patch a region (`options={"n_shapes": 1}`). Does the search make up for it?
# :::
#
# :::{solution} ex-training-2
# :class: dropdown
#
# ```python
# for name, candidate in {"one patch": trained(n_shapes=1), "as above": live}.items():
#     print(name, mean_scores(candidate, test_clips).round(2).to_dict())
# ```
#
# No. Recall falls by some hundredths, precision to little more than half, and false regions make the error several times as large. The search flips parcels on the border from the best start, so it can grow a patch; but it starts from a worse one, stops at the first hill, and the other features (shares of likelihood) have one shape to compare.
# :::
#
# :::{exercise}
# :label: ex-training-3
#
# Train the paper's network with `TrainingConfig(network="paper", learning_rate=3e-4)` for ten steps. How long would its 620,256 samples take on your machine?
# :::
#
# :::{solution} ex-training-3
# :class: dropdown
#
# ```python
# few = {"n_steps": 10, "batch_size": 4, "validation_size": 4, "score_size": 4}
# config = dl.TrainingConfig(network="paper", learning_rate=3e-4, **few)
# with tempfile.TemporaryDirectory() as folder:
#     out = dl.train(head, train_clips, folder, config=config, progress=False)
#     run = dl.load_model(out).card["training"]
# samples, passes = paper["size/training_samples"], 20
# days = run["seconds"] / run["samples"] * samples * passes / 86_400
# print(f"{run['samples']} samples in {run['seconds']:.0f} s: {days:.0f} days for all")
# ```
#
# Larger batches are quicker a sample, and the first steps slower than later ones, but the product says why the paper used a graphics card.
# :::
#
# ## Next
#
# [Chapter 4](04_evaluation.ipynb) measures what the shipped network can and cannot image, and whether its probabilities are calibrated.
