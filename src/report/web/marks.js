// What an editor thinks of articles and sentences: a mark (checked, or to fix), a note, a better
// translation. It is kept in the browser, by the article's name.

const PREFIX = "polygist:";
const forgotten = new Map();
let keeps = true;
try { localStorage.getItem(PREFIX); } catch { keeps = false; }

const known = new Map();
const marksOf = (article) => {
  if (!known.has(article.id)) {
    let marks = null;
    try {
      const text = keeps ? localStorage.getItem(PREFIX + article.id) : forgotten.get(article.id);
      marks = text && JSON.parse(text);
    } catch { /* Somebody else's. */ }
    known.set(article.id, clean(marks));
  }
  return known.get(article.id);
};

// Marks as this page writes them, whatever was read.
const text = (value) => (typeof value === "string" ? value : "");
const markOf = (value) => (["checked", "fix"].includes(value) ? value : "");
const clean = (read) => {
  const marks = { version: text(read?.version), mark: markOf(read?.mark), note: text(read?.note), sentences: {} };
  for (const [n, one] of Object.entries(read?.sentences ?? {})) {
    if (!/^\d+$/.test(n)) continue;
    const sentence = { mark: markOf(one?.mark), note: text(one?.note), better: text(one?.better) };
    if (Object.values(sentence).some(Boolean)) marks.sentences[n] = sentence;
  }
  return marks;
};

const isEmpty = (marks) => !marks.mark && !marks.note && !Object.keys(marks.sentences).length;

const keep = (article, marks) => {
  const kept = clean(marks);
  // Marks are of the result that they were made on.
  kept.version = article.dataset.version;
  known.set(article.id, kept);
  const value = JSON.stringify(kept);
  try {
    if (!keeps) forgotten.set(article.id, value);
    else if (isEmpty(kept)) localStorage.removeItem(PREFIX + article.id);
    else localStorage.setItem(PREFIX + article.id, value);
  } catch {
    keeps = false;
    forgotten.set(article.id, value);
    warn();
  }
  showMarks(article);
};

const warn = () => {
  document.querySelector(".menu p").textContent =
    "This browser does not keep your marks: export them before you close the page.";
};

const hasMark = (article, wanted) => {
  if (!wanted) return true;
  const marks = marksOf(article);
  const all = [marks, ...Object.values(marks.sentences)];
  if (wanted === "none") return isEmpty(marks);
  if (wanted === "note") return all.some((one) => one.note || one.better);
  if (wanted === "checked") return marks.mark === "checked";
  return all.some((one) => one.mark === wanted);
};

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const LABELS = { checked: ["✓", "Checked"], fix: ["✗", "To fix"], edit: ["✎", "Note"] };

const bar = (isSmall) => {
  const button = (does) => {
    const [sign, label] = LABELS[does];
    const made = element("button", { type: "button", title: label }, isSmall ? sign : `${sign} ${label}`);
    made.dataset.does = does;
    if (isSmall) made.setAttribute("aria-label", label);
    return made;
  };
  return element("div", { className: "marks" }, ...Object.keys(LABELS).map(button));
};

// Shows the marks of an article, and those of its sentences where its text is open.
const showMarks = (article) => {
  const marks = marksOf(article);
  let own = article.querySelector(":scope > .marks");
  if (!own) {
    own = bar(false);
    article.querySelector(".where").after(own);
  }
  showOn(article, own, marks);
  const isOld = marks.version && marks.version !== article.dataset.version;
  article.classList.toggle("outdated", Boolean(isOld && !isEmpty(marks)));
  for (const row of article.querySelectorAll(".pair")) {
    let small = row.querySelector(".marks");
    if (!small) {
      small = bar(true);
      row.append(small);
    }
    showOn(row, small, marks.sentences[nOf(row)] ?? {});
  }
};

const showOn = (place, buttons, marks) => {
  place.dataset.mark = marks.mark ?? "";
  for (const button of buttons.querySelectorAll("button")) {
    const { does } = button.dataset;
    const on = does === "edit" ? Boolean(marks.note || marks.better) : marks.mark === does;
    button.setAttribute("aria-pressed", String(on));
  }
  for (const old of place.querySelectorAll(":scope > .noted")) old.remove();
  if (place.querySelector(":scope > .editor")) return;
  const notes = [["better", marks.better], ["note", marks.note]].filter(([, value]) => value);
  const after = place.matches(".pair") ? null : buttons;
  for (const [kind, value] of notes.reverse()) {
    const shown = element("p", { className: `noted ${kind}`, dir: "auto", textContent: value });
    if (after) after.after(shown);
    else place.append(shown);
  }
};

const mark = (article, row, value) => {
  const marks = structuredClone(marksOf(article));
  const one = row ? (marks.sentences[nOf(row)] ??= {}) : marks;
  one.mark = one.mark === value ? "" : value;
  keep(article, marks);
};

const edit = (article, row) => {
  const place = row ?? article;
  const old = place.querySelector(":scope > .editor");
  if (old) { old.querySelector("textarea").focus(); return; }
  const current = () => (row ? marksOf(article).sentences[nOf(row)] ?? {} : marksOf(article));
  const target = row?.querySelector(".tgt");
  const field = (name, label, value) => {
    const area = element("textarea", { value: value ?? "", rows: 2, dir: "auto" });
    area.dataset.name = name;
    if (name === "better" && target?.lang) area.lang = target.lang;
    return element("label", {}, label, area);
  };
  const fields = [field("note", "Note", current().note)];
  if (row) fields.unshift(field("better", "Better translation", current().better || target.textContent));
  const done = element("button", { type: "button", textContent: "Done" });
  const editor = element("div", { className: "editor" }, ...fields, done);
  const store = () => {
    const marks = structuredClone(marksOf(article));
    const one = row ? (marks.sentences[nOf(row)] ??= {}) : marks;
    for (const area of editor.querySelectorAll("textarea")) {
      const { name } = area.dataset;
      const isSame = name === "better" && area.value.trim() === target.textContent.trim();
      one[name] = isSame ? "" : area.value.trim();
    }
    keep(article, marks);
  };
  let wait;
  editor.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(store, 300); });
  const close = () => { clearTimeout(wait); editor.remove(); store(); };
  done.addEventListener("click", close);
  editor.addEventListener("keydown", (event) => {
    const isDone = event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey));
    if (isDone) { event.stopPropagation(); close(); }
  });
  // What is written when the page is left is not lost.
  addEventListener("pagehide", () => { if (editor.isConnected) store(); });
  if (row) row.append(editor);
  else article.querySelector(":scope > .marks").after(editor);
  for (const noted of place.querySelectorAll(":scope > .noted")) noted.remove();
  editor.querySelector("textarea").focus();
};

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".marks button");
  if (!button) return;
  const [article, row] = [button.closest("article"), button.closest(".pair")];
  choose(article, row);
  if (button.dataset.does === "edit") edit(article, row);
  else mark(article, row, button.dataset.does);
});
