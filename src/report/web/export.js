// Marks as files: JSON (which can be read back), CSV for tables, TMX for translators' programs.

const VERSION = document.querySelector("meta[name=generator]").content.replace(/^\S+ /, "");

const pairs = (article) => {
  const body = bodyOf(article);
  if (!body) return [];
  fill(body);
  return [...body.querySelectorAll(".pair")].map((row) => {
    const side = (name) => {
      const part = row.querySelector(`.${name}`);
      return { text: part.textContent, lang: part.lang };
    };
    return { n: nOf(row), source: side("src"), target: side("tgt") };
  });
};

const marked = () => [...articles].sort((a, b) => number.get(a) - number.get(b))
  .filter((article) => !isEmpty(marksOf(article)))
  .map((article) => {
    const marks = marksOf(article);
    const sentences = pairs(article).map((pair) => ({ ...pair, ...marks.sentences[pair.n] }));
    return {
      article: article.id,
      id: article.querySelector(".id").textContent,
      title: article.querySelector("h2").textContent,
      outdated: article.matches(".outdated"),
      marks,
      sentences,
    };
  });

const toJson = (all) => JSON.stringify({
  polygist: "marks", version: 1,
  articles: all.map(({ article, id, title, outdated, marks, sentences }) => ({
    article, id, title, outdated, ...marks,
    sentences: Object.fromEntries(Object.entries(marks.sentences).map(([n, one]) => {
      const pair = sentences.find((other) => other.n === n);
      return [n, { ...one, source: pair?.source.text, target: pair?.target.text }];
    })),
  })),
}, null, 2) + "\n";

// A cell that begins as a formula would be one in a spreadsheet.
const cell = (value) => `"${String(value ?? "").replace(/^[=+\-@\t\r]/, "'$&").replace(/"/g, '""')}"`;

const toCsv = (all) => {
  const rows = [["article", "title", "sentence", "mark", "note", "source", "translation", "better"]];
  for (const { id, title, marks, sentences } of all) {
    if (marks.mark || marks.note) rows.push([id, title, "", marks.mark, marks.note, "", "", ""]);
    for (const [n, one] of Object.entries(marks.sentences)) {
      const pair = sentences.find((other) => other.n === n);
      rows.push([id, title, n, one.mark, one.note, pair?.source.text, pair?.target.text, one.better]);
    }
  }
  return "\ufeff" + rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
};

const XML = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const xml = (value) => value.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "")
  .replace(/[&<>"]/g, (letter) => XML[letter]);

// What an editor vouches for: sentences that are marked as checked or bettered, and all of a checked
// article but those that are to be fixed.
const toTmx = (all) => {
  const units = [];
  for (const { id, marks, sentences } of all) {
    for (const { source, target, mark: own, better, note } of sentences) {
      const isGood = better || own === "checked" || (marks.mark === "checked" && own !== "fix");
      const from = source.lang, to = target.lang;
      const translation = better || target.text;
      if (!isGood || !from || !to || from === to || !/\p{L}/u.test(source.text) || !translation) continue;
      const notes = note ? `<note>${xml(note)}</note>` : "";
      units.push(`<tu srclang="${xml(from)}">${notes}<prop type="x-article">${xml(id)}</prop>\n`
        + `<tuv xml:lang="${xml(from)}"><seg>${xml(source.text)}</seg></tuv>\n`
        + `<tuv xml:lang="${xml(to)}"><seg>${xml(translation)}</seg></tuv></tu>\n`);
    }
  }
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4">\n`
    + `<header creationtool="polygist" creationtoolversion="${xml(VERSION)}" segtype="sentence" o-tmf="polygist" `
    + `adminlang="en" srclang="*all*" datatype="plaintext"/>\n<body>\n${units.join("")}</body>\n</tmx>\n`;
};

const EXPORTS = {
  json: [toJson, "application/json"], csv: [toCsv, "text/csv"], tmx: [toTmx, "application/x-tmx+xml"],
};

for (const button of document.querySelectorAll("[data-export]")) {
  button.addEventListener("click", () => {
    const kind = button.dataset.export;
    const [write, type] = EXPORTS[kind];
    const link = element("a", {
      href: URL.createObjectURL(new Blob([write(marked())], { type })), download: `marks.${kind}`,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    button.closest("details").open = false;
  });
}

const file = document.querySelector("#file");
document.querySelector("#import").addEventListener("click", () => file.click());
file.addEventListener("change", async () => {
  const says = document.querySelector(".menu p");
  try {
    const read = JSON.parse(await file.files[0].text());
    if (read.polygist !== "marks" || !Array.isArray(read.articles)) throw new Error("no marks");
    let taken = 0;
    for (const one of read.articles) {
      const article = document.getElementById(text(one?.article));
      if (!article?.matches("article")) continue;
      keep(article, one);
      taken++;
    }
    says.textContent = `Marks of ${taken} of ${read.articles.length} articles are of this page, and taken.`;
  } catch {
    says.textContent = "This is no file of marks that a report has exported as JSON.";
  }
  file.value = "";
  show();
});
