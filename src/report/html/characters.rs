use std::borrow::Cow;

/// The markup with every character that HTML does not allow replaced by U+FFFD.
pub fn permitted(markup: &str) -> Cow<'_, str> {
    let is_forbidden = |c: char| c.is_control() && !c.is_whitespace();
    if markup.contains(is_forbidden) {
        markup.replace(is_forbidden, "\u{FFFD}").into()
    } else {
        markup.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(
            permitted("<p>a\u{0}b\u{1b}\n\t\u{85}</p>"),
            "<p>a\u{FFFD}b\u{FFFD}\n\t\u{85}</p>"
        );
        assert!(matches!(permitted("<p>я</p>"), Cow::Borrowed(_)));
    }
}
