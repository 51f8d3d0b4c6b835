// The page: shows the prediction for the text in the box at every keystroke.

import { Classifier } from "./classifier.js";
import { selfTest } from "./self-test.js";

const MOST_ROWS = 8;
const TIMED_TEXTS = 31;
// A word that contributes less is not marked; one that contributes more is bold.
const WEAK = 0.1;
const STRONG = 1;

const element = (id) => document.getElementById(id);
const percent = (p) => `${(100 * p).toFixed(1)} %`;

/** Loads the model, and then classifies the text whenever it changes. */
export async function start() {
  const classifier = await Classifier.load();
  const { name, labels } = classifier.metadata;
  document.title = name;
  element("name").textContent = name;
  const rows = makeRows(Math.min(labels.length, shownRows(classifier.metadata)));
  const times = [];
  let shown = null;
  let busy = false;

  async function update() {
    // One run at a time; of the texts typed in the meantime, only the last is classified.
    if (busy) return;
    busy = true;
    try {
      while (element("text").value !== shown) {
        const text = element("text").value;
        if (text) {
          const prediction = await classifier.classify(text);
          times.push(prediction.milliseconds);
          if (times.length > TIMED_TEXTS) times.shift();
          show(prediction, classifier.metadata, rows);
          element("explanation").hidden = true;
          element("time").textContent = describe(times);
        }
        element("prediction").hidden = !text;
        if (!text) say("Type a text; it is classified at every keystroke.");
        shown = text;
      }
    } finally {
      busy = false;
    }
  }

  async function explain() {
    if (busy) return;
    busy = true;
    try {
      showWords(await classifier.explain(element("text").value));
    } finally {
      busy = false;
    }
    await update();
  }

  if (location.hash === "#self-test") await showSelfTest(classifier);
  element("text").addEventListener("input", update);
  element("explain").addEventListener("click", explain);
  await update();
}

/** All ordered labels, since a gap would mislead; otherwise the most probable ones. */
function shownRows({ labels, ordered }) {
  return ordered ? labels.length : MOST_ROWS;
}

function makeRows(count) {
  return Array.from({ length: count }, () => {
    const row = document.createElement("li");
    const [label, value, track, bar] = ["span", "span", "div", "div"].map((tag) =>
      document.createElement(tag),
    );
    label.className = "label";
    label.dir = "auto";
    value.className = "value";
    track.className = "track";
    track.append(bar);
    row.append(label, value, track);
    element("probabilities").append(row);
    return { row, label, value, bar };
  });
}

function show({ label, review, probabilities, length }, { labels, ordered, max_bytes }, rows) {
  const ranked = labels.map((name, i) => ({ name, p: probabilities[i] }));
  if (!ordered) ranked.sort((a, b) => b.p - a.p);
  rows.forEach((row, i) => {
    const { name, p } = ranked[i];
    row.label.textContent = name;
    row.value.textContent = percent(p);
    row.bar.style.width = `${100 * p}%`;
    row.row.classList.toggle("decided", name === label);
  });
  const others = ranked.slice(rows.length);
  const rest = others.reduce((sum, { p }) => sum + p, 0);
  element("rest").textContent = others.length ? `${others.length} more: ${percent(rest)}` : "";
  // Only when it changes; otherwise a screen reader would read it again at every keystroke.
  if (element("label").textContent !== label) element("label").textContent = label;
  if (element("review").hidden === review) element("review").hidden = !review;
  say(length > max_bytes ? `Only the first ${max_bytes} of ${length} bytes are read.` : "");
}

function showWords({ label, words }) {
  const pieces = words.map(({ text, contribution }) => {
    const piece = document.createElement("span");
    const strength = Math.abs(contribution);
    if (strength >= WEAK) piece.className = contribution > 0 ? "for" : "against";
    piece.classList.toggle("strong", strength >= STRONG);
    piece.title = `${contribution > 0 ? "+" : ""}${contribution.toFixed(2)}`;
    piece.textContent = text;
    return piece;
  });
  element("words").replaceChildren(...pieces);
  element("legend").textContent =
    `Underlined words speak for ${label}, dotted ones against it; bold ones most.`;
  element("explanation").hidden = false;
}

function say(line) {
  if (element("status").textContent !== line) element("status").textContent = line;
}

function describe(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const texts = times.length === 1 ? "1 text" : `the last ${times.length} texts`;
  return `${median.toFixed(1)} ms, median of ${texts}`;
}

async function showSelfTest(classifier) {
  const result = await selfTest(classifier);
  element("self-test").textContent = JSON.stringify(result, null, 1);
  element("self-test").hidden = false;
}
