//! `polygist serve`, as programs, browsers and others meet it: over HTTP, on the real program.

mod client;

use crate::common::{ENGLISH, FRENCH, GERMAN, MODELS, Sandbox, TRANSLATOR};
use crate::route::{sandbox, starter, student};
use client::{Answer, Serving};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

const KEY: &str = "a-key-of-the-news-desk";

fn translate(serving: &Serving, body: &Value) -> Answer {
    serving.post_json("/translate", body)
}

fn is_translation_of(text: &Value, source: &str) -> bool {
    text.as_str().is_some_and(|text| !text.trim().is_empty() && text != source)
}

#[test]
fn texts_are_translated_as_libretranslate_does() {
    let serving = Serving::start(TRANSLATOR);
    let one = translate(&serving, &json!({"q": FRENCH, "source": "fr", "target": "en"}));
    let text = one.expect(200)["translatedText"].clone();
    assert!(is_translation_of(&text, FRENCH), "{text}");
    assert_eq!(one.json().as_object().unwrap().len(), 1, "{}", one.body);

    // A list has lists; what is found out is told, from 0 to 100.
    let list =
        json!({"q": [FRENCH, "", "42"], "source": "auto", "target": "en", "alternatives": 2});
    let list = translate(&serving, &list).expect(200);
    assert_eq!(list["translatedText"], json!([text, "", "42"]));
    let found = &list["detectedLanguage"];
    assert_eq!(found[0]["language"], "fr");
    assert!((50.0..=100.0).contains(&found[0]["confidence"].as_f64().unwrap()), "{found}");
    assert_eq!(found[2], json!({"confidence": 0.0, "language": "fr"}));
    assert_eq!((&list["alternatives"][1], &list["alternatives"][2]), (&json!([]), &json!([])));

    // As a form, in the address, and as a form with parts.
    let form = "q=La+rivi%C3%A8re&source=fr&target=en&format=text";
    let form = serving.post("/translate", "application/x-www-form-urlencoded", form).expect(200);
    let query = serving.post("/translate?q=La%20rivi%C3%A8re&source=fr&target=en", "", "");
    assert_eq!(query.expect(200), form);
    let parts = [("q", "", "La rivière"), ("source", "", "fr"), ("target", "", "en")];
    assert_eq!(serving.post_parts("/translate", &parts).expect(200), form);

    // Other translations are so many at most, and the first stays what it is.
    let wanted = json!({"q": FRENCH, "source": "fr", "target": "en", "alternatives": 2});
    let others = translate(&serving, &wanted).expect(200);
    assert_eq!(others["translatedText"], text);
    let mut all: Vec<String> = serde_json::from_value(others["alternatives"].clone()).unwrap();
    assert!(all.len() <= 2 && all.iter().all(|other| text != *other), "{others}");
    all.dedup();
    assert_eq!(json!([all, [], []]), list["alternatives"]);

    // Markup stays to the byte, and so does what has no text.
    let html = "<p class=\"a\">La rivière est montée.</p>\n<hr><br/>";
    let ask = |q: &str| {
        let ask = json!({"q": q, "source": "fr", "target": "en", "format": "html"});
        translate(&serving, &ask).expect(200)["translatedText"].as_str().unwrap().to_string()
    };
    let translated = ask(html);
    assert!(translated.starts_with("<p class=\"a\">"), "{translated}");
    assert!(translated.ends_with("</p>\n<hr><br/>") && translated != html, "{translated}");
    assert_eq!(ask("<hr>"), "<hr>");

    // What is in the language wanted stays.
    let same = translate(&serving, &json!({"q": ENGLISH, "source": "auto", "target": "en"}));
    assert_eq!(same.expect(200)["translatedText"], ENGLISH);
}

#[test]
fn mistakes_are_told_as_libretranslate_tells_them() {
    let serving = Serving::start(TRANSLATOR);
    for (body, says) in [
        (json!({"source": "fr", "target": "en"}), "missing q"),
        (json!({"q": "", "source": "fr", "target": "en"}), "missing q"),
        (json!({"q": [], "source": "fr", "target": "en"}), "missing q"),
        (json!({"q": "a", "target": "en"}), "missing source"),
        (json!({"q": "a", "source": "fr"}), "missing target"),
        (json!({"q": "a", "source": "fr", "target": "xx"}), "xx is not supported"),
        (json!({"q": "a", "source": "what?", "target": "en"}), "what? is not supported"),
        (json!({"q": "a", "source": "fr", "target": "auto"}), "auto is not supported"),
        (json!({"q": 7, "source": "fr", "target": "en"}), "q is not a text"),
        (json!({"q": ["a", 7], "source": "fr", "target": "en"}), "an item that is not a text"),
        (json!({"q": "a", "source": 1, "target": "en"}), "source is not a text"),
        (json!({"q": "a", "source": "fr", "target": "en", "format": "pdf"}), "not supported"),
        (json!(["q"]), "expected an object"),
    ] {
        let answer = translate(&serving, &body);
        let error = answer.expect(400)["error"].as_str().unwrap_or_default().to_string();
        assert!(error.contains(says), "{body}: {error}");
    }
    let bad = serving.post("/translate", "application/json", "{\"q\": ");
    assert!(bad.expect(400)["error"].as_str().unwrap().contains("Invalid JSON"));
    let deep = format!("{{\"q\": {}", "[".repeat(100_000));
    serving.post("/translate", "application/json", &deep).expect(400);
    serving.post("/translate", "application/x-www-form-urlencoded", "q=%ff").expect(400);
    serving.post("/translate", "application/xml", "<q/>").expect(415);
    serving.post("/translate", "multipart/form-data", "x").expect(400);
    serving.get("/translate").expect(405);
    serving.get("/no-such").expect(404);
    serving.post("/suggest", "", "").expect(403);
}

#[test]
fn languages_and_settings_are_told() {
    let serving = Serving::start(TRANSLATOR);
    let languages = serving.get("/languages").expect(200);
    let french = languages.as_array().unwrap().iter().find(|l| l["code"] == "fr").unwrap();
    assert_eq!(french["name"], "French");
    let targets = french["targets"].as_array().unwrap();
    assert!(targets.contains(&json!("en")) && targets.contains(&json!("fr")));

    let found = serving.post(
        "/detect",
        "application/x-www-form-urlencoded",
        "q=Der+Rat+der+Stadt+hat+am+Dienstag+den+Bau+beschlossen.",
    );
    let found = found.expect(200);
    assert_eq!(found[0]["language"], "de");
    assert!(found[0]["confidence"].as_f64().unwrap() > 50.0);

    let settings = serving.get("/frontend/settings").expect(200);
    assert_eq!(settings["keyRequired"], false);
    assert_eq!(settings["language"]["target"]["code"], "en");
    let formats = settings["supportedFilesFormat"].as_array().unwrap();
    assert!(formats.contains(&json!(".docx")) && formats.contains(&json!(".html")));
    assert_eq!(serving.get("/health").expect(200)["status"], "ok");
}

#[test]
fn an_answer_is_the_same_whoever_else_asks() {
    let serving = Serving::start(TRANSLATOR);
    let ask = |n: usize| {
        let q = format!("{}{}", FRENCH.repeat(1 + n % 3), GERMAN.repeat(n % 2));
        let source = ["auto", "fr"][n % 2];
        let body = json!({"q": q, "source": source, "target": "en"});
        translate(&serving, &body).expect(200)
    };
    let alone: Vec<Value> = (0..6).map(ask).collect();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..24).map(|n| scope.spawn(move || (n % 6, ask(n % 6)))).collect();
        for thread in threads {
            let (number, together) = thread.join().unwrap();
            assert_eq!(together, alone[number]);
        }
    });
    // And it is that of the command line.
    let line = FRENCH.lines().next().unwrap();
    let of_cli = serving
        .sandbox
        .run_with(&format!("translate --lines --from fr --to en {TRANSLATOR}"), line);
    let q = json!({"q": line, "source": "fr", "target": "en"});
    let answer = translate(&serving, &q).expect(200);
    assert_eq!(answer["translatedText"].as_str().unwrap(), of_cli.stdout.trim_end_matches('\n'));
}

#[test]
fn without_a_key_nothing_is_done_where_keys_are_asked_for() {
    let sandbox =
        Sandbox::with([("keys.txt", &format!("{KEY}\nanother-key-0123456789 2 # slow\n"))]);
    let serving = Serving::start_in(sandbox, &format!("{TRANSLATOR} --api-keys keys.txt"), &[]);
    let ask = |key: &str| {
        let body = json!({"q": "42", "source": "fr", "target": "en", "api_key": key});
        translate(&serving, &body)
    };
    ask("").expect(401);
    ask("a-key-of-the-news-desk ").expect(403);
    ask("a-key-of-the-news-desl").expect(403);
    ask(KEY).expect(200);
    let bearer = |key: &str| {
        let head = format!("Authorization: Bearer {key}\r\nContent-Type: application/json\r\n");
        serving.request("POST", "/detect", &head, b"{\"q\": \"Bonjour\"}")
    };
    bearer(KEY).expect(200);
    bearer("wrong").expect(403);
    for path in ["/translate", "/detect", "/translate_file", "/summarize", "/batch"] {
        serving.post_json(path, &json!({"q": "42"})).expect(401);
    }
    let chat = serving.post_json("/v1/chat/completions", &json!({}));
    assert_eq!(chat.expect(401)["error"]["type"], "authentication_error");
    serving.post_json("/batch?target=en", &json!({})).expect(401);
    let lines = serving.post("/batch?target=en", "application/x-ndjson", "{\"text\": \"a\"}");
    lines.expect(401);
    serving.get("/batch/00").expect(401);
    serving.get("/v1/models").expect(401);
    let page = serving.post_parts("/", &[("text", "", "Bonjour"), ("target", "", "en")]);
    assert_eq!(page.status, 401);
    assert_eq!(serving.get("/frontend/settings").expect(200)["keyRequired"], true);

    // A key's own limit: two a minute.
    let slow = || ask("another-key-0123456789");
    slow().expect(200);
    slow().expect(200);
    let refused = slow();
    refused.expect(429);
    assert!((1..=30).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    ask(KEY).expect(200);
    // No key is in what is said or counted.
    assert!(
        !serving.said().contains("news-desk") && !serving.get("/metrics").body.contains("desk")
    );
}

#[test]
fn pages_and_names_of_others_do_not_come_in() {
    let flags =
        format!("{TRANSLATOR} --allow-host desk.example.org --allow-origin https://r.example");
    let serving = Serving::start(&flags);
    let ask = |head: &str| {
        let body = b"{\"q\": \"42\", \"source\": \"fr\", \"target\": \"en\"}";
        serving.raw_request("POST", "/translate", head, body)
    };
    let own = serving.address.clone();
    ask(&format!("Host: {own}\r\n")).expect(200);
    ask(&format!("Host: {own}\r\nOrigin: http://{own}\r\n")).expect(200);
    ask("Host: desk.example.org\r\n").expect(200);
    ask("Host: localhost:5000\r\n").expect(200);
    ask("Host: evil.example\r\n").expect(403);
    ask("Host: 127.0.0.1.evil.example\r\n").expect(403);
    ask(&format!("Host: {own}\r\nOrigin: http://evil.example\r\n")).expect(403);
    ask(&format!("Host: {own}\r\nOrigin: null\r\n")).expect(403);
    ask("").expect(400);
    // One that is let in may read the answer, others learn nothing.
    let let_in = ask(&format!("Host: {own}\r\nOrigin: https://r.example\r\n"));
    let_in.expect(200);
    assert_eq!(let_in.header("access-control-allow-origin"), "https://r.example");
    let head = format!("Host: {own}\r\nOrigin: https://r.example\r\n");
    let before = serving.raw_request("OPTIONS", "/translate", &head, b"");
    assert_eq!(before.status, 204);
    assert!(before.header("access-control-allow-headers").contains("Authorization"));
    assert_eq!(serving.get("/health").header("access-control-allow-origin"), "");
    let absolute = format!("http://evil.example/translate?{}", "q=42&source=fr&target=en");
    serving.raw_request("POST", &absolute, &format!("Host: {own}\r\n"), b"").expect(403);
}

#[test]
fn too_much_is_refused_before_it_is_read() {
    let serving = Serving::start(&format!("{TRANSLATOR} --max-body 2000 --max-texts 3"));
    let texts = json!({"q": ["1", "2", "3", "4"], "source": "fr", "target": "en"});
    assert!(translate(&serving, &texts).expect(400)["error"].as_str().unwrap().contains("limit"));
    let long = json!({"q": "a ".repeat(2000), "source": "fr", "target": "en"}).to_string();
    serving.post("/translate", "application/json", &long).expect(413);
    // Nobody waits for what is announced and too much.
    let head =
        "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n";
    serving.send(&format!("POST /translate HTTP/1.1\r\n{head}\r\n")).expect(413);
    // In pieces of unknown number.
    let head =
        "Host: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let chunk = format!("400\r\n{}\r\n", "a".repeat(1024));
    let sent = format!("POST /translate HTTP/1.1\r\n{head}\r\n{}", chunk.repeat(3));
    serving.send(&sent).expect(413);
    let large = serving.raw_request(
        "GET",
        "/health",
        &format!("Host: localhost\r\nX: {}\r\n", "a".repeat(2_000_000)),
        b"",
    );
    assert_eq!(large.status, 431);
    serving.send("what is this\r\n\r\n").expect_status(400);
    // It still answers.
    assert_eq!(serving.get("/health").expect(200)["status"], "ok");
}

#[test]
fn addresses_do_not_lead_to_other_files() {
    let serving = Serving::start(TRANSLATOR);
    for path in [
        "/download_file/../../../etc/passwd",
        "/download_file/%2e%2e/%2e%2e%2fetc%2fpasswd",
        "/download_file/..%5c..%5cwindows/win.ini",
        "/download_file/00/passwd",
        "/batch/%2e%2e",
        "/batch/..%2f..%2fetc/results",
        "//etc/passwd",
        "/static/../../Cargo.toml",
        "/download_file/%00/%00",
    ] {
        let answer = serving.get(path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert!(answer.json()["error"].is_string(), "{path}: {}", answer.body);
    }
    // Nor do names of files that are sent.
    for name in ["../../evil.txt", "/etc/evil.txt", "..\\evil.txt", "a/b/.evil.txt"] {
        let parts = [("file", name, FRENCH), ("source", "", "fr"), ("target", "", "en")];
        let answer = serving.post_parts("/translate_file", &parts).expect(200);
        let url = answer["translatedFileUrl"].as_str().unwrap();
        assert!(url.ends_with("/evil.en.txt") && !url.contains(".."), "{url}");
    }
    assert!(!serving.sandbox.exists("evil.en.txt") && !serving.sandbox.exists("../evil.en.txt"));
}

#[test]
fn who_sends_slowly_is_let_go() {
    let serving = Serving::start(&format!("{TRANSLATOR} --read-timeout 1"));
    // A head that never ends, a byte at a time: the connection is closed.
    let mut slow = serving.connect();
    slow.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    let begun = Instant::now();
    while slow.write_all(b"X").is_ok() && slow.flush().is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(60), "a slow head is still waited for");
        thread::sleep(Duration::from_millis(100));
    }
    // A body that does not come is told so.
    let head = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n";
    serving.send(&format!("POST /translate HTTP/1.1\r\n{head}\r\n{{\"q\"")).expect(408);
    let head = "Host: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 100\r\n";
    serving.send(&format!("POST /batch?target=en HTTP/1.1\r\n{head}\r\n{{\"text\"")).expect(408);
    // One who says nothing at all goes too, and takes no place for long.
    let mut silent = serving.connect();
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).unwrap();
    assert_eq!(serving.get("/health").expect(200)["status"], "ok");
}

/// A text that takes much longer than a test.
fn endless() -> String {
    let sentence = |n: usize| format!("La rivière est montée de {n} centimètres le lundi {n}.\n");
    (0..20_000).map(sentence).collect()
}

fn working(serving: &Serving) -> String {
    let metrics = serving.get("/metrics").body;
    let line = metrics.lines().find(|line| line.starts_with("polygist_requests_working "));
    line.unwrap().rsplit(' ').next().unwrap().to_string()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(100), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn who_goes_away_stops_their_work_and_who_is_too_many_is_told() {
    let serving = Serving::start(&format!("{TRANSLATOR} --concurrency 1 --queue 0"));
    let body = json!({"q": endless(), "source": "fr", "target": "en"}).to_string();
    let mut long = serving.connect();
    let head = format!(
        "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    long.write_all(format!("POST /translate HTTP/1.1\r\n{head}\r\n{body}").as_bytes()).unwrap();
    wait_until("the long request begins", || working(&serving) == "1");
    let small = json!({"q": "Bonjour", "source": "fr", "target": "en"});
    let refused = translate(&serving, &small);
    refused.expect(503);
    assert_eq!(refused.header("retry-after"), "1");
    // What needs no model is answered.
    assert_eq!(serving.get("/ready").expect(200)["status"], "ready");
    drop(long);
    wait_until("the work of one who has gone ends", || working(&serving) == "0");
    translate(&serving, &small).expect(200);
}

#[test]
fn what_takes_too_long_is_given_up() {
    let serving = Serving::start(&format!("{TRANSLATOR} --timeout 1"));
    let late = translate(&serving, &json!({"q": endless(), "source": "fr", "target": "en"}));
    assert!(late.expect(503)["error"].as_str().unwrap().contains("1 seconds"));
    assert!(!late.header("retry-after").is_empty());
    wait_until("the work ends", || working(&serving) == "0");
}

#[cfg(unix)]
#[test]
fn a_server_that_is_stopped_finishes_what_it_has() {
    let serving = Serving::start(TRANSLATOR);
    let q = (0..30).map(|n| format!("La ville a fermé {n} ponts.\n")).collect::<String>();
    let body = json!({"q": q, "source": "fr", "target": "en"});
    let answer = thread::scope(|scope| {
        let asking = scope.spawn(|| translate(&serving, &body));
        wait_until("the request begins", || working(&serving) == "1" || asking.is_finished());
        serving.signal("TERM");
        asking.join().unwrap()
    });
    assert!(is_translation_of(&answer.expect(200)["translatedText"], &q));
    let (code, said) = serving.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("stopping after the work at hand") && said.contains("stopped"), "{said}");
}

#[test]
fn files_come_back_as_what_they_were() {
    // What the tiny model writes is nonsense, in whose place the source would stand.
    let serving = Serving::start(&format!("{TRANSLATOR} --on-bad keep"));
    let srt = "1\n00:00:01,000 --> 00:00:02,000\nLa rivière est montée.\n";
    let html = "<html><body><h1>La ville</h1><p>La rivière est montée.</p></body></html>";
    for (name, text, translated, starts) in [
        ("film.srt", srt, "film.en.srt", "1\n00:00:01,000 --> 00:00:02,000\n"),
        ("Été.html", html, "%C3%89t%C3%A9.en.html", "<html lang=\"en\"><body><h1>"),
        ("a.txt", FRENCH, "a.en.txt", ""),
    ] {
        let parts = [("file", name, text), ("source", "", "auto"), ("target", "", "en")];
        let answer = serving.post_parts("/translate_file", &parts).expect(200);
        let url = answer["translatedFileUrl"].as_str().unwrap();
        let path = url.strip_prefix(&format!("http://{}", serving.address)).unwrap();
        assert!(path.ends_with(translated), "{path}");
        let file = serving.get(path);
        assert_eq!(file.status, 200);
        assert!(file.header("content-disposition").ends_with(translated));
        assert!(file.body.starts_with(starts) && file.body != text, "{}", file.body);
        assert_eq!(serving.get(&path.replace(translated, "other.txt")).status, 404);
    }
    let none = [("source", "", "fr"), ("target", "", "en")];
    let error = serving.post_parts("/translate_file", &none).expect(400)["error"].to_string();
    assert!(error.contains("missing file"), "{error}");
    let broken = [("file", "a.docx", "no document"), ("source", "", "fr"), ("target", "", "en")];
    serving.post_parts("/translate_file", &broken).expect(400);
}

#[test]
fn summaries_say_what_supports_them() {
    let serving = Serving::start(MODELS);
    let q = "The bridge over the Elvern reopened on Friday after eleven months of work. It rained. \
             The works on the bridge cost 18.4 million euros.";
    let found = serving.post_json("/summarize", &json!({"q": q, "length": "1s"})).expect(200);
    assert_eq!(found["language"], "en");
    assert!(!found["summary"].as_str().unwrap().is_empty());
    let sentences = found["sentences"].as_array().unwrap();
    assert!(!sentences.is_empty() && sentences[0]["support"][0].is_u64(), "{found}");
    let other = json!({"q": FRENCH, "target": "en", "style": "bullets"});
    let other = serving.post_json("/summarize", &other).expect(200);
    assert_eq!(
        (&other["language"], &other["detectedLanguage"]["language"]),
        (&json!("en"), &json!("fr"))
    );
    for body in [json!({}), json!({"q": q, "length": "much"}), json!({"q": q, "style": "odd"})] {
        serving.post_json("/summarize", &body).expect(400);
    }
}

#[test]
fn the_page_works_without_scripts_and_shows_text_as_text() {
    let serving = Serving::start(TRANSLATOR);
    let page = serving.get("/");
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.body.contains("<textarea") && page.body.contains("value=\"fr\""));
    assert!(serving.get("/style.css").body.contains("--accent"));
    let evil = "La rivière <script>alert(1)</script> est montée de 40 centimètres lundi.";
    let parts = [
        ("text", "", evil),
        ("source", "", "fr"),
        ("target", "", "en"),
        ("task", "", "translate"),
        ("file", "", ""),
    ];
    let shown = serving.post_parts("/", &parts);
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert!(shown.body.contains("<article") && !shown.body.contains("<script"), "{}", shown.body);
    let parts = [
        ("text", "", FRENCH),
        ("source", "", "auto"),
        ("target", "", ""),
        ("task", "", "summarize"),
        ("length", "", "short"),
    ];
    let summary = serving.post_parts("/", &parts);
    assert!(summary.body.contains("class=\"gist\" lang=\"fr\""), "{}", summary.body);
    let parts = [
        ("file", "film.srt", "1\n00:00:01,000 --> 00:00:02,000\nLa rivière\n"),
        ("target", "", "en"),
        ("task", "", "translate"),
    ];
    let file = serving.post_parts("/", &parts);
    assert!(file.body.contains("Save film.en.srt"), "{}", file.body);
    let none = serving.post_parts("/", &[("text", "", " "), ("target", "", "en")]);
    assert!(none.status == 400 && none.body.contains("class=\"error\""), "{}", none.body);
}

#[test]
fn the_page_says_which_model_translated_and_where_a_better_one_is() {
    let models = [starter(), student("fr", "en")];
    let serving = Serving::start_in(sandbox(&models, []), "--offline --max-tokens 8", &[]);
    let shown = |parts: &[(&str, &str, &str)]| {
        let answer = serving.post_parts("/", &[parts, &[("target", "", "en")]].concat());
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };
    let translate = ("task", "", "translate");
    let page = shown(&[("text", "", FRENCH), ("source", "", "fr"), translate]);
    assert!(page.contains("<span>by student-fr-en</span>"), "{page}");
    assert!(!page.contains("starter") && !page.contains("models pull"), "{page}");
    // In the words of the command line, and as text.
    let remark = "<p class=\"how\">de → en: left to the starter (small), which is weak; better: \
        `polygist models pull ";
    let german = [("text", "", GERMAN), ("source", "", "de"), translate];
    let page = shown(&german);
    assert!(page.contains("<span>by small</span>") && page.contains(remark), "{page}");
    let file = [("file", "a.srt", "1\n00:00:01,000 --> 00:00:02,000\nDer Fluss stieg.\n")];
    let page = shown(&[&file[..], &german[1..]].concat());
    assert!(page.contains("Save a.en.srt") && page.contains(remark), "{page}");
    let page = shown(&[german[0], german[1], ("task", "", "summarize"), ("length", "", "short")]);
    assert!(page.contains(remark), "{page}");
    // Others' weak models are not this reader's concern.
    let page = shown(&[("text", "", FRENCH), ("source", "", "fr"), translate]);
    assert!(!page.contains("starter"), "{page}");
}

/// The places in a document where something is referred to.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(all) => all.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn the_document_describes_what_there_is() {
    let serving = Serving::start(TRANSLATOR);
    let document = serving.get("/openapi.json").expect(200);
    assert_eq!(serving.get("/spec").expect(200), document);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut all = Vec::new();
    references(&document, &mut all);
    for reference in all {
        let place = document.pointer(reference.trim_start_matches('#'));
        assert!(place.is_some(), "{reference}");
    }
    let (mut ids, mut operations) = (BTreeSet::new(), 0);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_string()));
            assert!(operation["summary"].is_string() && operation["responses"].is_object());
            let concrete = path.replace("{id}", &"0".repeat(32)).replace("{name}", "a");
            let answer = serving.request(&method.to_uppercase(), &concrete, "", b"");
            let status = answer.status.to_string();
            assert!(operation["responses"].get(&status).is_some(), "{method} {path}: {status}");
            assert!(answer.status != 404 || path.contains("{id}"), "{method} {path}");
        }
        assert_eq!(serving.request("PATCH", &path.replace(['{', '}'], ""), "", b"").status, 405);
    }
    assert!(operations > 20);
    // What the server routes is what the document has.
    let routes = include_str!("../../src/serve/routes.rs").split(".route(\"").skip(1);
    let routed: BTreeSet<&str> = routes.map(|rest| rest.split('"').next().unwrap()).collect();
    let described: BTreeSet<&str> =
        document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(routed, described);
}

#[test]
fn a_chat_that_asks_for_a_translation_gets_it() {
    let serving = Serving::start(TRANSLATOR);
    let text = FRENCH.repeat(3);
    let chat = |extra: Value| {
        let mut body =
            json!({"model": "polygist:en", "messages": [{"role": "user", "content": text}]});
        extra.as_object().unwrap().iter().for_each(|(k, v)| body[k] = v.clone());
        serving.post_json("/v1/chat/completions", &body)
    };
    let whole = chat(json!({})).expect(200);
    let content = whole["choices"][0]["message"]["content"].as_str().unwrap().to_string();
    let q = json!({"q": text, "source": "fr", "target": "en"});
    assert_eq!(translate(&serving, &q).expect(200)["translatedText"], content);
    assert_eq!(whole["object"], "chat.completion");

    // As events, the pieces are the whole.
    let stream = chat(json!({"stream": true}));
    assert_eq!((stream.status, stream.header("content-type")), (200, "text/event-stream".into()));
    let events: Vec<&str> =
        stream.body.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect();
    assert_eq!(events.last(), Some(&"[DONE]"));
    let chunks: Vec<Value> = events[..events.len() - 1]
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    let pieces: Vec<&str> =
        chunks.iter().filter_map(|c| c["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(pieces.concat(), content);
    assert!(pieces.len() > 2, "{pieces:?}");
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");

    // The prompt may say the language.
    let instructed = json!([
        {"role": "system", "content": "You are a translator. Translate into English."},
        {"role": "user", "content": text},
    ]);
    let by_prompt = chat(json!({"model": "polygist", "messages": instructed})).expect(200);
    assert_eq!(by_prompt["choices"][0]["message"]["content"], content);
    for (extra, status) in [
        (json!({"model": "gpt-4"}), 404),
        (json!({"model": "polygist"}), 400),
        (json!({"messages": []}), 400),
        (json!({"n": 2}), 400),
        (json!({"stream": "yes"}), 400),
        (json!({"model": "polygist:xx", "stream": true}), 404),
    ] {
        let refused = chat(extra.clone());
        assert!(refused.expect(status)["error"]["message"].is_string(), "{extra}");
    }
    let models = serving.get("/v1/models").expect(200);
    let ids: Vec<&Value> = models["data"].as_array().unwrap().iter().map(|m| &m["id"]).collect();
    assert!(ids.contains(&&json!("polygist")) && ids.contains(&&json!("polygist:fr")));
}

#[test]
fn a_batch_is_sent_followed_and_fetched() {
    let serving = Serving::start(MODELS);
    let articles = [
        json!({"id": 17, "text": FRENCH, "desk": "nord"}),
        json!({"id": "b", "title": "Brücke", "text": GERMAN}),
        json!({"id": "c"}),
    ];
    let lines: String = articles.iter().map(|article| format!("{article}\n\n")).collect();
    let begun = serving.post("/batch?target=en&tasks=translate", "application/x-ndjson", &lines);
    let batch = begun.expect(202);
    assert_eq!(batch["articles"], 3);
    let place = begun.header("location");
    let events = serving.get(&format!("{place}/events"));
    assert_eq!(events.header("content-type"), "text/event-stream");
    let last = events.body.trim_end().rsplit("\n\n").next().unwrap();
    let data = last.strip_prefix("event: end\ndata: ").unwrap_or_else(|| panic!("{last}"));
    let end: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (&end["status"], &end["done"], &end["failed"]),
        (&json!("done"), &json!(2), &json!(1))
    );
    assert_eq!(serving.get(&place).expect(200), end);

    // The records are those of `stream`.
    let found = serving.get(&format!("{place}/results"));
    let streamed =
        serving.sandbox.run_with(&format!("stream --to en --tasks translate {MODELS}"), &lines);
    let timeless = |lines: &str| -> Vec<Value> {
        let mut all: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        all.iter_mut().for_each(|record| record["stats"]["seconds"] = 0.into());
        all
    };
    assert_eq!(timeless(&found.body), timeless(&streamed.stdout));

    // In one object, too.
    let object =
        json!({"articles": articles[..2], "target": "en", "tasks": ["summarize"], "length": "1s"});
    let place =
        serving.post_json("/batch", &object).expect(202)["id"].as_str().unwrap().to_string();
    let place = format!("/batch/{place}");
    serving.get(&format!("{place}/events"));
    let records = serving.get(&format!("{place}/results")).body;
    assert_eq!(records.lines().count(), 2);
    assert!(records.lines().all(|line| line.contains("\"summary\"")), "{records}");
    assert_eq!(serving.request("DELETE", &place, "", b"").status, 204);
    serving.get(&place).expect(404);
    for (path, body) in [
        ("/batch?target=en", ""),
        ("/batch?tasks=translate", "{\"text\": \"a\"}"),
        ("/batch?target=en&tasks=cook", "{\"text\": \"a\"}"),
    ] {
        serving.post(path, "application/x-ndjson", body).expect(400);
    }
    serving.post_json("/batch", &json!({"target": "en"})).expect(400);
}

#[test]
fn batches_are_bounded_and_stopped() {
    let serving = Serving::start(&format!(
        "{TRANSLATOR} --max-batches 1 --max-batch-body 3000000 --jobs-dir jobs"
    ));
    let line = |n: usize| format!("{}\n", json!({"text": FRENCH.replace("40", &n.to_string())}));
    let many: String = (0..10_000).map(line).collect();
    let send = |lines: &str| {
        serving.post("/batch?target=en&tasks=translate", "application/x-ndjson", lines)
    };
    let batch = send(&many).expect(202);
    let refused = send(&line(1));
    refused.expect(503);
    assert_eq!(refused.header("retry-after"), "30");
    let place = format!("/batch/{}", batch["id"].as_str().unwrap());
    assert_eq!(serving.request("DELETE", &place, "", b"").status, 204);
    let running = || serving.get("/metrics").body.contains("polygist_batches_running 0\n");
    wait_until("the batch stops", running);
    send(&many.repeat(4)).expect(413);
    // What was refused or removed leaves nothing behind.
    let left = || std::fs::read_dir(serving.sandbox.path("jobs")).unwrap().count() == 0;
    wait_until("the folders are gone", left);
    let done = send(&line(2)).expect(202);
    assert!(
        serving.sandbox.exists(&format!("jobs/{}/articles.jsonl", done["id"].as_str().unwrap()))
    );
}

#[test]
fn an_address_that_is_taken_and_keys_that_are_none_are_told() {
    let serving = Serving::start(TRANSLATOR);
    let port = serving.address.rsplit(':').next().unwrap();
    let sandbox = Sandbox::with([("short.txt", "secret")]);
    sandbox.run(&format!("serve --port {port} {TRANSLATOR}")).expect(1, &["cannot listen on"]);
    let wrong = sandbox.run(&format!("serve --port 0 {TRANSLATOR} --api-keys short.txt"));
    assert!(!wrong.expect(1, &["at least 16"]).stderr.contains("secret"));
    let missing = sandbox.run("serve --port 0 --offline --model no-such.gguf");
    assert!(!missing.expect(1, &["no-such"]).stderr.contains("ready"));
}

#[test]
fn models_are_opened_when_they_are_needed_and_given_up_when_they_are_not() {
    let models = [starter(), student("fr", "en"), student("de", "en")];
    let flags = "--offline --max-tokens 8";
    let loaded = |serving: &Serving| {
        let metrics = serving.get("/metrics").body;
        let lines = metrics.lines().filter_map(|line| line.strip_prefix("polygist_model_loaded{"));
        lines.map(String::from).collect::<Vec<_>>()
    };
    let ask = |serving: &Serving, source: &str, q: &str| {
        translate(serving, &json!({"q": q, "source": source, "target": "en"})).expect(200)
    };
    let serving = Serving::start_in(sandbox(&models, []), flags, &[]);
    assert_eq!(loaded(&serving), Vec::<String>::new());
    let first = ask(&serving, "fr", FRENCH);
    ask(&serving, "de", GERMAN);
    let both = ["model=\"student-fr-en\"} 1", "model=\"student-de-en\"} 1"];
    assert_eq!(loaded(&serving), both);
    let languages = serving.get("/languages").expect(200);
    assert!(languages.as_array().unwrap().iter().any(|language| language["code"] == "fr"));

    // One that nobody uses goes, and comes back the same.
    for flags in [format!("{flags} --keep-loaded 0"), format!("{flags} --model-memory 0")] {
        let serving = Serving::start_in(sandbox(&models, []), &flags, &[]);
        for _ in 0..2 {
            assert_eq!(ask(&serving, "fr", FRENCH), first);
            wait_until("the model goes", || loaded(&serving).is_empty());
        }
        assert!(serving.said().contains("student-fr-en is not used"), "{}", serving.said());
    }
}
