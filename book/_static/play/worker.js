// Simulates EEG and images it, away from the page: a change never blocks a finger.
import * as math from "./numerics.js";

const SOURCE_DB = 15;  // a source against its background, around its peak
const WINDOW = 50;  // samples either side of the peak
let head, session, ort, cap, clip;

async function gunzip(response) {
  const stream = response.body.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function get(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${url} was not found (${response.status})`);
  return response;
}

async function startRuntime({local, cdn, files}) {
  const [main, glue, binary] = Object.keys(files);
  const here = name => new URL(name, import.meta.url).href;
  const checked = async name => (await get(cdn + name, {integrity: files[name]})).arrayBuffer();
  const asModule = async name =>
    URL.createObjectURL(new Blob([await checked(name)], {type: "text/javascript"}));
  ort = await import(local ? here(main) : await asModule(main));
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = {mjs: local ? here(glue) : await asModule(glue)};
  ort.env.wasm.wasmBinary = local ? (await gunzip(await get(here(`${binary}.gz`)))).buffer : await checked(binary);
}

async function load({meta, data}) {
  const R = meta.n_regions, wide = meta.ch_names.length;
  head = {meta, data, R, wide, near: math.makeNeighbors(data.edges, R)};
  await startRuntime(meta.runtime);
  const graph = await gunzip(await get(new URL("lite.onnx.gz", import.meta.url)));
  session = await ort.InferenceSession.create(graph, {executionProviders: ["wasm"]});
}

function useCap(names) {
  const key = names.join();
  if (cap?.key === key) return;
  const channels = names.map(name => head.meta.ch_names.indexOf(name));
  const n = names.length, {R, data} = head;
  const leadfield = new Float64Array(n * R);
  channels.forEach((c, i) => leadfield.set(data.leadfield.subarray(c * R, (c + 1) * R), i * R));
  const inputs = math.capInputs(leadfield, n, head), feeds = {};
  for (const [name, [values, shape]] of Object.entries(inputs)) feeds[name] = new ort.Tensor("float32", values, shape);
  cap = {key, names, channels, n, feeds, linear: math.linearMethods(leadfield, n, R)};
}

function useClip(k) {
  if (clip?.k === k) return;
  const {meta, data, wide} = head, T = meta.n_times, coefs = meta.n_coefs;
  const wave = Float64Array.from(data.waves.subarray(k * T, (k + 1) * T), v => v * meta.wave_step);
  const from = data.background.subarray(k * coefs * wide, (k + 1) * coefs * wide);
  const background = new Float64Array(T * wide);  // (times, channels), from its cosines
  for (let t = 0; t < T; t++) for (let f = 1; f < coefs; f++) {
    const c = Math.sqrt(2 / T) * Math.cos(Math.PI * (t + 0.5) * f / T) * meta.background_step;
    for (let i = 0; i < wide; i++) background[t * wide + i] += c * from[f * wide + i];
  }
  clip = {k, wave, background};
}

function topography(source, moved) {  // of the electrodes of the cap, average reference
  const {R, data, meta} = head, share = moved / meta.moved_mm, out = new Float64Array(cap.n);
  source.regions.forEach(r => {
    const w = math.decay(data.centroids, source.seed, r);
    cap.channels.forEach((c, i) => {
      out[i] += w * (data.leadfield[c * R + r] + share * meta.moved_step * data.moved[c * R + r]);
    });
  });
  return math.averageReference(out, cap.n, 1);
}

function energy(wave, peak) {
  const mean = wave.reduce((a, b) => a + b) / wave.length;
  let sum = 0;
  for (let t = Math.max(0, peak - WINDOW); t < Math.min(wave.length, peak + WINDOW); t++) sum += (wave[t] - mean) ** 2;
  return sum;
}

function simulate(wish) {
  useCap(wish.names);
  useClip(wish.clip);
  const {meta, data, wide} = head, {n, channels} = cap, T = meta.n_times, peak = meta.peaks[wish.clip];
  let noise = 0;
  for (let t = Math.max(0, peak - WINDOW); t < Math.min(T, peak + WINDOW); t++)
    for (const c of channels) noise += clip.background[t * wide + c] ** 2;
  const maps = wish.sources.map(source => topography(source, wish.moved));
  const power = map => map.reduce((sum, v) => sum + v * v, 0);
  const size = Math.sqrt(10 ** (SOURCE_DB / 10) * noise / (energy(clip.wave, peak) * power(maps[0])));
  const eeg = new Float64Array(T * n);
  for (let t = 0; t < T; t++) {
    for (let i = 0; i < n; i++) eeg[t * n + i] = clip.background[t * wide + channels[i]];
    wish.sources.forEach((source, k) => {
      const at = t - Math.round(source.lag * meta.sfreq / 1e3);
      const w = size * source.ratio * (at >= 0 && at < T ? clip.wave[at] : 0);
      for (let i = 0; i < n; i++) eeg[t * n + i] += w * maps[k][i];
    });
  }
  addBlink(eeg, wish, data.blink);
  addNoise(eeg, wish, n, T);
  return math.normalize(eeg, T, n);
}

function addBlink(eeg, {blink}, field) {
  if (!blink) return;
  const T = head.meta.n_times, {n, channels} = cap;
  const most = eeg.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  for (let t = 0; t < T; t++) {
    const since = (t / head.meta.sfreq - 0.3) / 0.06;
    const course = Math.exp(-0.5 * since ** 2) - 0.15 * Math.exp(-0.5 * ((since - 2.5) / 1.5) ** 2);
    for (let i = 0; i < n; i++) eeg[t * n + i] += blink * most * course * field[channels[i]];
  }
}

function addNoise(eeg, {snr, draw}, n, T) {
  const normal = math.randomNormal(draw), copy = Float64Array.from(eeg);
  for (let i = 0; i < n; i++) {
    let mean = 0, power = 0;
    for (let t = 0; t < T; t++) mean += copy[t * n + i] / T;
    for (let t = 0; t < T; t++) power += (copy[t * n + i] - mean) ** 2 / T;
    const size = Math.sqrt(power * 10 ** (-snr / 10));
    for (let t = 0; t < T; t++) eeg[t * n + i] += size * normal();
  }
}

async function image(eeg, nTimes) {  // normalized EEG (times, channels of the cap)
  const {R, wide} = head, {n} = cap, input = new Float32Array(nTimes * wide);
  for (let t = 0; t < nTimes; t++) for (let i = 0; i < n; i++) input[t * wide + i] = eeg[t * n + i];
  const tensor = new ort.Tensor("float32", input, [1, nTimes, wide]);
  const {activity, probability} = await session.run({...cap.feeds, eeg: tensor});
  const map = new Float32Array(R), a = activity.data;
  for (let t = 0; t < nTimes; t++) for (let r = 0; r < R; r++) map[r] += a[t * R + r] ** 2 / nTimes;
  return {activity: a, probability: probability.data, map: map.map(Math.sqrt)};
}

function covariance(eeg, nTimes, n) {
  const turned = new Float64Array(n * nTimes);
  for (let t = 0; t < nTimes; t++) for (let i = 0; i < n; i++) turned[i * nTimes + t] = eeg[t * n + i] / Math.sqrt(nTimes);
  return math.gram(turned, n, nTimes);
}

async function recover(eeg, nTimes, truth) {
  const begin = performance.now(), {R, data} = head, {n} = cap;
  const network = await image(eeg, nTimes), spread = covariance(eeg, nTimes, n);
  const probability = truth ? network.probability : math.ofPeople(network.probability, head.meta.people);
  const active = Array.from(probability.keys()).filter(r => probability[r] > 0.5);
  const methods = {deepsif: {map: network.map, found: active, probability}};
  for (const [name, matrix] of Object.entries(cap.linear)) {
    const map = math.linearMap(matrix, spread, R, n), level = math.otsu(map);
    methods[name] = {map, found: Array.from(map.keys()).filter(r => map[r] > level)};
  }
  for (const method of Object.values(methods))
    if (truth) method.scores = math.scores(method.found, truth, data.centroids);
  return {methods, eeg: Float32Array.from(eeg), nTimes, names: cap.names, ms: performance.now() - begin};
}

const answers = {
  load,
  async change(wish) {
    const begin = performance.now(), eeg = simulate(wish);
    const truth = [...new Set(wish.sources.flatMap(s => s.regions))];
    const found = await recover(eeg, head.meta.n_times, truth);
    return {...found, truth, ms: performance.now() - begin};
  },
  async own({names, eeg, nTimes}) {
    useCap(names);
    return recover(math.normalize(eeg, nTimes, names.length), nTimes, null);
  },
  async image({names, eeg, nTimes}) {
    useCap(names);
    const {activity, probability} = await image(eeg, nTimes);
    return {activity: activity.slice(), probability: probability.slice()};
  },
  async linear({names}) {
    useCap(names);
    return {mn: Float32Array.from(cap.linear.mn), sloreta: Float32Array.from(cap.linear.sloreta)};
  },
};

onmessage = async ({data: {id, what, wish}}) => {
  try {
    postMessage({id, answer: await answers[what](wish)});
  } catch (error) {
    postMessage({id, error: String(error.message || error)});
  }
};
