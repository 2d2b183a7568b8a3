// The keyboard, and the article or sentence that it acts on.

let chosen = null;
let row = null;

const choose = (article, pair = null) => {
  chosen?.classList.remove("chosen");
  row?.classList.remove("chosen");
  [chosen, row] = [article, pair];
  chosen?.classList.add("chosen");
  row?.classList.add("chosen");
  state.at = row?.id ?? chosen?.id ?? "";
  write();
};

const shown = () => articles.filter((article) => !article.hidden);

const step = (by) => {
  const all = shown();
  if (!all.length) return;
  const at = all.indexOf(chosen);
  // Without one that is chosen, the first in the window.
  const first = all.findIndex((article) => article.getBoundingClientRect().bottom > 80);
  const next = at < 0 ? Math.max(first, 0) : Math.min(Math.max(at + by, 0), all.length - 1);
  choose(all[next]);
  all[next].tabIndex = -1;
  all[next].focus({ preventScroll: true });
  all[next].scrollIntoView({ block: "start" });
};

// The next sentence that a check complains of, in this article and those after it.
const stepDoubt = (by) => {
  const all = shown();
  let at = Math.max(all.indexOf(chosen), 0);
  for (; all[at]; at += by) {
    const body = bodyOf(all[at]);
    if (!body || all[at].dataset.doubts === undefined) continue;
    fill(body);
    const rows = [...body.querySelectorAll(".pair.doubt")];
    const own = rows.indexOf(row);
    const next = all[at] === chosen && own >= 0 ? rows[own + by] : rows[by > 0 ? 0 : rows.length - 1];
    if (next) { reveal(next); return; }
  }
};

const toggle = () => {
  if (!chosen) { step(0); return; }
  const link = chosen.querySelector("h2 a");
  if (link) { link.click(); return; }
  const body = bodyOf(chosen);
  if (body) open(chosen, !body.open);
};

const on = (does) => () => {
  if (!chosen) step(0);
  if (!chosen) return;
  if (does === "edit") edit(chosen, row);
  else mark(chosen, row, does);
};

const help = document.querySelector("#help");
const KEYS = {
  j: () => step(1), k: () => step(-1), o: toggle, Enter: toggle,
  n: () => stepDoubt(1), p: () => stepDoubt(-1),
  c: on("checked"), f: on("fix"), e: on("edit"),
  "/": () => { search.focus(); search.select(); },
  "?": () => (help.open ? help.close() : help.showModal()),
  Escape: () => { dim(); if (chosen) choose(row ? chosen : null); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const { target, key } = event;
  if (target.matches("input, textarea, select")) {
    if (key === "Escape") target.blur();
    return;
  }
  // What has the focus does what it is there for.
  if (key === "Enter" && target.matches("a, button, summary")) return;
  if (help.open && key !== "?") return;
  if (!Object.hasOwn(KEYS, key)) return;
  event.preventDefault();
  KEYS[key]();
});
// A sentence is chosen by a click, unless that selects text or does something else.
document.addEventListener("click", (event) => {
  const pair = event.target.closest?.(".pair");
  const isMeant = pair && !event.target.closest("a, button, .editor") && getSelection().isCollapsed;
  if (isMeant) choose(pair.closest("article"), pair);
});
document.querySelector("#keys").addEventListener("click", () => help.showModal());
document.querySelector("#close").addEventListener("click", () => help.close());
