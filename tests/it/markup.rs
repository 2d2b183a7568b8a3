//! Markup comes through a translation: by models with random weights, whose text is nonsense.

use crate::common::{Sandbox, fixture};
use std::collections::BTreeMap;
use std::fs;

const ARTICLE: &str = "---\ntitle: t4 t5\ntags: [t6, t7]\n---\n\n# t4 t5\n\n\
    [![t6 t7](https://x.org/badge-%C3%A9.svg)](https://x.org/b?id=7&l=fr)\n\n\
    t8 t9 [<u>t10 t11</u>](https://x.org/r_(f).pdf) t12[^1], t13 **[t14](https://x.org/p)** t15\n\
    t16 t17. t18 <https://x.org/faq> t19 [t20 t21][map] t22 [t23][].\n\n\
    > t8 **t9. t10** t11\n>\n> > t12 *t13*\n\n\
    - [ ] t4 `code_t5` t6\n- [x] t7 {{< ref \"a_b_c\" >}} t8\n\n\
    {{< figure src=\"a.jpg\" caption=\"t4 t5\" >}}\n\n\
    {% if page.x == \"y\" %}\nt9 t10 t11\n{% endif %}\n\n\
    ![t4](https://x.org/a.jpg \"t5 t6\")\n\n| t4 | ~~t5~~ |\n|----|:--:|\n| t6 | 7 |\n\n\
    ```sh\n# t4 t5\ncurl https://x.org/v1 -d t6=t7\n```\n\n[^1]: t8 t9 **t10**.\n\n\
    [map]: https://x.org/#15/48.1/-3.2\n[t23]: https://x.org/t23\n";

/// What must be there as often after as before.
const MARKUP: &[&str] = &[
    "](https://x.org/badge-%C3%A9.svg)](https://x.org/b?id=7&l=fr)",
    "](https://x.org/r_(f).pdf)",
    "](https://x.org/p)",
    "<u>",
    "</u>",
    "[^1]",
    "[^1]: ",
    "<https://x.org/faq>",
    "][map]",
    "[map]: https://x.org/#15/48.1/-3.2",
    "\n> ",
    "\n> > ",
    "- [ ] ",
    "- [x] ",
    "`code_t5`",
    "{{< ref \"a_b_c\" >}}",
    "\n{{< figure src=\"a.jpg\" caption=\"t4 t5\" >}}\n",
    "\n{% if page.x == \"y\" %}\n",
    "\n{% endif %}\n",
    "![t4](https://x.org/a.jpg \"",
    "|----|:--:|",
    "```sh\n# t4 t5\ncurl https://x.org/v1 -d t6=t7\n```",
    "tags: [t6, t7]",
    "~~",
];

fn counts(text: &str) -> BTreeMap<&'static str, usize> {
    MARKUP.iter().map(|markup| (*markup, text.matches(markup).count())).collect()
}

/// Marks of emphasis, however they are written.
fn emphasis(text: &str) -> usize {
    text.matches("**").count()
        + text.matches("<strong>").count()
        + text.matches("</strong>").count()
}

#[test]
fn every_piece_of_markup_comes_through_once() {
    let sandbox = Sandbox::new();
    let from = fixture("seq2seq").join("marian");
    for file in ["config.json", "generation_config.json", "tokenizer.json", "model.safetensors"] {
        sandbox.write(&format!("marian/{file}"), fs::read(from.join(file)).unwrap());
    }
    sandbox.write("article.md", ARTICLE);
    let line = "translate --from fr --to en --offline --on-bad keep article.md --model marian";
    let found = sandbox.run(line).expect(0, &[]).stdout;
    assert_eq!(counts(&found), counts(ARTICLE), "{found}");
    assert_eq!(emphasis(&found), emphasis(ARTICLE), "{found}");
    assert!(found.contains("][t23]"), "{found}");
    // What is in that language already comes out as it is.
    let same = "translate --from en --to en --offline article.md --model marian";
    let found = sandbox.run(same).expect(0, &[]).stdout;
    let body =
        |text: &str| text.split_once("# t4 t5\n").map(|(_, body)| body.trim_end().to_string());
    assert_eq!(body(&found), body(ARTICLE));
}
