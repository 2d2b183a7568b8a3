// Which articles are shown, in which order: search, choice and sorting. The state of all of it
// stands in the page's address, so that it can be kept and sent.

const search = document.querySelector("#search");
const counter = document.querySelector("#count");
const state = { q: "", state: "", lang: "", to: "", mark: "", sort: "", at: "" };
let words = [];

const texts = new Map();
const textOf = (article) => {
  if (!texts.has(article)) texts.set(article, fold(`${headText(article)} ${bodyText(article)}`));
  return texts.get(article);
};

const fits = (article) => {
  const { state: own, lang, to } = article.dataset;
  return (!state.state || own === state.state) && (!state.lang || lang === state.lang)
    && (!state.to || to === state.to) && hasMark(article, state.mark);
};

// Long searches are done in slices, so that the page answers meanwhile.
const SLICE = 40;
const rest = () => new Promise((done) => setTimeout(done));
let turn = 0;

const show = async () => {
  const mine = ++turn;
  words = wordsOf(state.q);
  const found = new Set();
  let began = performance.now();
  for (const article of articles) {
    if (fits(article) && words.every((word) => textOf(article).includes(word))) found.add(article);
    if (performance.now() - began > SLICE) {
      counter.textContent = "searching …";
      await rest();
      if (mine !== turn) return;
      began = performance.now();
    }
  }
  for (const article of articles) article.hidden = !found.has(article);
  const narrowed = words.length || state.state || state.lang || state.to || state.mark;
  const total = articles.length.toLocaleString("en");
  counter.textContent = narrowed ? `${found.size.toLocaleString("en")} of ${total} articles` : "";
  document.querySelector("#none").hidden = found.size > 0 || !articles.length;
  highlight();
};

// Marks the words that are looked for, in the articles near the window. What stands in a text that
// is not open is shown below the article's head.
const near = new Set();
const watch = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) { near.add(target); showMarks(target); } else near.delete(target);
  }
  if (words.length) highlight();
}, { rootMargin: "600px" });
for (const article of articles) watch.observe(article);

const highlight = () => {
  for (const old of document.querySelectorAll(".hits")) old.remove();
  if (!globalThis.CSS?.highlights) return;
  CSS.highlights.delete("hit");
  if (!words.length) return;
  const ranges = [];
  for (const article of near) {
    if (article.hidden) continue;
    snippet(article);
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT, (node) =>
      node.parentElement.closest("noscript, .marks, summary, .how")
        ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (const [start, end] of hitsIn(node.data, words)) {
        const range = new Range();
        range.setStart(node, start);
        range.setEnd(node, end);
        ranges.push(range);
      }
    }
  }
  CSS.highlights.set("hit", new Highlight(...ranges));
};

const snippet = (article) => {
  const AROUND = 60;
  const body = bodyOf(article);
  if (!body || body.open) return;
  const head = fold(headText(article));
  const missing = words.filter((word) => !head.includes(word));
  if (!missing.length) return;
  const text = bodyText(article);
  const hits = hitsIn(text, missing).slice(0, 2);
  if (!hits.length) return;
  const line = document.createElement("p");
  line.className = "hits";
  line.dir = "auto";
  line.textContent = hits.map(([start, end]) => {
    const from = Math.max(0, text.lastIndexOf(" ", start - AROUND));
    return `… ${text.slice(from, end + AROUND).trim()} …`;
  }).join(" ");
  body.before(line);
};

const ORDERS = {
  newest: (a, b) => (b.dataset.date ?? "").localeCompare(a.dataset.date ?? ""),
  unsure: (a, b) => (a.dataset.confidence ?? 2) - (b.dataset.confidence ?? 2),
  doubts: (a, b) => (b.dataset.doubts ?? 0) - (a.dataset.doubts ?? 0),
  lang: (a, b) => a.dataset.lang.localeCompare(b.dataset.lang),
  state: (a, b) => STATES.indexOf(a.dataset.state) - STATES.indexOf(b.dataset.state),
};
const STATES = ["failed", "doubt", "passed"];

const sort = () => {
  const order = ORDERS[state.sort];
  articles.sort((a, b) => order?.(a, b) || number.get(a) - number.get(b));
  const main = document.querySelector("main");
  const sorted = document.createDocumentFragment();
  sorted.append(...articles);
  main.append(sorted);
};

// The address: `#q=lopez&state=doubt&at=a-3f9c2b1d0e55`, or an element's name alone.
const write = () => {
  const kept = Object.entries(state).filter(([, value]) => value);
  const hash = kept.length ? `#${new URLSearchParams(kept)}` : " ";
  history.replaceState(null, "", hash.trim() || location.pathname + location.search);
};

const read = () => {
  const hash = location.hash.slice(1);
  const isName = /^a-[0-9a-f]+(-s\d+)?$/.test(hash);
  const given = new URLSearchParams(isName ? { at: hash } : hash);
  for (const name of Object.keys(state)) state[name] = given.get(name) ?? "";
  search.value = state.q;
  for (const name of ["mark", "sort"]) {
    const select = document.querySelector(`#${name}`);
    select.value = state[name];
    if (select.selectedIndex < 0) select.value = state[name] = "";
  }
  press();
};

// Goes to the article or sentence that the address names.
const go = () => {
  const [, name, n] = /^(a-[0-9a-f]+)(?:-s(\d+))?$/.exec(state.at) ?? [];
  const article = name && document.getElementById(name);
  if (!article) return;
  const row = n && rowOf(article, n);
  if (row) reveal(row);
  else {
    open(article);
    choose(article);
    article.scrollIntoView({ block: "start" });
  }
};

const press = () => {
  for (const button of document.querySelectorAll("button[data-filter]")) {
    const { filter, value } = button.dataset;
    button.setAttribute("aria-pressed", String(state[filter] === value));
  }
};

const change = (changes) => {
  Object.assign(state, changes);
  press();
  write();
  if ("sort" in changes) sort();
  show();
};
