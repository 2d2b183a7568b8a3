//! Headlines, and the names of sites beside them.

use super::{article, paragraphs};

#[test]
fn titles_without_the_name_of_the_site() {
    let title = |head: &str, h1: &str| {
        article(&format!("<title>{head}</title><h1>{h1}</h1><p>Text of it.</p>")).title
    };
    assert_eq!(
        title("Talks begin in Almaty - The News", "The News").as_deref(),
        Some("Talks begin in Almaty")
    );
    assert_eq!(
        title("The News", "Talks begin in Almaty").as_deref(),
        Some("Talks begin in Almaty")
    );
    assert_eq!(
        title("Almaty talks begin | The News", "Talks begin in Almaty").as_deref(),
        Some("Talks begin in Almaty")
    );
}

#[test]
fn headlines_keep_their_dashes() {
    let title = |head: &str, body: &str| {
        article(&format!("{head}<body>{body}{}</body>", paragraphs(1..=3, "<p>", "</p>"))).title
    };
    for whole in [
        "The flood – and what it cost",
        "Station 5 - no ferry today",
        "Rhine: the bridge is closed",
        "Yes | No: the vote",
    ] {
        assert_eq!(title(&format!("<title>{whole}</title>"), "").as_deref(), Some(whole));
    }
    let named = "<meta property='og:site_name' content='The Port Courier'>";
    for (head, body) in [
        (format!("<title>The flood – its cost | Port Courier</title>{named}"), ""),
        (format!("<title>Port Courier: The flood – its cost</title>{named}"), ""),
        ("<title>The flood – its cost - Courier</title>".into(), "<h1>The flood – its cost</h1>"),
        ("<title>The flood – its cost · Port Courier</title>".into(), "<i>© 2025 Port Courier</i>"),
        (
            "<title>The flood – its cost | portcourier</title><link rel=canonical \
             href='https://www.portcourier.org/a'>"
                .into(),
            "",
        ),
    ] {
        assert_eq!(title(&head, body).as_deref(), Some("The flood – its cost"), "{head}");
    }
}

#[test]
fn names_of_the_site_are_known_by_many_signs() {
    let text = paragraphs(1..=3, "<p>", "</p>");
    let titled = |title: &str, rest: &str| {
        article(&format!("<title>{title}</title>{rest}{text}")).title.unwrap_or_default()
    };
    let url = |host: &str| format!("<link rel=canonical href='https://{host}/a'>");
    let (plain, whole) = ("The tax – its cost", "The tax – its cost | The Courier");
    let logo = "<header><a href='/'>The Courier</a></header>";
    for (title, rest, expected) in [
        (whole, logo, plain),
        (whole, &format!("<div><h2>{plain}</h2></div>"), plain),
        (whole, "", whole),
        (whole, "<div><h2>The tax</h2></div>", whole),
        ("The tax – its cost | courier.com", &url("www.courier.com"), plain),
        ("The tax – its cost - BBC News", &url("www.bbc.co.uk"), plain),
        (
            "The tax – its cost | Politics | The Courier",
            "<meta property='og:site_name' content='The Courier'>",
            plain,
        ),
    ] {
        assert_eq!(titled(title, rest), expected, "{title} {rest}");
    }
}

#[test]
fn the_name_of_the_site_stands_behind_many_marks_and_in_front() {
    let text = paragraphs(1..=3, "<p>", "</p>");
    let titled = |title: &str, site: &str, rest: &str| {
        let site = format!("<meta property='og:site_name' content='{site}'>");
        article(&format!("<title>{title}</title>{site}{rest}{text}")).title.unwrap_or_default()
    };
    let plain = "The tax – and its cost";
    for mark in ["|", "-", "–", "—", "·", "•", "»", "›", "&gt;", "::", "/", "_", "~", "¦"]
    {
        for title in [
            format!("{plain} {mark} Port Courier"),
            format!("Port Courier {mark} {plain}"),
            format!("{plain} {mark} Port Courier {mark} All the news"),
            format!("{plain} {mark} Port Courier Online"),
        ] {
            assert_eq!(titled(&title, "Port Courier", ""), plain, "{title}");
        }
    }
    let section = "<nav><a href='/news'>News</a></nav>";
    for (title, site, rest, expected) in [
        ("The tax – and its cost - News - Port Courier", "Port Courier", section, plain),
        ("Port Courier | News | The tax – and its cost", "Port Courier", "", plain),
        ("The tax – and its cost|Port Courier", "Port Courier", "", plain),
        ("The tax – and its cost (Port Courier)", "Port Courier", "", plain),
        ("旧桥关闭一年_社会_港口新闻网", "港口新闻网", "", "旧桥关闭一年"),
        ("港口新闻网_旧桥关闭一年", "港口新闻网", "", "旧桥关闭一年"),
        ("旧桥关闭一年-港口新闻网", "港口新闻网", "", "旧桥关闭一年"),
        ("旧桥关闭一年_新闻频道_港口网", "", "", "旧桥关闭一年"),
        ("旧桥关闭——谁来付钱", "港口新闻网", "", "旧桥关闭——谁来付钱"),
        ("旧桥关闭_一年之后再开", "港口新闻网", "", "旧桥关闭_一年之后再开"),
        ("古い橋が一年間閉鎖：港新聞デジタル", "港新聞デジタル", "", "古い橋が一年間閉鎖"),
        ("【港新聞】古い橋が一年間閉鎖", "港新聞", "", "古い橋が一年間閉鎖"),
        ("다리 1년간 폐쇄 &lt; 사회 &lt; 항구일보", "항구일보", "", "다리 1년간 폐쇄"),
        ("Post-war bridges of Port-Courier", "Port", "", "Post-war bridges of Port-Courier"),
        ("Bridge - ferry: which is faster?", "Ferry", "", "Bridge - ferry: which is faster?"),
    ] {
        assert_eq!(titled(title, site, rest), expected, "{title}");
    }
}
