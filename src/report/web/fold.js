// Texts as they are searched: without case, accents and vowel points, so that "lopez" finds
// "López". Signs that belong to a letter stay: those of Indic scripts and of kana.

const MARKS = new RegExp("[" + [
  "\\u0300-\\u036f\\u0483-\\u0487", // Latin, Greek and Cyrillic accents
  "\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7", // Hebrew points
  "\\u0610-\\u061a\\u064b-\\u065f\\u0670\\u0640", // Arabic vowels, and the line between letters
  "\\u00ad\\u200b-\\u200f\\u2060-\\u2064\\ufeff", // what has no width
].join("") + "]", "g");

const LETTERS = new Map(Object.entries({
  ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", þ: "th", ł: "l", ı: "i", ħ: "h", ŋ: "n",
  ς: "σ", ى: "ي", ة: "ه", "’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-",
}));

const OTHERS = new RegExp(`[${[...LETTERS.keys()].join("")}]`, "g");

const fold = (text) => text.toLowerCase().normalize("NFKD").replace(MARKS, "")
  .replace(OTHERS, (letter) => LETTERS.get(letter)).normalize("NFC").replace(/\s+/g, " ");

// The folded text, and for each of its units the place in the text that it comes from.
const foldWithPlaces = (text) => {
  const places = [];
  let folded = "", at = 0;
  for (const letter of text) {
    let one = fold(letter);
    if (one === " " && folded.endsWith(" ")) one = "";
    for (let i = 0; i < one.length; i++) places.push(at);
    folded += one;
    at += letter.length;
  }
  places.push(at);
  return { folded, places };
};

// The words and "quoted phrases" of a query.
const wordsOf = (query) => (fold(query).match(/"[^"]+"|[^\s"]+/g) ?? [])
  .map((word) => word.replace(/"/g, "").trim()).filter(Boolean);

// Where words stand in a text, as [start, end), in order and apart from each other.
const hitsIn = (text, words) => {
  const { folded, places } = foldWithPlaces(text);
  const hits = [];
  for (const word of words) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      let end = at + word.length;
      // Accents that come as characters of their own belong to the letter before.
      while (end < places.length - 1 && places[end] === places[end - 1]) end++;
      hits.push([places[at], places[end]]);
    }
  }
  hits.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  const apart = [];
  for (const hit of hits) if (!apart.length || hit[0] >= apart.at(-1)[1]) apart.push(hit);
  return apart;
};
