"use strict";
// Recordings of the reader: CSV, EDF and averages in FIF, read in the page.
const readRecording = (() => {
  const OLD_NAMES = {T3: "T7", T4: "T8", T5: "P7", T6: "P8"};
  const LEAST = 19;  // electrodes
  const LEAST_MS = 200, MOST_BYTES = 50e6;
  const UNLIKE = 20;  // times the median of the channels: another unit, or a bad contact
  const VOLTS = {V: 1, MV: 1e-3, UV: 1e-6, "µV": 1e-6, "ΜV": 1e-6, NV: 1e-9};
  // FIF: tags of (kind, type, bytes, where the next lies), big endian. Numbers of its standard:
  const KIND = {sfreq: 201, channel: 203, start: 104, end: 105, epoch: 302, nameList: 3507};
  const EVOKED = 104, BADS = 359;  // blocks
  const CHANNEL = {bytes: 96, kind: 8, calibration: 16, name: 80, nameBytes: 16, eeg: 2};
  const FLOATS = 0x40000004, SHAPE_BYTES = 12;  // a matrix of floats, its shape at its end

  function fitting(names, known) {  // column of the file for each electrode that is known
    const proper = new Map(known.map(name => [name.toUpperCase(), name])), used = new Map();
    names.forEach((name, column) => {
      const plain = name.trim().replace(/^EEG\s+/i, "").replace(/[-_](REF|LE|AVG|A1|A2)$/i, "").toUpperCase();
      const match = proper.get(OLD_NAMES[plain] ? OLD_NAMES[plain].toUpperCase() : plain);
      if (match && !used.has(match)) used.set(match, column);
    });
    if (used.size < LEAST) throw new Error(`only ${used.size} of its channels have names of the 10-10 system; ${LEAST} are needed (found ${names.slice(0, 6).join(", ")} …)`);
    return used;
  }

  function parseCsv(text, sfreq) {
    const lines = text.trim().split(/\r?\n/), mark = lines[0].includes(";") ? ";" : lines[0].includes("\t") ? "\t" : ",";
    const names = lines[0].split(mark).map(s => s.replace(/"/g, ""));
    const rows = lines.slice(1).map(line => line.split(mark).map(v => v.trim() === "" ? NaN : mark === ";" ? +v.replace(",", ".") : +v));
    if (rows.some(row => row.length !== names.length)) throw new Error(`a row has not ${names.length} values, as many as the first row has names`);
    if (rows.some(row => row.some(Number.isNaN))) throw new Error("a row holds something that is no number; the first row must be the names of the channels, each further row one sample");
    return {names, rows, sfreq};
  }

  function parseEdf(buffer) {
    const ascii = new TextDecoder("latin1").decode(buffer), field = (at, size) => ascii.slice(at, at + size).trim();
    const records = +field(236, 8), seconds = +field(244, 8), count = +field(252, 4);
    if (!(records > 0 && seconds > 0 && count > 0)) throw new Error("its header is not that of an EDF file");
    const column = (at, size) => Array.from({length: count}, (_, k) => field(256 + at * count + k * size, size));
    const names = column(0, 16), sizes = column(216, 8).map(Number);
    const volts = column(96, 8).map(unit => VOLTS[unit.toUpperCase()] ?? 1e-6);
    const [low, high, dLow, dHigh] = [104, 112, 120, 128].map(at => column(at, 8).map(Number));
    const most = Math.max(...sizes), kept = names.map((_, k) => k).filter(k => sizes[k] === most && !/annotations/i.test(names[k]));
    const begin = +field(184, 8), step = sizes.reduce((a, b) => a + b), rows = [];
    if (begin + 2 * step * records > buffer.byteLength) throw new Error("it ends before its header says so");
    const view = new DataView(buffer, begin), starts = sizes.map((_, k) => sizes.slice(0, k).reduce((a, b) => a + b, 0));
    const value = (k, at) => volts[k] * (low[k] + (view.getInt16(2 * (at + starts[k]), true) - dLow[k]) * (high[k] - low[k]) / (dHigh[k] - dLow[k]));
    for (let r = 0; r < records; r++) for (let s = 0; s < most; s++) rows.push(kept.map(k => value(k, r * step + s)));
    return {names: kept.map(k => names[k]), rows, sfreq: most / seconds};
  }

  function* fifTags(buffer) {
    const view = new DataView(buffer);
    for (let at = 0; at + 16 <= buffer.byteLength;) {
      const [kind, type, size, next] = [0, 4, 8, 12].map(k => view.getInt32(at + k)), body = at + 16;
      if (size < 0 || body + size > buffer.byteLength) throw new Error("it is damaged, or no FIF file");
      yield {kind, type, size, body, view, text: (from, bytes) => new TextDecoder("latin1").decode(buffer.slice(from, from + bytes)).replace(/\0.*$/s, "")};
      if (next < 0) return;
      at = next > 0 ? next : body + size;
    }
  }

  function parseFif(buffer) {  // the first average of the file
    const channels = [], blocks = [];
    let sfreq = 0, bads = [], epoch = null;
    for (const tag of fifTags(buffer)) {
      const {kind, view, body, size} = tag;
      if (kind === KIND.start) blocks.push(view.getInt32(body));
      else if (kind === KIND.end) blocks.pop();
      else if (kind === KIND.sfreq) sfreq = view.getFloat32(body);
      else if (kind === KIND.nameList && blocks.at(-1) === BADS) bads = tag.text(body, size).split(":");
      else if (kind === KIND.channel && size === CHANNEL.bytes) channels.push({
        name: tag.text(body + CHANNEL.name, CHANNEL.nameBytes), isEeg: view.getInt32(body + CHANNEL.kind) === CHANNEL.eeg,
        calibration: view.getFloat32(body + CHANNEL.calibration)});
      else if (kind === KIND.epoch && blocks.includes(EVOKED)) { epoch = tag; break; }
    }
    if (!epoch) throw new Error("it holds no average (raw data and epochs: deepsif-lite image)");
    const {view, body, size} = epoch, T = view.getInt32(body + size - SHAPE_BYTES);
    if (epoch.type !== FLOATS || 4 * T * channels.length + SHAPE_BYTES !== size) throw new Error("its numbers are stored in a way that this page does not know");
    const kept = channels.map((_, k) => k).filter(k => channels[k].isEeg && !bads.includes(channels[k].name));
    const rows = Array.from({length: T}, (_, t) => kept.map(k => channels[k].calibration * view.getFloat32(body + 4 * (k * T + t))));
    return {names: kept.map(k => channels[k].name), rows, sfreq};
  }

  function window1s(rows, used, sfreq, {rate, mostTimes}) {  // of a longer recording the second around its strongest sample
    const names = [...used.keys()], columns = [...used.values()], n = names.length;
    const duration = (rows.length - 1) / sfreq, total = Math.floor(duration * rate) + 1;
    if (!(1e3 * duration >= LEAST_MS)) throw new Error(`it is ${Math.round(1e3 * duration)} ms long; ${LEAST_MS} ms are needed`);
    const all = new Float64Array(total * n);
    for (let t = 0; t < total; t++) {
      const at = t * sfreq / rate, low = Math.min(Math.floor(at), rows.length - 1), high = Math.min(low + 1, rows.length - 1);
      columns.forEach((c, i) => { all[t * n + i] = rows[low][c] + (at - low) * (rows[high][c] - rows[low][c]); });
    }
    const power = new Float64Array(total), sizes = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let mean = 0;
      for (let t = 0; t < total; t++) mean += all[t * n + i] / total;
      for (let t = 0; t < total; t++) { const v = (all[t * n + i] - mean) ** 2; power[t] += v; sizes[i] += v; }
    }
    const nTimes = Math.min(total, mostTimes), strongest = power.indexOf(power.reduce((a, b) => Math.max(a, b)));
    const start = Math.max(0, Math.min(total - nTimes, strongest - Math.floor(nTimes / 2)));
    return {names, nTimes, eeg: all.slice(start * n, (start + nTimes) * n), doubts: doubts(names, sizes.map(Math.sqrt))};
  }

  function doubts(names, sizes) {
    const median = [...sizes].sort((a, b) => a - b)[sizes.length >> 1];
    if (!(median > 0)) throw new Error("most of its channels are constant");
    const large = names.filter((_, i) => sizes[i] > UNLIKE * median), flat = names.filter((_, i) => sizes[i] === 0);
    return [
      large.length ? `${large.join(", ")}: more than ${UNLIKE} times as large as the other channels (another unit, or no contact?)` : "",
      flat.length ? `${flat.join(", ")}: constant` : "",
    ].filter(Boolean);
  }

  return async (file, {known, csvRate, rate, mostTimes}) => {
    if (file.size > MOST_BYTES) throw new Error("it is larger than 50 MB; give an average, or a second of EEG");
    const kind = file.name.toLowerCase().match(/\.(edf|fif|csv|txt|tsv)$/)?.[1];
    if (!kind) throw new Error("only CSV, EDF and FIF are read here; deepsif-lite image reads all others");
    const parse = {edf: parseEdf, fif: parseFif}[kind];
    const {names, rows, sfreq} = parse ? parse(await file.arrayBuffer()) : parseCsv(await file.text(), csvRate);
    if (!(sfreq > 0)) throw new Error("it does not say how many samples a second has");
    return window1s(rows, fitting(names, known), sfreq, {rate, mostTimes});
  };
})();
