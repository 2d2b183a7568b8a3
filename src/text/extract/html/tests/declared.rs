//! Articles that go on beside what calls itself their body.

use super::{article, paragraphs, stations};

#[test]
fn the_end_may_stand_outside_of_the_declared_body() {
    let (first, rest) = (paragraphs(1..=5, "<p>", "</p>"), paragraphs(6..=6, "<p>", "</p>"));
    let page = format!(
        "<main><h1>The river</h1><div class=entry-content>{first}</div><div class=ad>Advertisement\
         </div><div class=entry-more>{rest}</div></main>"
    );
    assert_eq!(stations(&article(&page)), 6);
}

#[test]
fn prose_beside_the_declared_body_belongs_to_it_unless_it_is_something_else() {
    let (first, rest) = (paragraphs(1..=6, "<p>", "</p>"), paragraphs(7..=10, "<p>", "</p>"));
    let of = |rest: &str| {
        let page = format!(
            "<div><h1>The river</h1><div class=article-body>{first}</div>\
             <div class=ad>Advertisement</div>{rest}</div>"
        );
        stations(&article(&page))
    };
    let items = paragraphs(7..=10, "<li>", "</li>");
    assert_eq!(of(&rest), 10);
    assert_eq!(of(&format!("<ol>{items}</ol>")), 10);
    for element in ["div class=remainder", "section id=after", "blockquote"] {
        let name = element.split(' ').next().unwrap();
        assert_eq!(of(&format!("<{element}>{rest}</{name}>")), 10, "{element}");
    }
    let other = paragraphs(7..=9, "<p>", "</p>");
    let teaser = format!("<h3><a href=/a>Harbour</a></h3>{other}");
    for other in [format!("<div class=next-article>{other}</div>"), teaser] {
        assert_eq!(of(&format!("<div>{other}</div>")), 6, "{other}");
    }
}

#[test]
fn prose_before_the_headline_is_none_of_the_article() {
    let (side, text) = (paragraphs(11..=13, "<p>", "</p>"), paragraphs(1..=8, "<p>", "</p>"));
    let page = format!(
        "<div class=column>{side}</div><div class=article-text><h1>The river</h1>{text}</div>"
    );
    assert_eq!(stations(&article(&page)), 8);
}
