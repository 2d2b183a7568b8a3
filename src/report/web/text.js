// What is folded in an article lies as text in a `noscript`, and becomes elements when it is opened:
// so a page of thousands of articles opens at once. Its markup is that of the page's templates,
// which escaped everything that comes from articles.

const articles = [...document.querySelectorAll("article")];
const number = new Map(articles.map((article, i) => [article, i]));

const fill = (details) => {
  const waiting = details.querySelector("noscript");
  if (!waiting) return;
  const parsed = new DOMParser().parseFromString(waiting.textContent, "text/html");
  waiting.replaceWith(...parsed.body.childNodes);
  if (details.matches(".body")) showMarks(details.closest("article"));
};

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("article details") && event.target.open) {
    fill(event.target);
    if (words.length) highlight();
  }
}, true);

const bodyOf = (article) => article.querySelector("details.body");
const open = (article, is = true) => {
  const body = bodyOf(article);
  if (!body) return;
  if (is) fill(body);
  body.open = is;
};

// A sentence's row, which its article is opened for.
const rowOf = (article, n) => {
  const body = bodyOf(article);
  if (body) fill(body);
  return document.getElementById(`${article.id}-s${n}`);
};

// The number of a row's segment.
const nOf = (row) => row.id.slice(row.id.lastIndexOf("-s") + 2);

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"' };
const unmarked = (markup) => markup.replace(/<\/?mark>/g, "").replace(/<[^>]*>/g, " ")
  .replace(/&(amp|lt|gt|quot);/g, (_, name) => ENTITIES[name]);

// The text of an article's body, whether it is filled or not.
const bodyText = (article) => {
  const body = bodyOf(article);
  if (!body) return "";
  const waiting = body.querySelector("noscript");
  if (waiting) {
    const markup = waiting.textContent;
    const sides = [...markup.matchAll(/<p class="(?:src|tgt)"[^>]*>(.*?)<\/p>/gs)].map((side) => side[1]);
    return unmarked(sides.length ? sides.join(" ") : markup).replace(/\s+/g, " ");
  }
  return [...body.querySelectorAll(".src, .tgt, .text")].map((one) => one.textContent).join(" ");
};

// The text of what is always seen of an article.
const headText = (article) => [...article.children].filter((one) => !one.matches("details, .marks, .hits"))
  .map((one) => one.textContent).join(" ");

// Sources of a summary's sentences light up: in the text where it is open, and below the sentence.
const sources = document.createElement("div");
sources.id = "sources";
sources.hidden = true;
document.body.append(sources);
let lit = null;
// Whether the rows stay lit when the pointer leaves: somebody went to them.
let pinned = false;

const rowsOf = (claim) => {
  const article = claim.closest("article");
  return claim.dataset.support.split(" ").map((n) => rowOf(article, n)).filter(Boolean);
};

const light = (claim) => {
  if (lit === claim) return;
  dim();
  lit = claim;
  claim.classList.add("lit");
  const rows = rowsOf(claim);
  for (const row of rows) row.classList.add("lit");
  sources.replaceChildren(...rows.map((row) => {
    const copy = document.createElement("div");
    copy.dataset.n = row.dataset.n;
    copy.append(...["src", "tgt"].flatMap((name) => {
      const part = row.querySelector(`.${name}`);
      return part ? [part.cloneNode(true)] : [];
    }));
    return copy;
  }));
  sources.hidden = rows.length === 0;
  const [line, page] = [claim.getBoundingClientRect(), document.documentElement];
  const width = Math.min(page.clientWidth - 16, 720);
  sources.style.width = `${width}px`;
  sources.style.left = `${Math.max(8, Math.min(line.left, page.clientWidth - width - 8)) + scrollX}px`;
  sources.style.top = `${line.bottom + scrollY + 6}px`;
};

const dim = () => {
  for (const one of document.querySelectorAll(".claim.lit, .pair.lit")) one.classList.remove("lit");
  sources.hidden = true;
  [lit, pinned] = [null, false];
};

const claimAt = (event) => event.target.closest?.("a.claim");
document.addEventListener("pointerover", (event) => {
  if (event.pointerType !== "mouse") return;
  const claim = claimAt(event);
  if (claim) light(claim);
  else if (lit && !pinned && !event.target.closest?.("#sources")) dim();
});
document.addEventListener("focusin", (event) => { if (claimAt(event)) light(claimAt(event)); });
document.addEventListener("focusout", (event) => { if (claimAt(event) && !pinned) dim(); });
addEventListener("click", (event) => {
  const claim = claimAt(event);
  if (!claim) { if (lit && !event.target.closest?.("#sources")) dim(); return; }
  event.preventDefault();
  // The first tap shows the sources, the next goes to them; a mouse has shown them already.
  const again = claim.classList.contains("tapped") || event.detail === 0;
  const isTouch = event.pointerType === "touch" || event.pointerType === "pen";
  for (const other of document.querySelectorAll(".claim.tapped")) other.classList.remove("tapped");
  light(claim);
  if (isTouch && !again) claim.classList.add("tapped");
  else {
    const row = rowsOf(claim)[0];
    if (!row) return;
    [pinned, sources.hidden] = [true, true];
    reveal(row);
  }
});

// Opens what an element is in, and brings it into view.
const reveal = (element) => {
  const article = element.closest("article");
  open(article);
  choose(article, element.closest(".pair"));
  element.scrollIntoView({ block: "center" });
};
