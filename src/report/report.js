"use strict";
(() => {
  const all = [...document.querySelectorAll("article")];
  const search = document.querySelector("#search");
  const count = document.querySelector("#count");
  const chosen = { state: "", lang: "" };
  const texts = new Map();

  // Codes become names where the browser knows them.
  try {
    const names = new Intl.DisplayNames(["en"], { type: "language" });
    for (const place of document.querySelectorAll("[data-code]")) {
      const code = place.dataset.code;
      const name = code === "und" ? "Unknown language" : names.of(code);
      if (name && name !== code) { place.textContent = name; place.title = code; }
    }
  } catch { /* The codes stay. */ }

  const textOf = (article) => {
    if (!texts.has(article)) texts.set(article, article.textContent.toLowerCase().normalize("NFKC"));
    return texts.get(article);
  };

  const show = () => {
    const words = search.value.toLowerCase().normalize("NFKC").split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const article of all) {
      const { state, lang } = article.dataset;
      const fits = (!chosen.state || state === chosen.state) && (!chosen.lang || lang === chosen.lang)
        && (!words.length || words.every((word) => textOf(article).includes(word)));
      article.hidden = !fits;
      shown += fits;
    }
    const narrowed = words.length || chosen.state || chosen.lang;
    count.textContent = narrowed ? `${shown} of ${all.length} articles` : "";
    document.querySelector("#none").hidden = shown > 0 || !all.length;
  };

  for (const button of document.querySelectorAll("button[data-filter]")) {
    button.disabled = false;
    button.addEventListener("click", () => {
      const { filter, value } = button.dataset;
      chosen[filter] = chosen[filter] === value ? "" : value;
      for (const other of document.querySelectorAll(`button[data-filter="${filter}"]`)) {
        other.setAttribute("aria-pressed", String(other.dataset.value === chosen[filter]));
      }
      show();
    });
  }

  let wait;
  search.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(show, 120); });
  const fold = document.querySelector("#fold");
  fold.addEventListener("click", () => {
    const open = fold.getAttribute("aria-pressed") !== "true";
    fold.setAttribute("aria-pressed", String(open));
    fold.textContent = open ? "Close all" : "Open all";
    for (const article of all) {
      if (article.hidden) continue;
      for (const details of article.querySelectorAll("details")) details.open = open;
    }
  });
  document.querySelector("#tools").hidden = false;
})();
