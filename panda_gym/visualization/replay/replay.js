"use strict";
// Plays the scenes in #data. Everything of the log is drawn or written as text, never as markup.
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const KINDS = {u1: Uint8Array, u2: Uint16Array, u4: Uint32Array};
function unpack({kind, data}) {
  const raw = atob(data), bytes = new Uint8Array(raw.length);
  for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
  return new KINDS[kind](bytes.buffer);
}
const all = part => Object.fromEntries(Object.entries(part).map(([k, v]) => [k, unpack(v)]));
const at = all(data.sites), totals = all(data.totals), flows = all(data.flows);
const S = data.names.length, T = data.times_s.length, ink = data.ink;
const STAGES = ["running", "waiting", "staging"];
const number = new Intl.NumberFormat("en");
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

const curves = {};
for (const name of STAGES) {
  const sums = curves[name] = new Float64Array(T);
  for (let t = 0; t < T; t++) for (let s = 0; s < S; s++) sums[t] += at[name][t * S + s];
}
let now = 0, chosen = -1, under = -1, playing = false, position = 0, before = 0;

function clock(t) {
  const minutes = Math.floor(data.times_s[t] / 60), two = n => String(n).padStart(2, "0");
  return `day ${Math.floor(minutes / 1440)}  ${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
}
const rgb = code => [1, 3, 5].map(k => parseInt(code.slice(k, k + 2), 16));
const stops = data.pressure.map(rgb);
function shade(level) {
  const x = Math.min(Math.max(level, 0), 1) * (stops.length - 1), k = Math.min(Math.floor(x), stops.length - 2);
  return `rgb(${stops[k].map((a, i) => Math.round(a + (x - k) * (stops[k + 1][i] - a))).join(",")})`;
}
const pressure = (wanted, cores) => Math.log1p(wanted / Math.max(cores, 1)) / Math.log1p(data.pressure_full);

function fit(canvas, height) {
  const width = canvas.clientWidth || 800, ratio = window.devicePixelRatio || 1;
  const tall = height(width);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(tall * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(tall * ratio);
    canvas.style.height = tall + "px";
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, tall);
  return [pen, width, tall];
}
function disc(pen, s, share, fill) {
  if (share <= 0) return;
  pen.beginPath();
  pen.arc(data.x[s], data.y[s], data.r[s] * Math.sqrt(Math.min(share, 1)), 0, 7);
  pen.fillStyle = fill;
  pen.fill();
}
function drawFlows(pen) {
  const first = flows.first[now], last = flows.first[now + 1];
  pen.strokeStyle = ink.flow;
  pen.globalAlpha = last - first > 80 ? 0.32 : 0.55;
  if (!still) { pen.setLineDash([7, 5]); pen.lineDashOffset = -position * 6; }
  for (let k = first; k < last; k++) {
    const a = flows.source[k], b = flows.target[k];
    const dx = data.x[b] - data.x[a], dy = data.y[b] - data.y[a];
    pen.lineWidth = 0.8 + 0.9 * Math.log2(flows.inputs[k]);
    pen.beginPath();
    pen.moveTo(data.x[a], data.y[a]);
    pen.quadraticCurveTo((data.x[a] + data.x[b]) / 2 + 0.22 * dy, (data.y[a] + data.y[b]) / 2 - 0.22 * dx, data.x[b], data.y[b]);
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}
function drawMap() {
  const [pen, width] = fit($("map"), w => w * data.height / data.width);
  const scale = width / data.width;
  pen.scale(scale, scale);
  for (let s = 0; s < S; s++) {
    const k = now * S + s, cores = data.cores[s], used = at.cores[k] / cores;
    disc(pen, s, 1, ink.disc);
    disc(pen, s, used + at.competing[k] / cores, ink.competing);
    disc(pen, s, used, shade(pressure(at.wanted[k], cores)));
    pen.lineWidth = s === chosen ? 2.5 : at.status[k] < 2 ? 2.5 : 0.8;
    pen.strokeStyle = s === chosen ? "#ffffff" : at.status[k] === 0 ? ink.down : at.status[k] === 1 ? ink.waiting : ink.edge;
    pen.beginPath();
    pen.arc(data.x[s], data.y[s], data.r[s], 0, 7);
    pen.stroke();
  }
  drawFlows(pen);
  pen.font = "600 11px system-ui, 'DejaVu Sans', sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineWidth = 3;
  pen.strokeStyle = "#0d1321b0";
  pen.fillStyle = "#eef3ff";
  for (let s = 0; s < S; s++) if (data.r[s] > 13) {
    pen.strokeText(data.region[s], data.x[s], data.y[s]);
    pen.fillText(data.region[s], data.x[s], data.y[s]);
  }
}
const LABEL = {running: "jobs running", waiting: "jobs waiting", staging: "inputs moving"};
const PANEL = 92, GAP = 26;
function drawCurves() {
  const [pen, width] = fit($("curves"), () => 3 * (PANEL + GAP));
  STAGES.forEach((name, k) => {
    const top = k * (PANEL + GAP) + 18, series = t => chosen < 0 ? curves[name][t] : at[name][t * S + chosen];
    let most = 1;
    for (let t = 0; t < T; t++) most = Math.max(most, series(t));
    const x = t => t / (T - 1) * width, y = t => top + PANEL * (1 - series(t) / most);
    pen.beginPath();
    pen.moveTo(0, top + PANEL);
    for (let t = 0; t < T; t++) pen.lineTo(x(t), y(t));
    pen.lineTo(width, top + PANEL);
    pen.fillStyle = ink[name];
    pen.globalAlpha = 0.14;
    pen.fill();
    pen.globalAlpha = 1;
    pen.beginPath();
    for (let t = 0; t < T; t++) pen.lineTo(x(t), y(t));
    pen.strokeStyle = ink[name];
    pen.lineWidth = 1.6;
    pen.stroke();
    pen.strokeStyle = "#ffffff66";
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x(now), top);
    pen.lineTo(x(now), top + PANEL);
    pen.stroke();
    pen.beginPath();
    pen.arc(x(now), y(now), 3.2, 0, 7);
    pen.fillStyle = "#fff";
    pen.fill();
    pen.font = "12px system-ui, 'DejaVu Sans', sans-serif";
    pen.textAlign = "left";
    pen.fillStyle = ink[name];
    pen.fillText(LABEL[name], 0, top - 6);
    pen.textAlign = "right";
    pen.fillStyle = ink.text;
    pen.fillText(`${number.format(series(now))}  (most ${number.format(most)})`, width, top - 6);
  });
  $("whose").textContent = chosen < 0 ? "The whole grid" : data.names[chosen] + " (click it again for the grid)";
}
function fillRows() {
  const order = [...Array(S).keys()].sort((a, b) => at.wanted[now * S + b] - at.wanted[now * S + a] || at.cores[now * S + b] - at.cores[now * S + a] || a - b);
  $("rows").replaceChildren(...order.slice(0, 12).map(s => {
    const k = now * S + s, row = document.createElement("tr");
    for (const text of [data.names[s], ...[data.cores[s], at.cores[k], at.running[k], at.waiting[k], at.staging[k]].map(number.format)]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    row.firstChild.title = data.names[s];
    row.addEventListener("click", () => choose(s));
    return row;
  }));
}
function tip(event) {
  const box = $("tip");
  box.hidden = under < 0;
  if (under < 0) return;
  const k = now * S + under, lines = [
    `${data.names[under]}  (${data.region[under]})`,
    `cores    ${number.format(data.cores[under])}`,
    `jobs     ${number.format(at.cores[k])} in ${number.format(at.running[k])} jobs`,
    ...(data.has_site_events ? [`competing \${number.format(at.competing[k])}`] : []),
    `waiting  ${number.format(at.waiting[k])}`,
    `moving   ${number.format(at.staging[k])}`,
    `ended    ${number.format(at.ended[k])}`,
    ...(at.status[k] < 2 ? [at.status[k] ? "brown-out" : "down"] : []),
  ];
  box.textContent = lines.join("\n");
  if (event) {
    const frame = $("map").getBoundingClientRect(), x = event.clientX - frame.left, y = event.clientY - frame.top;
    box.style.left = Math.min(x + 22, frame.width - 170) + "px";
    box.style.top = Math.max(y - 20, 0) + "px";
  }
}
function show() {
  $("clock").textContent = clock(now);
  for (const name of STAGES) $(name).textContent = number.format(curves[name][now]);
  $("finished").textContent = number.format(totals.finished[now]);
  $("failed").textContent = number.format(totals.failed[now]);
  $("moved").textContent = `${number.format(Math.round(totals.moved_gb[now] / 10) / 100)} TB`;
  $("time").value = now;
  $("time").setAttribute("aria-valuetext", clock(now));
  $("map").setAttribute("aria-label", `Map of ${S} sites at ${clock(now)}: ${curves.running[now]} jobs run, ${curves.waiting[now]} wait`);
  drawMap();
  drawCurves();
  fillRows();
  tip();
}
function go(t) {
  now = Math.min(Math.max(Math.round(t), 0), T - 1);
  position = now;
  show();
}
function choose(s) { chosen = s === chosen ? -1 : s; show(); }
function site(event) {
  const frame = $("map").getBoundingClientRect(), scale = data.width / frame.width;
  const x = (event.clientX - frame.left) * scale, y = (event.clientY - frame.top) * scale;
  for (let s = 0; s < S; s++) if (Math.hypot(x - data.x[s], y - data.y[s]) <= data.r[s] + 1) return s;
  return -1;
}
function play(on) {
  playing = on;
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", on);
  if (on) {
    if (now >= T - 1) go(0);
    before = performance.now();
    requestAnimationFrame(tick);
  }
}
function tick(moment) {
  if (!playing) return;
  position = Math.min(position + Math.max(moment - before, 0) / 1000 * 12 * Number($("speed").value), T - 1);
  before = moment;
  now = Math.floor(position);
  show();
  if (position >= T - 1) play(false); else requestAnimationFrame(tick);
}
$("time").max = T - 1;
$("full").textContent = data.pressure_full;
$("time").addEventListener("input", event => { play(false); go(Number(event.target.value)); });
$("play").addEventListener("click", () => play(!playing));
$("map").addEventListener("mousemove", event => { under = site(event); tip(event); });
$("map").addEventListener("mouseleave", () => { under = -1; tip(); });
$("map").addEventListener("click", event => { const s = site(event); s < 0 ? choose(chosen) : choose(s); });
$("curves").addEventListener("click", event => {
  const frame = $("curves").getBoundingClientRect();
  go((event.clientX - frame.left) / frame.width * (T - 1));
});
document.addEventListener("keydown", event => {
  if (event.target.matches("input, select, button")) return;
  if (event.key === " ") { event.preventDefault(); play(!playing); }
  if (event.key === "ArrowRight") go(now + 1);
  if (event.key === "ArrowLeft") go(now - 1);
});
window.addEventListener("resize", show);
// #t=0.5 opens the page in the middle of the episode, #t=0.5&site=3 with one site's curves.
const asked = new URLSearchParams(location.hash.slice(1));
if (asked.has("site")) chosen = Math.min(Math.max(Number(asked.get("site")) | 0, -1), S - 1);
go((Number(asked.get("t")) || 0) * (T - 1));
document.documentElement.dataset.ready = "yes";
})();
