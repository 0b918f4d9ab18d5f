"use strict";
// The server counts code points, and a text area counts UTF-16 units: `points` are the characters of the text.
const $ = (id) => document.getElementById(id);
const filter = $("filter"), layer = $("layer"), list = $("candidates");
let candidates = [], chosen = -1, problems = [], latest = 0, sql = {}, completing = 0;

async function ask(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  return answer.json();
}

function make(name, text, attributes) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  return element;
}

const units = (points, place) => points.slice(0, place).join("").length;
const cursor = () => Array.from(filter.value.slice(0, filter.selectionStart)).length;

// Colours and underlines: the same text behind the text area.
const TOKEN = /'(?:[^']|'')*'?|`(?:[^`]|``)*`?|-?\d[\w.+-]*|[\p{L}_][\p{L}\p{M}\p{N}_]*|\s+|[^]/gu;
const WORDS = /^(?:and|or|not|true|false|null|eq|ne|lte?|gte?|le|ge|in|contains|startswith|endswith)$/i;
function draw() {
  layer.replaceChildren();
  const points = Array.from(filter.value);
  const wrong = problems.map(({ span: [start, end] }) => [units(points, start), units(points, Math.max(end, start + 1))]);
  let place = 0;
  for (const [token] of filter.value.matchAll(TOKEN)) {
    const kind = token[0] === "'" ? "s" : /^-?\d/.test(token) ? "n" : WORDS.test(token) ? "k" : "";
    const cuts = [0, token.length];
    for (const [start, end] of wrong) for (const cut of [start - place, end - place]) if (cut > 0 && cut < token.length) cuts.push(cut);
    cuts.sort((a, b) => a - b);
    for (let i = 1; i < cuts.length; i++) {
      const at = place + cuts[i - 1];
      const bad = wrong.some(([start, end]) => start <= at && at < end);
      layer.append(make("span", token.slice(cuts[i - 1], cuts[i]), { class: `${kind}${bad ? " wrong" : ""}` }));
    }
    place += token.length;
  }
  if (wrong.some(([, end]) => end > place)) layer.append(make("span", "\u00a0", { class: "wrong" }));
  layer.append("\n");
  filter.style.height = "auto";
  filter.style.height = `${filter.scrollHeight + 2}px`;
  layer.scrollTop = filter.scrollTop;
}

// What it means
async function check() {
  const number = ++latest;
  const found = await ask("check", { filter: filter.value, every: $("every").checked });
  if (number !== latest) return;
  problems = found.problems;
  draw();
  $("problems").replaceChildren(...problems.flatMap((problem) => {
    const shown = [make("p", problem.message)];
    if (problem.hint) shown.push(make("p", `Hint: ${problem.hint}`, { class: "hint" }));
    return shown;
  }));
  filter.setAttribute("aria-invalid", String(problems.length > 0));
  if (problems.length) return;
  history.replaceState(null, "", filter.value ? `#filter=${encodeURIComponent(filter.value)}` : location.pathname);
  $("count").textContent = `${found.matched} of ${about.total} match`;
  showRows(found.rows);
  for (const part of ["canonical", "tree", "python"]) $(part).textContent = found[part] || "";
  sql = found.sql || {};
  showSql();
  $("why").hidden = true;
}

function showSql() {
  const statement = sql[$("dialect").value] || {};
  $("sql").textContent = statement.text || statement.error || "";
  $("params").textContent = statement.params || "";
}

function showRows(rows) {
  const head = make("tr");
  head.append(make("th", "", { "aria-label": "Why" }), ...about.columns.map((name) => make("th", name, { scope: "col" })));
  const body = make("tbody");
  for (const { row, holds, cells } of rows) {
    const line = make("tr", undefined, { class: holds ? "yes" : "no", "data-row": row });
    const button = make("button", holds ? "\u2713 why" : "\u2717 why", { type: "button", "aria-label": `Why does row ${row + 1} ${holds ? "" : "not "}match?` });
    const first = make("td");
    first.append(button);
    line.append(first, ...cells.map((cell) => make("td", cell === "null" ? "" : cell, { title: cell })));
    line.addEventListener("click", () => explain(row));
    body.append(line);
  }
  const top = make("thead");
  top.append(head);
  $("rows").replaceChildren(top, body);
}

async function explain(row) {
  const found = await ask("explain", { filter: filter.value, row });
  const part = ({ label, holds, decides, value, operands }) => {
    const item = make("li", undefined, { class: decides ? "decides" : "" });
    item.append(make("span", holds ? "\u2713 " : "\u2717 ", { class: holds ? "yes" : "not" }), make("code", label));
    if (value !== null) item.append(` found ${value}`);
    if (decides) item.append(" \u2190 decides");
    if (operands.length) { const inner = make("ul"); inner.append(...operands.map(part)); item.append(inner); }
    return item;
  };
  const tree = make("ul");
  tree.append(found.explanation ? part(found.explanation) : make("li", "Without a filter every row matches."));
  $("explanation").replaceChildren(tree);
  $("resource").textContent = found.resource || "";
  $("why-title").textContent = `Why row ${row + 1} ${found.explanation && !found.explanation.holds ? "does not match" : "matches"}`;
  $("why").hidden = false;
  $("why-title").focus();
}

// What may come next
async function complete() {
  const number = ++completing;
  const found = await ask("complete", { filter: filter.value, cursor: cursor() });
  if (number !== completing || document.activeElement !== filter) return;
  candidates = found.candidates;
  choose(candidates.length ? 0 : -1);
  list.replaceChildren(...candidates.map((candidate, place) => {
    const item = make("li", undefined, { role: "option", id: `candidate-${place}`, "aria-selected": String(place === chosen) });
    item.append(make("span", candidate.insert), make("span", candidate.detail || candidate.kind, { class: "quiet" }));
    item.addEventListener("mousedown", (event) => { event.preventDefault(); take(place); });
    return item;
  }));
  list.hidden = !candidates.length;
  filter.setAttribute("aria-expanded", String(!list.hidden));
}

function choose(place) {
  chosen = place;
  for (const [number, item] of Array.from(list.children).entries()) {
    item.setAttribute("aria-selected", String(number === place));
    if (number === place) item.scrollIntoView({ block: "nearest" });
  }
  if (place < 0) filter.removeAttribute("aria-activedescendant");
  else filter.setAttribute("aria-activedescendant", `candidate-${place}`);
}

function close() {
  completing++;
  list.hidden = true;
  candidates = [];
  choose(-1);
  filter.setAttribute("aria-expanded", "false");
}

function take(place) {
  const { insert, span: [start, end] } = candidates[place];
  const points = Array.from(filter.value);
  const before = points.slice(0, start).join("");
  const after = points.slice(end).join("");
  const blank = /[([.]$/.test(insert) || /^[\s,)\].]/.test(after) ? "" : " ";
  filter.value = before + insert + blank + after;
  const at = before.length + (insert === "''" ? 1 : insert.length + blank.length);
  filter.setSelectionRange(at, at);
  close();
  changed();
}

let waiting;
function changed() {
  draw();
  clearTimeout(waiting);
  waiting = setTimeout(check, 60);
  complete();
}

filter.addEventListener("input", changed);
filter.addEventListener("scroll", () => { layer.scrollTop = filter.scrollTop; });
filter.addEventListener("blur", close);
filter.addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === " ") { event.preventDefault(); complete(); return; }
  if (list.hidden) return;
  if (event.key === "ArrowDown") choose((chosen + 1) % candidates.length);
  else if (event.key === "ArrowUp") choose((chosen + candidates.length - 1) % candidates.length);
  else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && chosen >= 0) take(chosen);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
});
$("every").addEventListener("change", check);
$("dialect").addEventListener("change", showSql);
addEventListener("hashchange", read);

function read() {
  const found = new URLSearchParams(location.hash.slice(1)).get("filter");
  if (found !== null && found !== filter.value) { filter.value = found; draw(); check(); }
}

let about = { total: 0, columns: [] };
(async () => {
  about = await ask("about", {});
  $("about").textContent = `${about.name}: ${about.total} rows`;
  $("dialect").replaceChildren(...about.dialects.map((name) => make("option", name)));
  const top = make("tr");
  top.append(...["field", "type", "", ""].map((name) => make("th", name)));
  $("fields").replaceChildren(top, ...about.fields.map((field) => {
    const line = make("tr");
    line.append(make("td", field.path), make("td", field.type), make("td", field.nullable ? "nullable" : ""), make("td", field.description));
    return line;
  }));
  read();
  draw();
  await check();
  document.body.dataset.ready = "";
})();
