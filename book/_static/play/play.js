"use strict";
// The page "Play": what the reader chooses goes to the worker, what comes back is drawn.
(() => {
  const root = document.getElementById("play");
  if (!root) return;
  const base = new URL("./", document.currentScript.src);
  const METHODS = {deepsif: "DeepSIF", mn: "Minimum norm", sloreta: "sLORETA"};
  const GRAY = [0.86, 0.86, 0.86], FIRST = [0.0, 0.62, 0.45], SECOND = [0.34, 0.71, 0.91];
  const BOTH = [0.8, 0.47, 0.65];
  const FACE = [200, 216];
  let worker, meta, data, mesh, near, last, own = null, count = 0;
  const waiting = new Map(), views = {}, camera = {turn: VIEWS.left, zoom: 12, morph: 1, sides: "both"};
  const sources = [{seed: 0, regions: [], ratio: 1, lag: 0}, {seed: 0, regions: [], ratio: 1, lag: 0}];

  const make = (tag, props = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), props);
    made.append(...children);
    return made;
  };
  const el = id => document.getElementById(`play-${id}`);
  const say = text => { el("status").textContent = text; };

  function ask(what, wish) {
    const id = ++count;
    worker.postMessage({id, what, wish});
    return new Promise((done, fail) => waiting.set(id, {done, fail}));
  }

  async function open() {
    el("start").disabled = true;
    say("Fetching the network and the head (about 7 MB, once) …");
    try {
      if (location.protocol === "file:") throw new Error("this page was opened as a file; browsers load programs from a server only (make serve)");
      const get = async name => {
        const answer = await fetch(new URL(name, base));
        if (!answer.ok) throw new Error(`${name} was not found (${answer.status})`);
        return answer;
      };
      meta = await (await get("meta.json")).json();
      const packed = new Uint8Array(await (await get("data.bin.gz")).arrayBuffer());
      data = unpackArrays(await inflate(packed, "gzip"), meta.arrays);
      worker = new Worker(new URL("worker.js", base), {type: "module"});
      worker.onmessage = ({data: {id, answer, error}}) => {
        const {done, fail} = waiting.get(id);
        waiting.delete(id);
        if (error === undefined) done(answer); else fail(new Error(error));
      };
      worker.onerror = event => { for (const {fail} of waiting.values()) fail(new Error(event.message || "the worker did not start")); };
      await ask("load", {meta, data});
      build();
      await change();
      root.dataset.state = "ready";
      window.deepsifPlay = {image: wish => ask("image", wish), linear: wish => ask("linear", wish), meta: () => meta, result: () => last};
    } catch (error) {
      root.dataset.state = "failed";
      el("start").disabled = false;
      say(`It cannot run here: ${error.message}. The figure above shows what it would.`);
    }
  }

  // ---- controls
  function slider(id, label, range, value, unit) {
    const [min, max, step] = range, shown = make("output", {textContent: `${value} ${unit}`});
    const input = make("input", {type: "range", id: `play-${id}`, min, max, step, value});
    input.oninput = () => { shown.textContent = `${input.value} ${unit}`; later(); };
    return make("label", {}, make("span", {textContent: label}), input, shown);
  }

  function choice(id, label, names) {
    const select = make("select", {id: `play-${id}`}, ...names.map((n, k) => new Option(n, k)));
    select.onchange = later;
    return make("label", {}, make("span", {textContent: label}), select);
  }

  function build() {
    mesh = makeMesh(data, meta);
    near = neighbors();
    sources[0].seed = nearest([-0.045, -0.065, 0.03]);
    sources[1].seed = nearest([-0.05, 0.02, 0.03]);
    const stage = el("stage");
    stage.textContent = "";
    const two = make("input", {type: "checkbox", id: "play-two"});
    two.onchange = () => { el("second").hidden = !two.checked; el("which").value = two.checked ? "1" : "0"; el("which").onchange(); later(); };
    const again = make("button", {type: "button", textContent: "Other noise"});
    again.onclick = () => { draw += 1; later(); };
    const file = make("input", {type: "file", id: "play-file", accept: ".csv,.txt,.tsv,.edf,.fif"});
    file.onchange = () => file.files[0] && read(file.files[0]);
    const back = make("button", {type: "button", id: "play-back", textContent: "Back to simulation", hidden: true});
    back.onclick = () => { own = null; back.hidden = true; file.value = ""; later(); };
    const seedField = make("input", {type: "number", id: "play-seed", min: 0, max: meta.n_regions - 1});
    seedField.onchange = () => {
      const region = Math.max(0, Math.min(meta.n_regions - 1, Math.round(+seedField.value) || 0));
      camera.turn = data.centroids[3 * region] < 0 ? VIEWS.left : VIEWS.right;  // where it can be seen
      place(region);
    };
    stage.append(
      make("fieldset", {}, make("legend", {textContent: "Sources"}),
        choice("which", "A click places", ["the first source", "the second source"]),
        make("label", {}, make("span", {textContent: "its region"}), seedField),
        slider("size1", "Extent of the first", [1, 40, 1], 12, "regions"),
        make("label", {}, two, " a second source"),
        make("div", {id: "play-second", hidden: true},
          slider("size2", "Extent of the second", [1, 40, 1], 12, "regions"),
          slider("ratio", "Its strength", [0.2, 2, 0.1], 1, "× the first"),
          slider("lag", "Its lag", [0, 200, 10], 60, "ms"))),
      make("fieldset", {}, make("legend", {textContent: "Recording"}),
        choice("cap", "Cap", Object.keys(meta.caps)),
        slider("snr", "Signal to noise", [0, 20, 1], 10, "dB"),
        slider("moved", "Electrodes displaced by", [0, meta.moved_mm, 1], 0, "mm"),
        slider("blink", "An eye blink of", [0, 4, 0.5], 0, "× the EEG"),
        choice("clip", "Simulated clip", Array.from({length: meta.n_clips}, (_, k) => k + 1)),
        again),
      make("fieldset", {}, make("legend", {textContent: "Your own average"}),
        make("label", {}, make("span", {textContent: "CSV, EDF or FIF"}), file),
        make("label", {}, make("span", {textContent: "Hz of a CSV"}), make("input", {type: "number", id: "play-sfreq", value: 500, min: 100, max: 5000})),
        back));
    el("which").onchange = () => { el("seed").value = sources[+el("which").value].seed; };
    el("seed").value = sources[0].seed;
    const shown = make("select", {id: "play-shown"}, new Option("strength", "map"), new Option("probability (DeepSIF)", "probability"));
    shown.onchange = paint;
    const sides = make("select", {id: "play-sides"}, new Option("both hemispheres", "both"), new Option("left", "left"), new Option("right", "right"));
    sides.onchange = () => { camera.sides = sides.value; redraw(); };
    const bar = make("div", {className: "play-bar"}, make("label", {}, "Show ", shown), make("label", {}, "of ", sides));
    viewButtons(bar, camera, redraw);
    const eeg = make("figure", {className: "play-eeg"},
      make("figcaption", {textContent: "EEG"}),
      make("canvas", {id: "play-scalp", width: FACE[0], height: FACE[1]}),
      make("canvas", {id: "play-traces", width: 480, height: 180}),
      make("p", {id: "play-eeg"}));
    const grid = make("div", {className: "play-grid"}, cortex("truth", "Truth: click to place a source"));
    for (const [name, title] of Object.entries(METHODS)) grid.append(cortex(name, title));
    grid.append(eeg);
    stage.after(bar, grid);
    for (const name of ["truth", ...Object.keys(METHODS)])
      views[name] = new CortexView(el(name), mesh, camera, {moved: redraw, chosen: place});
    for (const kind of ["dragover", "drop"]) root.addEventListener(kind, event => {
      event.preventDefault();
      if (kind === "drop" && event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
    });
    new MutationObserver(paint).observe(document.documentElement, {attributeFilter: ["data-theme"]});
  }

  function cortex(name, title) {
    const canvas = make("canvas", {id: `play-${name}`, width: 300, height: 230});
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${title}. Arrows turn, plus and minus zoom, Enter chooses the region in the middle.`);
    return make("figure", {}, make("figcaption", {textContent: title}), canvas, make("p", {id: `play-about-${name}`}));
  }

  // ---- sources
  function neighbors() {
    const lists = Array.from({length: meta.n_regions}, () => []), {edges} = data;
    for (let i = 0; i < edges.length; i += 2) { lists[edges[i]].push(edges[i + 1]); lists[edges[i + 1]].push(edges[i]); }
    return lists;
  }
  const far = (a, b) => Math.hypot(...[0, 1, 2].map(k => data.centroids[3 * a + k] - data.centroids[3 * b + k]));
  function nearest(point) {
    let best = 0, least = Infinity;
    for (let r = 0; r < meta.n_regions; r++) {
      const d = Math.hypot(...[0, 1, 2].map(k => data.centroids[3 * r + k] - point[k]));
      if (d < least) { least = d; best = r; }
    }
    return best;
  }
  function grow(seed, size) {  // the nearest region of the border joins next
    const patch = [seed], border = new Set(near[seed]);
    while (patch.length < size && border.size) {
      const next = [...border].reduce((a, b) => far(seed, b) < far(seed, a) ? b : a);
      patch.push(next);
      border.delete(next);
      for (const r of near[next]) if (!patch.includes(r)) border.add(r);
    }
    return patch;
  }
  function place(region) {
    sources[+el("which").value].seed = region;
    el("seed").value = region;
    later();
  }

  // ---- one change after another; of those that come meanwhile the last
  let draw = 1, busy = false, again = false;
  async function later() {
    if (busy) { again = true; return; }
    busy = true;
    do { again = false; await change().catch(error => say(`That did not work: ${error.message}`)); } while (again);
    busy = false;
  }

  function wish() {
    const value = id => +el(id).value, [one, two] = sources;
    one.regions = grow(one.seed, value("size1"));
    two.regions = grow(two.seed, value("size2"));
    Object.assign(two, {ratio: value("ratio"), lag: value("lag")});
    return {
      sources: el("two").checked ? [one, two] : [one], names: Object.values(meta.caps)[value("cap")],
      snr: value("snr"), moved: value("moved"), blink: value("blink"), clip: value("clip"), draw,
    };
  }

  async function change() {
    last = own ? await ask("own", own) : await ask("change", wish());
    const doubts = own?.doubts.length ? ` But look at ${own.doubts.join("; ")}.` : "";
    say(`${own ? own.title + ": imaged" : "Simulated and imaged"} in ${Math.round(last.ms)} ms, in this browser.${doubts}`);
    paint();
  }

  // ---- pictures
  function redraw() { for (const view of Object.values(views)) view.draw(); }

  function strengthColor(values, top) {
    const lut = data.colors;
    return r => {
      if (r < 0) return GRAY;
      const level = Math.max(0, Math.min(254, Math.round(254 * values[r] / top)));
      return level < 20 ? GRAY : [0, 1, 2].map(k => lut[3 * level + k] / 255);
    };
  }

  function paint() {
    if (!last) return;
    const first = new Set(own ? [] : sources[0].regions), second = new Set(own || !el("two").checked ? [] : sources[1].regions);
    views.truth.paint(r => first.has(r) && second.has(r) ? BOTH : first.has(r) ? FIRST : second.has(r) ? SECOND : GRAY);
    el("about-truth").textContent = own ? "unknown" : `${last.truth.length} regions active`;
    for (const [name, method] of Object.entries(last.methods)) {
      const likely = el("shown").value === "probability" && method.probability;
      const values = likely ? method.probability : method.map, top = likely ? 1 : Math.max(...values);
      views[name].paint(strengthColor(values, top || 1));
      el(`about-${name}`).textContent = describe(method);
    }
    const spots = last.names.map(name => meta.electrodes[meta.ch_names.indexOf(name)]), n = spots.length;
    let at = 0, most = -1;
    for (let t = 0; t < last.nTimes; t++) {
      let power = 0;
      for (let i = 0; i < n; i++) power += last.eeg[t * n + i] ** 2;
      if (power > most) { most = power; at = t; }
    }
    const values = Array.from(last.eeg.subarray(at * n, (at + 1) * n)), top = Math.max(...values.map(Math.abs)) || 1;
    drawScalp(el("scalp"), spots, values.map(v => v / top), data.signed);
    traces(at, n);
    el("eeg").textContent = `${n} electrodes; the map at ${Math.round(1e3 * at / meta.sfreq)} ms, where the EEG is strongest.`;
  }

  function describe({scores, found, probability}) {
    const sure = probability ? `; largest probability ${Math.max(...probability).toFixed(2)}` : "";
    if (!found.length) return `nothing found${sure}`;
    if (!scores) return `${found.length} regions found${sure}`;
    const {error, precision, recall, count: size} = scores;
    return `error ${error.toFixed(1)} mm, precision ${precision.toFixed(2)}, recall ${recall.toFixed(2)} (${size} regions)${sure}`;
  }

  function traces(at, n) {
    const canvas = el("traces"), pen = canvas.getContext("2d"), {width: w, height: h} = canvas, T = last.nTimes;
    const ink = getComputedStyle(canvas).color;
    pen.clearRect(0, 0, w, h);
    pen.strokeStyle = ink;
    pen.globalAlpha = 0.35;
    pen.lineWidth = 0.7;
    for (let i = 0; i < n; i++) {
      pen.beginPath();
      for (let t = 0; t < T; t++) pen.lineTo(w * t / T, h / 2 * (1 - 0.95 * last.eeg[t * n + i]));
      pen.stroke();
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = "#D55E00";
    pen.beginPath(); pen.moveTo(w * at / T, 0); pen.lineTo(w * at / T, h); pen.stroke();
  }

  // ---- the reader's own recording
  async function read(file) {
    try {
      const wanted = {known: meta.ch_names, csvRate: +el("sfreq").value, rate: meta.sfreq, mostTimes: meta.n_times};
      own = {...await readRecording(file, wanted), title: file.name};
      el("back").hidden = false;
      later();
    } catch (error) {
      say(`${file.name} was not read: ${error.message}.`);
    }
  }

  el("start").onclick = open;
})();
