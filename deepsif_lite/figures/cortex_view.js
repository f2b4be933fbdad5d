"use strict";
// A cortex to turn, and a scalp map: shared by the explorer and by the page "Play".
const TYPES = {i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array,
  i4: Int32Array, f4: Float32Array};

function unpackArrays(bytes, list) {
  const arrays = {};
  let at = 0;
  for (const [name, type, count] of list) {
    const size = TYPES[type].BYTES_PER_ELEMENT, whole = new Uint8Array(size * count);
    for (let k = 0; k < size; k++)  // byte planes: first all low bytes, then all high
      for (let i = 0; i < count; i++) whole[size * i + k] = bytes[at++];
    arrays[name] = new TYPES[type](whole.buffer);
  }
  return arrays;
}

async function inflate(bytes, format) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function vertexNormals(points, faces) {
  const sum = new Float32Array(points.length);
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [3 * faces[f], 3 * faces[f + 1], 3 * faces[f + 2]];
    const u = [0, 1, 2].map(k => points[b + k] - points[a + k]);
    const v = [0, 1, 2].map(k => points[c + k] - points[a + k]);
    const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    for (const at of [a, b, c]) for (let k = 0; k < 3; k++) sum[at + k] += n[k];
  }
  for (let i = 0; i < sum.length; i += 3) {
    const length = Math.hypot(sum[i], sum[i + 1], sum[i + 2]) || 1;
    for (let k = 0; k < 3; k++) sum[i + k] /= length;
  }
  return sum;
}

function makeMesh(data, meta) {
  const half = data.faces, left = meta.n_left;
  const faces = new Uint16Array(2 * half.length);  // the hemispheres share one mesh
  half.forEach((v, i) => { faces[i] = v; faces[half.length + i] = v + left; });
  const scaled = ints => Float32Array.from(ints, v => v / meta.unit);
  const pial = scaled(data.pial), inflated = scaled(data.inflated);
  return {pial, inflated, faces, left, half: half.length, region: data.region,
    sulcus: data.sulcus, pialNormal: vertexNormals(pial, faces),
    inflatedNormal: vertexNormals(inflated, faces)};
}

const VERTEX = `
attribute vec3 pial, inflated, pialNormal, inflatedNormal, color;
uniform mat3 turn; uniform float morph, zoom, aspect;
varying vec3 shade;
void main() {
  vec3 place = turn * mix(pial, inflated, morph) * zoom;
  vec3 normal = normalize(turn * mix(pialNormal, inflatedNormal, morph));
  shade = color * (0.58 + 0.42 * max(normal.z, 0.0));
  gl_Position = vec4(place.x / aspect, place.y, -0.2 * place.z, 1.0);
}`;
const FRAGMENT = `precision mediump float; varying vec3 shade;
void main() { gl_FragColor = vec4(shade, 1.0); }`;

function shaderProgram(gl) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  gl.useProgram(made);
  return made;
}

// Rows of the rotation: right, up and toward the viewer, in the brain's axes.
const VIEWS = {
  left: [[0, -1, 0], [0, 0, 1], [-1, 0, 0]], right: [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
  top: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], bottom: [[-1, 0, 0], [0, 1, 0], [0, 0, -1]],
  front: [[-1, 0, 0], [0, 0, 1], [0, 1, 0]], back: [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
};
const STEP = 0.15;  // radians a press of an arrow key turns

function spin(turn, dx, dy) {
  const [ca, sa, cb, sb] = [Math.cos(dx), Math.sin(dx), Math.cos(dy), Math.sin(dy)];
  const [x, y, z] = turn;
  const mix = (p, q, a, b) => p.map((v, k) => a * v + b * q[k]);
  const x2 = mix(x, z, ca, sa), z2 = mix(z, x, ca, -sa);
  return [x2, mix(y, z2, cb, -sb), mix(z2, y, cb, sb)];
}

class CortexView {
  // camera: {turn, zoom, morph, sides}, which several views may share;
  // moved() is called when the camera has changed, chosen(region) when one is picked.
  constructor(canvas, mesh, camera, {moved, chosen}) {
    this.canvas = canvas; this.mesh = mesh; this.camera = camera;
    this.moved = moved; this.chosen = chosen;
    const gl = this.gl = canvas.getContext("webgl", {preserveDrawingBuffer: true});
    if (!gl) throw new Error("no WebGL");
    const made = shaderProgram(gl);
    this.place = name => gl.getUniformLocation(made, name);
    this.attribute = (name, values) => {
      const buffer = this.buffers[name] ??= gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      const at = gl.getAttribLocation(made, name);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, 3, gl.FLOAT, false, 0, 0);
    };
    this.buffers = {};
    for (const name of ["pial", "inflated", "pialNormal", "inflatedNormal"])
      this.attribute(name, mesh[name]);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, mesh.faces, gl.STATIC_DRAW);
    gl.enable(gl.DEPTH_TEST);
    this.listen();
  }

  // color(region) gives red, green, blue from 0 to 1; -1 is cortex without a region.
  paint(color) {
    const {region, sulcus} = this.mesh, colors = new Float32Array(3 * region.length);
    for (let i = 0; i < region.length; i++) {
      const dark = sulcus[i] ? 0.82 : 1, rgb = color(region[i]);
      for (let k = 0; k < 3; k++) colors[3 * i + k] = rgb[k] * dark;
    }
    this.attribute("color", colors);
    this.draw();
  }

  draw() {
    const {gl, canvas, mesh} = this, {turn: t, morph, zoom, sides} = this.camera;
    const back = getComputedStyle(canvas).backgroundColor.match(/[\d.]+/g) || [255, 255, 255];
    gl.clearColor(back[0] / 255, back[1] / 255, back[2] / 255, 1);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix3fv(this.place("turn"), false, [0, 1, 2].flatMap(k => [t[0][k], t[1][k], t[2][k]]));
    gl.uniform1f(this.place("morph"), morph);
    gl.uniform1f(this.place("zoom"), zoom);
    gl.uniform1f(this.place("aspect"), canvas.width / canvas.height);
    const first = sides === "right" ? mesh.half : 0;
    gl.drawElements(gl.TRIANGLES, sides === "both" ? 2 * mesh.half : mesh.half, gl.UNSIGNED_SHORT, 2 * first);
  }

  pick(x, y) {  // the foremost vertex within a few pixels
    const {canvas, mesh} = this, {turn: t, zoom, morph: m, sides} = this.camera;
    let best = -1, front = -Infinity;
    for (let i = 0; i < mesh.region.length; i++) {
      if (sides !== "both" && (sides === "left") !== (i < mesh.left)) continue;
      const p = [0, 1, 2].map(k => (1 - m) * mesh.pial[3 * i + k] + m * mesh.inflated[3 * i + k]);
      const at = t.map(row => zoom * (row[0] * p[0] + row[1] * p[1] + row[2] * p[2]));
      const dx = canvas.width / 2 + at[0] * canvas.height / 2 - x;
      const dy = canvas.height / 2 - at[1] * canvas.height / 2 - y;
      if (dx * dx + dy * dy < 36 && at[2] > front) { best = i; front = at[2]; }
    }
    return best < 0 ? -1 : mesh.region[best];
  }

  scaleBy(factor) {
    this.camera.zoom = Math.min(60, Math.max(5, this.camera.zoom * factor));
    this.moved();
  }

  turnBy(dx, dy) {
    this.camera.turn = spin(this.camera.turn, dx, dy);
    this.moved();
  }

  listen() {
    const {canvas} = this;
    canvas.tabIndex = 0;
    canvas.style.touchAction = "pan-y";  // a finger moving up or down scrolls the page
    let held = null, far = 0;
    canvas.onpointerdown = e => { held = [e.clientX, e.clientY]; far = 0; canvas.setPointerCapture(e.pointerId); };
    canvas.onpointermove = e => {
      if (!held) return;
      const [dx, dy] = [e.clientX - held[0], e.clientY - held[1]];
      held = [e.clientX, e.clientY];
      far += Math.abs(dx) + Math.abs(dy);
      this.turnBy(-dx / 120, dy / 120);
    };
    canvas.onpointercancel = () => { held = null; };
    canvas.onpointerup = e => {
      held = null;
      if (far > 4) return;
      const scale = canvas.width / canvas.clientWidth;
      const region = this.pick(e.offsetX * scale, e.offsetY * scale);
      if (region >= 0) this.chosen(region);
    };
    canvas.addEventListener("wheel", e => {
      if (!e.ctrlKey && !e.metaKey) return;  // without Ctrl the page scrolls
      e.preventDefault();
      this.scaleBy(Math.exp(-e.deltaY / 600));
    }, {passive: false});
    const keys = {
      ArrowLeft: () => this.turnBy(-STEP, 0), ArrowRight: () => this.turnBy(STEP, 0),
      ArrowUp: () => this.turnBy(0, STEP), ArrowDown: () => this.turnBy(0, -STEP),
      "+": () => this.scaleBy(1.15), "=": () => this.scaleBy(1.15), "-": () => this.scaleBy(1 / 1.15),
      Enter: () => {
        const region = this.pick(canvas.width / 2, canvas.height / 2);
        if (region >= 0) this.chosen(region);
      },
    };
    canvas.addEventListener("keydown", e => {
      if (!keys[e.key]) return;
      e.preventDefault();
      keys[e.key]();
    });
  }
}

function viewButtons(place, camera, moved) {
  for (const name of Object.keys(VIEWS)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.onclick = () => { camera.turn = VIEWS[name]; moved(); };
    place.append(button, " ");
  }
}

// values: one an electrode, -1 to 1; spots: electrodes on the unit disc.
function drawScalp(face, spots, values, colors) {
  const pen = face.getContext("2d"), size = face.width, r = 0.42 * size;
  const cx = size / 2, cy = face.height - size / 2 - 2, ink = getComputedStyle(face).color;
  const places = spots.map(([x, y]) => [cx + r * x, cy - r * y]);
  pen.clearRect(0, 0, size, face.height);
  const image = pen.createImageData(size, face.height), soft = 60 * (size / 210) ** 2;
  for (let y = 0; y < face.height; y++) for (let x = 0; x < size; x++) {
    if (Math.hypot(x - cx, y - cy) > r * 1.02) continue;
    let sum = 0, weight = 0;
    places.forEach(([sx, sy], k) => {
      const w = 1 / (soft + (x - sx) ** 2 + (y - sy) ** 2) ** 2;
      sum += w * values[k]; weight += w;
    });
    const level = Math.max(0, Math.min(255, Math.round(127.5 + 127.5 * sum / weight)));
    const at = 4 * (y * size + x);
    for (let k = 0; k < 3; k++) image.data[at + k] = colors[3 * level + k];
    image.data[at + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
  pen.strokeStyle = ink;
  pen.lineWidth = 1.5;
  pen.beginPath(); pen.arc(cx, cy, r * 1.02, 0, 7); pen.stroke();
  pen.beginPath(); pen.moveTo(cx - 10, cy - r); pen.lineTo(cx, cy - r - 12); pen.lineTo(cx + 10, cy - r); pen.stroke();
  pen.fillStyle = "#222";
  for (const [x, y] of places) { pen.beginPath(); pen.arc(x, y, 1.5, 0, 7); pen.fill(); }
}
