// What begins the page's work, when all of the above is there.

for (const button of document.querySelectorAll("button[data-filter]")) {
  button.disabled = false;
  button.addEventListener("click", () => {
    const { filter, value } = button.dataset;
    change({ [filter]: state[filter] === value ? "" : value });
  });
}

let wait;
search.addEventListener("input", () => {
  clearTimeout(wait);
  wait = setTimeout(() => change({ q: search.value.trim() }), 120);
});
for (const name of ["mark", "sort"]) {
  const select = document.querySelector(`#${name}`);
  select.addEventListener("change", () => change({ [name]: select.value }));
}

const all = document.querySelector("#fold");
all.hidden = !document.querySelector("details.body");
all.addEventListener("click", () => {
  const is = all.getAttribute("aria-pressed") !== "true";
  all.setAttribute("aria-pressed", String(is));
  all.textContent = is ? "Close all" : "Open all";
  for (const article of shown()) open(article, is);
});

// Links to sentences of this page open the article that they are in.
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#']:not(.claim)");
  if (!link) return;
  event.preventDefault();
  state.at = link.hash.slice(1);
  go();
});
addEventListener("hashchange", () => { read(); sort(); show().then(go); });
// Another page of the report may have changed the marks.
addEventListener("storage", (event) => {
  if (!event.key?.startsWith(PREFIX)) return;
  known.delete(event.key.slice(PREFIX.length));
  const article = document.getElementById(event.key.slice(PREFIX.length));
  if (article?.matches("article")) showMarks(article);
});

if (innerWidth < 700) document.querySelector("#charts")?.removeAttribute("open");
if (!keeps) warn();
document.querySelector("#tools").hidden = false;
read();
if (state.sort) sort();
const isNarrowed = ["q", "state", "lang", "to", "mark"].some((name) => state[name]);
if (isNarrowed) show().then(go);
else go();
