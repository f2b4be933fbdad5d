// Linear algebra, patches, scores: arrays in, arrays out. Matrices are flat, by rows.

export function inverse(matrix, n) {  // of a symmetric, positive matrix: Gauss and Jordan
  const a = Float64Array.from(matrix), b = new Float64Array(n * n);
  for (let i = 0; i < n; i++) b[i * n + i] = 1;
  for (let p = 0; p < n; p++) {
    const d = 1 / a[p * n + p];
    for (let j = 0; j < n; j++) { a[p * n + j] *= d; b[p * n + j] *= d; }
    for (let i = 0; i < n; i++) {
      if (i === p) continue;
      const f = a[i * n + p];
      if (f === 0) continue;
      for (let j = 0; j < n; j++) { a[i * n + j] -= f * a[p * n + j]; b[i * n + j] -= f * b[p * n + j]; }
    }
  }
  return b;
}

export function inverseRoot(matrix, n) {  // of a symmetric, positive matrix, by Jacobi's rotations
  const a = Float64Array.from(matrix), v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 12; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) {
      const apq = a[p * n + q];
      off += apq * apq;
      if (Math.abs(apq) < 1e-14) continue;
      const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
      const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
      const c = 1 / Math.sqrt(t * t + 1), s = t * c;
      for (let k = 0; k < n; k++) {
        const x = a[k * n + p], y = a[k * n + q];
        a[k * n + p] = c * x - s * y; a[k * n + q] = s * x + c * y;
      }
      for (let k = 0; k < n; k++) {
        const x = a[p * n + k], y = a[q * n + k];
        a[p * n + k] = c * x - s * y; a[q * n + k] = s * x + c * y;
        const g = v[k * n + p], h = v[k * n + q];
        v[k * n + p] = c * g - s * h; v[k * n + q] = s * g + c * h;
      }
    }
    if (off < 1e-20) break;
  }
  const root = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    const w = 1 / Math.sqrt(a[k * n + k]);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) root[i * n + j] += v[i * n + k] * w * v[j * n + k];
  }
  return root;
}

export function product(a, b, n, m, k) {  // (n, m) times (m, k)
  const out = new Float64Array(n * k);
  for (let i = 0; i < n; i++) for (let l = 0; l < m; l++) {
    const f = a[i * m + l], row = l * k, to = i * k;
    if (f !== 0) for (let j = 0; j < k; j++) out[to + j] += f * b[row + j];
  }
  return out;
}

export function gram(a, n, m) {  // (n, m) times its transpose
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) {
    let sum = 0;
    for (let k = 0; k < m; k++) sum += a[i * m + k] * a[j * m + k];
    out[i * n + j] = out[j * n + i] = sum;
  }
  return out;
}

export function averageReference(a, n, m) {  // n channels in rows
  const out = Float64Array.from(a);
  for (let j = 0; j < m; j++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += out[i * m + j] / n;
    for (let i = 0; i < n; i++) out[i * m + j] -= mean;
  }
  return out;
}

const trace = (a, n) => { let sum = 0; for (let i = 0; i < n; i++) sum += a[i * n + i]; return sum; };
function unitRows(rows, n, m) {
  for (let i = 0; i < n; i++) {
    let size = 0;
    for (let j = 0; j < m; j++) size += rows[i * m + j] ** 2;
    size = Math.sqrt(size);
    for (let j = 0; j < m; j++) rows[i * m + j] /= size;
  }
  return rows;
}

const HALF_DISTANCE = 0.05, SIGMA = 0.8493 * HALF_DISTANCE;  // m; decay of a patch
export function decay(centroids, a, b) {
  let d2 = 0;
  for (let k = 0; k < 3; k++) d2 += (centroids[3 * a + k] - centroids[3 * b + k]) ** 2;
  return Math.exp(-0.5 * d2 / SIGMA ** 2);
}

export function distance(centroids, a, b) {
  return Math.hypot(...[0, 1, 2].map(k => centroids[3 * a + k] - centroids[3 * b + k]));
}

export function makeNeighbors(edges, nRegions) {
  const near = Array.from({length: nRegions}, () => []);
  for (let i = 0; i < edges.length; i += 2) {
    near[edges[i]].push(edges[i + 1]);
    near[edges[i + 1]].push(edges[i]);
  }
  return near;
}

// ---- what the network needs of a cap, padded with zeros to the size of the graph
const PROFILES = [[1], [1, 0.9], [1, 0.9, 0.5], [1, 0.9, 0.7, 0.4]];
const RIDGE = 1e-3, SAME = 2e-3;

function rings(near, seed, depth) {
  const ring = new Map([[seed, 0]]);
  let edge = [seed];
  for (let d = 1; d < depth; d++) {
    const next = [];
    for (const r of edge) for (const s of near[r]) if (!ring.has(s)) { ring.set(s, d); next.push(s); }
    edge = next;
  }
  return ring;
}

function padded(rows, n, m, wide) {
  const out = new Float32Array(n * wide);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) out[i * wide + j] = rows[i * m + j];
  return out;
}

export function capInputs(leadfield, n, head) {  // leadfield: (n channels, regions)
  const {R, wide, near, data, meta} = head, referenced = averageReference(leadfield, n, R);
  const cov = gram(referenced, n, R), scale = n / trace(cov, n);
  for (let i = 0; i < cov.length; i++) cov[i] *= scale;
  for (let i = 0; i < n; i++) cov[i * n + i] += meta.noise_share;
  const whitener = inverseRoot(cov, n);
  const white = averageReference(product(whitener, leadfield, n, n, R), n, R);
  const maps = new Float64Array(R * n);  // by region
  let size = 0;
  for (let r = 0; r < R; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) { maps[r * n + i] = white[i * R + r]; sum += white[i * R + r] ** 2; }
    size += Math.sqrt(sum) / R;
  }
  const parcel = maps.map(v => v / size);
  const rounds = new Float32Array(PROFILES.length * R * wide);
  PROFILES.forEach((profile, p) => {
    const rows = new Float64Array(R * n);
    for (let r = 0; r < R; r++)
      for (const [s, d] of rings(near, r, profile.length))
        for (let i = 0; i < n; i++) rows[r * n + i] += profile[d] * maps[s * n + i];
    rounds.set(padded(unitRows(rows, R, n), R, n, wide), p * R * wide);
  });
  const count = data.patch_size.length, rows = new Float32Array(count * wide);
  let at = 0;
  for (let p = 0; p < count; p++) {
    const seed = Math.floor(p / meta.n_shapes), to = p * wide;
    let region = 0, sum = 0;
    for (let k = 0; k < data.patch_size[p]; k++, at++) {
      region = k ? region + data.patch_steps[at] : data.patch_steps[at];
      const w = decay(data.centroids, seed, region), from = region * n;
      for (let i = 0; i < n; i++) rows[to + i] += w * maps[from + i];
    }
    for (let i = 0; i < n; i++) sum += rows[to + i] ** 2;
    sum = Math.sqrt(sum);
    for (let i = 0; i < n; i++) rows[to + i] /= sum;
  }
  return {
    whitener: [padGrid(whitener, n, wide), [wide, wide]],
    parcel_maps: [padded(parcel, R, n, wide), [R, wide]],
    round_maps: [rounds, [PROFILES.length, R, wide]],
    patch_maps: [rows, [count, wide]],
    translation: [translation(parcel, n, head), [wide, wide]],
  };
}

function padGrid(grid, n, wide) {
  const out = new Float32Array(wide * wide);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * wide + j] = grid[i * n + j];
  return out;
}

function translation(parcel, n, head) {  // from maps of the cap to those of the reference
  const {R, wide, data} = head, out = new Float32Array(wide * wide);
  if (n === wide) {
    let differ = 0, most = 0;
    for (let i = 0; i < parcel.length; i++) {
      differ = Math.max(differ, Math.abs(parcel[i] - data.reference[i]));
      most = Math.max(most, Math.abs(data.reference[i]));
    }
    if (differ < SAME * most) {
      for (let i = 0; i < wide; i++) out[i * wide + i] = 1;
      return out;
    }
  }
  const ours = new Float64Array(n * R);
  for (let r = 0; r < R; r++) for (let i = 0; i < n; i++) ours[i * R + r] = parcel[r * n + i];
  const square = gram(ours, n, R), ridge = RIDGE * trace(square, n) / n;
  for (let i = 0; i < n; i++) square[i * n + i] += ridge;
  const cross = product(ours, data.reference, n, R, wide);
  out.set(Float32Array.from(product(inverse(square, n), cross, n, n, wide)));
  return out;
}

// ---- linear methods: a matrix a cap (regions, channels)
const LAMBDA2 = 1 / 9, DEPTH = 0.8, LIMIT = 10;

export function linearMethods(leadfield, n, R) {
  const plain = averageReference(leadfield, n, R);
  const power = new Float64Array(R);
  for (let i = 0; i < n; i++) for (let r = 0; r < R; r++) power[r] += plain[i * R + r] ** 2;
  const most = power.reduce((a, b) => Math.max(a, b));
  const root = power.map(v => Math.min(most / (v * LIMIT ** 2), 1) ** (DEPTH / 2));
  const weighted = plain.map((v, at) => v * root[at % R]);
  return {mn: minimumNorm(plain, n, R, false), sloreta: minimumNorm(weighted, n, R, true)};
}

function minimumNorm(gain, n, R, standardized) {
  const square = gram(gain, n, R), scale = (n - 1) / trace(square, n);
  for (let i = 0; i < square.length; i++) square[i] *= scale;
  for (let i = 0; i < n; i++) square[i * n + i] += LAMBDA2;
  const half = product(inverse(square, n), gain, n, n, R), out = new Float64Array(R * n);
  for (let r = 0; r < R; r++) {
    let resolution = 0;
    for (let i = 0; i < n; i++) resolution += gain[i * R + r] * half[i * R + r];
    const size = standardized ? Math.sqrt(resolution) : 1;
    for (let i = 0; i < n; i++) out[r * n + i] = half[i * R + r] / size;
  }
  return out;
}

export function linearMap(matrix, covariance, R, n) {  // root mean square over time
  const out = new Float32Array(R), part = product(matrix, covariance, R, n, n);
  for (let r = 0; r < R; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += part[r * n + i] * matrix[r * n + i];
    out[r] = Math.sqrt(Math.max(sum, 0));
  }
  return out;
}

// ---- which regions are active, and how right that is
const BINS = 100;
export function otsu(values) {
  const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
  if (low === high) return high;
  const counts = new Float64Array(BINS), width = (high - low) / BINS;
  for (const v of values) counts[Math.min(BINS - 1, Math.floor((v - low) / width))]++;
  const centers = Array.from(counts, (_, k) => low + width * (k + 0.5));
  const total = values.length, all = counts.reduce((sum, c, k) => sum + c * centers[k], 0);
  let lower = 0, mass = 0, best = -1, split = 0;
  for (let k = 0; k < BINS - 1; k++) {
    lower += counts[k];
    mass += counts[k] * centers[k];
    const gap = all * lower - mass * total, between = gap * gap / (lower * (total - lower));
    if (between > best) { best = between; split = k; }
  }
  return centers[split];
}

export function ofPeople(probability, [a, b, c]) {  // as BetaCalibration of the library
  return probability.map(p => {
    const q = Math.min(Math.max(p, 1e-6), 1 - 1e-6);
    return 1 / (1 + Math.exp(-(a * Math.log(q) - b * Math.log(1 - q) + c)));
  });
}

export function scores(found, truth, centroids) {
  const inside = new Set(truth), hits = found.filter(r => inside.has(r)).length;
  let far = 0;
  for (const f of found) far += Math.min(...truth.map(t => distance(centroids, f, t))) / found.length;
  return {
    precision: found.length ? hits / found.length : NaN,
    recall: hits / truth.length,
    error: found.length ? 1e3 * far : NaN,
    count: found.length,
  };
}

export function randomNormal(seed) {  // the same numbers for the same seed
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

export function normalize(eeg, nTimes, n) {  // (times, channels): mean over time, reference, size
  const out = Float64Array.from(eeg);
  for (let i = 0; i < n; i++) {
    let mean = 0;
    for (let t = 0; t < nTimes; t++) mean += out[t * n + i] / nTimes;
    for (let t = 0; t < nTimes; t++) out[t * n + i] -= mean;
  }
  let most = 0;
  for (let t = 0; t < nTimes; t++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += out[t * n + i] / n;
    for (let i = 0; i < n; i++) { out[t * n + i] -= mean; most = Math.max(most, Math.abs(out[t * n + i])); }
  }
  return out.map(v => v / (most || 1));
}
