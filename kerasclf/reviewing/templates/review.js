"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const PAGE = 50;
const NOT_SURE = "\u0000not sure";

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// A browser that stores nothing, such as in private mode, still lets people decide and export.
function load() {
  try { return JSON.parse(localStorage.getItem(data.key)) || {}; } catch { return {}; }
}
function save() {
  try { localStorage.setItem(data.key, JSON.stringify(state)); } catch { /* kept in memory */ }
}
const state = Object.assign({ who: "", decisions: {} }, load());

const lists = {};
function showList(name, rows, make) {
  const place = document.querySelector(`#${name} .list`);
  place.replaceChildren();
  lists[name] = { rows, shown: 0 };
  const more = element("button", "Show more");
  more.onclick = () => {
    const list = lists[name];
    const cards = document.createDocumentFragment();
    for (const row of list.rows.slice(list.shown, list.shown + PAGE)) cards.append(make(row));
    list.shown += PAGE;
    place.insertBefore(cards, more);
    more.hidden = list.shown >= list.rows.length;
  };
  place.append(more);
  more.onclick();
  if (!rows.length) place.prepend(element("p", "Nothing to show.", "soft"));
}

function options(select, values) {
  select.append(new Option("any", ""));
  for (const value of values) select.append(new Option(value, value));
}

// Suspected labels

function decide(row, value) {
  if (value === null) delete state.decisions[row.row];
  else state.decisions[row.row] = { value, hash: row.text_hash, old: row.label, when: new Date().toISOString() };
  save();
  count();
}

function suspectCard(row) {
  const card = element("article", undefined, "card");
  card.tabIndex = -1;
  const text = element("p", row.text);
  text.dir = "auto";
  card.append(text);
  const facts = [`${row.file}, line ${row.line}`, row.split, `${row.label} ${row.p_label.toFixed(3)}`,
    `suggested ${row.suggested_label} ${row.p_suggested.toFixed(3)}`];
  if (row.other_labels) facts.push(`near-duplicates: ${row.other_labels}`);
  card.append(element("p", facts.join(" · "), "soft"));
  const choices = element("div", undefined, "choices");
  const buttons = new Map();
  const add = (value, title) => {
    const button = element("button", title);
    button.onclick = () => { decide(row, chosen() === value ? null : value); paint(); focusCard(card); };
    if (value === row.suggested_label) button.className = "main";
    buttons.set(value, button);
    choices.append(button);
  };
  const chosen = () => (state.decisions[row.row] || {}).value;
  add(row.label, `keep ${row.label}`);
  for (const label of data.labels) if (label !== row.label) add(label, label);
  add(NOT_SURE, "not sure");
  function paint() {
    for (const [value, button] of buttons) button.classList.toggle("chosen", chosen() === value);
    card.classList.toggle("decided", chosen() !== undefined);
  }
  card.decide = (value) => { decide(row, value); paint(); };
  card.row = row;
  card.append(choices);
  card.onclick = () => focusCard(card);
  paint();
  return card;
}

let current = null;
function focusCard(card) {
  if (current) current.classList.remove("current");
  current = card;
  if (card) { card.classList.add("current"); card.scrollIntoView({ block: "nearest" }); }
}

function move(step) {
  const cards = [...document.querySelectorAll("#suspects .card")];
  if (!cards.length) return;
  const place = cards.indexOf(current);
  const next = place < 0 ? 0 : place + step;
  if (next >= cards.length) document.querySelector("#suspects .list > button").click();
  focusCard([...document.querySelectorAll("#suspects .card")][Math.max(0, next)] || current);
}

document.addEventListener("keydown", (event) => {
  if ($("suspects").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  if (["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName)) return;
  const key = event.key.toLowerCase();
  if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (current && key === "y") { current.decide(current.row.label); move(1); }
  else if (current && key === "n") { current.decide(NOT_SURE); move(1); }
  else if (current && key === "u") current.decide(null);
  else if (current && /^[1-9]$/.test(key) && data.labels[key - 1] !== undefined) {
    current.decide(data.labels[key - 1]);
    move(1);
  } else return;
  event.preventDefault();
});

function filterSuspects() {
  const words = $("find").value.toLowerCase();
  const rows = data.suspects.filter((row) =>
    (row.split === "test") === ($("split").value === "test") &&
    (!$("given").value || row.label === $("given").value) &&
    (!$("suggested").value || row.suggested_label === $("suggested").value) &&
    (!words || row.text.toLowerCase().includes(words)));
  $("matching").textContent = `${rows.length} rows`;
  current = null;
  showList("suspects", rows, suspectCard);
}

// Corrections

function changes() {
  return Object.entries(state.decisions).filter(([, d]) => d.value !== NOT_SURE && d.value !== d.old);
}
function count() { $("count").textContent = changes().length; }
function cell(value) {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return `"${safe.replaceAll('"', '""')}"`;
}
function corrections() {
  const rows = changes().map(([row, d]) => [row, d.hash, d.old, d.value, state.who, d.when]);
  return [["row", "text_hash", "old", "new", "who", "when"], ...rows]
    .map((row) => row.map(cell).join(",")).join("\n") + "\n";
}
$("export").onclick = () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([corrections()], { type: "text/csv" }));
  link.download = "corrections.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
$("who").value = state.who;
$("who").oninput = () => { state.who = $("who").value; save(); };

// Errors

function errorCard(row) {
  const card = element("article", undefined, "card");
  const text = element("p");
  text.dir = "auto";
  // Positions count characters; strings of JavaScript count UTF-16 units.
  const characters = Array.from(row.text);
  const slice = (from, to) => characters.slice(from, to).join("");
  let position = 0;
  for (const [start, end, contribution] of row.words || []) {
    text.append(slice(position, start));
    const word = element("span", slice(start, end), contribution > 0 ? "for" : "against");
    word.title = contribution.toFixed(2);
    text.append(word);
    position = end;
  }
  text.append(slice(position));
  card.append(text);
  const facts = [row.split, `label ${row.label}`, `predicted ${row.predicted_label} ${row.confidence.toFixed(3)}`];
  card.append(element("p", facts.join(" · "), "soft"));
  return card;
}
function filterErrors() {
  const words = $("error-find").value.toLowerCase();
  const longest = Number($("error-length").value) || Infinity;
  const rows = data.errors.filter((row) =>
    (!$("error-true").value || row.label === $("error-true").value) &&
    (!$("error-predicted").value || row.predicted_label === $("error-predicted").value) &&
    row.confidence >= Number($("error-confidence").value) && row.text.length <= longest &&
    (!words || row.text.toLowerCase().includes(words)));
  $("error-matching").textContent = `${rows.length} rows`;
  showList("errors", rows, errorCard);
}

// Threshold

function percent(value) { return `${(100 * value).toFixed(1)} %`; }
function interval(measured) {
  return measured ? `${percent(measured[0])} (${percent(measured[1])} to ${percent(measured[2])})` : "no rows";
}
function showStep() {
  const step = data.thresholds[$("step").value];
  $("below").textContent = step.below.toFixed(3);
  $("load").textContent = percent(step.load);
  $("option").textContent = `--review-below ${step.below.toFixed(3)}`;
  const rows = [["accuracy of the others", step.accuracy],
    ...data.labels.map((label) => [`recall of ${label}`, step.recall[label]])];
  $("measures").replaceChildren(...rows.map(([name, measured]) => {
    const line = element("tr");
    line.append(element("td", name), element("td", interval(measured), "number"));
    return line;
  }));
}

// Label next

function nextCard(row) {
  const card = element("article", undefined, "card");
  const text = element("p", row.text);
  text.dir = "auto";
  const facts = [`batch ${row.batch}`, `row ${row.row + 1}`,
    `perhaps ${row.suggested_label} ${row.p_suggested.toFixed(3)}`];
  card.append(text, element("p", facts.join(" · "), "soft"));
  return card;
}

const views = {
  suspects: filterSuspects,
  errors: filterErrors,
  threshold: showStep,
  next: () => showList("next", data.next, nextCard),
};
function open(name) {
  for (const tab of document.querySelectorAll("[data-view]"))
    tab.setAttribute("aria-selected", tab.dataset.view === name);
  for (const view of Object.keys(views)) $(view).hidden = view !== name;
  views[name]();
}
for (const tab of document.querySelectorAll("[data-view]")) tab.onclick = () => open(tab.dataset.view);
for (const id of ["given", "suggested", "error-true", "error-predicted"]) options($(id), data.labels);
for (const id of ["split", "given", "suggested"]) $(id).onchange = filterSuspects;
$("find").oninput = filterSuspects;
for (const id of ["error-true", "error-predicted"]) $(id).onchange = filterErrors;
for (const id of ["error-confidence", "error-length", "error-find"]) $(id).oninput = filterErrors;
$("step").max = data.thresholds.length - 1;
$("step").oninput = showStep;
if (!data.next.length) $("next-hint").textContent = "No texts were given; kerasclf review RUN --unlabelled FILE chooses some.";
count();
open("suspects");
