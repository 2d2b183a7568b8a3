//! The first minutes: what somebody types who has never used the program, and what sets it up.

use crate::common::{FRENCH, Sandbox, TRANSLATOR, parse};
use crate::hub::{Reply, Server};
use serde_json::Value;
use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// The findings of `doctor`, each with its health.
fn findings(json: &str) -> Vec<(String, String)> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_string();
    let lines = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|finding| (text(&finding, "what"), text(&finding, "health"))).collect()
}

#[test]
fn nothing_is_answered_with_what_to_do() {
    let sandbox = Sandbox::new();
    let said = sandbox.run("").expect(0, &[]).stdout;
    for part in ["polygist batch articles --to en --out results", "doctor", "no models here yet"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 100), "{said}");
    // A misspelt command is one still.
    sandbox.run("translte a.txt").expect(1, &["'translate'"]);
}

#[test]
fn a_text_is_translated_without_a_file() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", FRENCH);
    let of_file = sandbox.run(&format!("translate a.txt --to en --from fr {TRANSLATOR}"));
    let expected = of_file.expect(0, &[]).stdout;
    // Words without quotes, with and without the command.
    let words = FRENCH.trim();
    for command in ["translate ", ""] {
        let line = format!("{command}{words} --to en --from fr {TRANSLATOR}");
        let found = sandbox.run(&line).expect(0, &["<argument>"]);
        assert_eq!(found.stdout, expected);
    }
    let mut command = sandbox.command(&format!("translate --to en --from fr {TRANSLATOR}"));
    let output = command.arg(words).arg("a.txt").output().unwrap();
    let both = String::from_utf8(output.stdout).unwrap();
    assert!(
        both.starts_with("==> <argument> <==\n") && both.contains("\n==> a.txt <==\n"),
        "{both}"
    );
    let json = sandbox
        .run(&format!("translate {words} --format json --to en --from fr {TRANSLATOR}"))
        .expect(0, &[]);
    let record = &parse(&json.stdout)[0];
    assert_eq!((&*record.id, &*record.source.path), ("<argument>", "<argument>"));

    // One word may be a file that was forgotten, which is said.
    let line = format!("translate Rivière --to en --from fr {TRANSLATOR}");
    sandbox.run(&line).expect(0, &["no file is named Rivière: it is taken as text"]);
    for missing in ["no/such", "missing.txt", "missing.html.gz"] {
        let line = format!("translate {missing} --to en --from fr {TRANSLATOR}");
        sandbox.run(&line).expect(1, &[missing, "No such file"]);
    }
}

#[test]
fn the_system_says_into_which_language_where_nobody_does() {
    let sandbox = Sandbox::new();
    let line = format!("La ville a fermé son pont. --from fr {TRANSLATOR} --format json");
    let into = |locale: &str| {
        let variables = [("LC_ALL", locale.to_string()), ("LANG", String::new())];
        let said = sandbox.run_in(&line, &variables).expect(0, &[]).stdout;
        parse(&said)[0].translation.as_ref().unwrap().language.to_string()
    };
    assert_eq!(into("de_DE.UTF-8"), "de");
    assert_eq!(into("C"), "en");
    // Scripts say it.
    let variables = [("LC_ALL", "de_DE.UTF-8".to_string())];
    sandbox.run_in(&format!("translate {line}"), &variables).expect(1, &["--to"]);
}

#[test]
fn a_page_is_fetched() {
    let article = "<html><head><title>La crue</title></head><body><article><h1>La crue</h1>\
        <p>La rivière est montée de 40 centimètres lundi, après trois jours de pluie.</p>\
        <p>La ville a fermé son plus vieux pont, qui date de 1742.</p></article></body></html>";
    let latin: Vec<u8> = article.chars().map(|c| c as u8).collect();
    let server = Server::start(move |request| match request.path.as_str() {
        "/old" => Reply::redirect("/news?id=7"),
        "/news?id=7" => Reply {
            headers: vec![("Content-Type".into(), "text/html; charset=iso-8859-1".into())],
            ..Reply::file(&latin, request)
        },
        "/denied" => Reply::status(403),
        _ => Reply::status(404),
    });
    let sandbox = Sandbox::new();
    let model = TRANSLATOR.replace("--offline ", "");
    let address = format!("{}/old", server.url);
    let line = format!("translate {address} --to en --from fr --format json {model}");
    let records = parse(&sandbox.run(&line).expect(0, &[]).stdout);
    assert_eq!((&*records[0].id, &*records[0].source.path), (&*address, &*address));
    let found = sandbox.run(&format!("detect {address}")).expect(0, &[]).stdout;
    assert!(found.starts_with("fr\t"), "{found}");
    let summary = sandbox.run(&format!("summarize {address} --length 1s --output s.txt"));
    assert_eq!(summary.expect(0, &[]).stdout, "");
    assert!(sandbox.read("s.txt").contains("rivière est montée"), "{}", sandbox.read("s.txt"));

    for (path, says) in [("/denied", "save the page"), ("/none", "404")] {
        let line = format!("translate {}{path} --to en {model}", server.url);
        sandbox.run(&line).expect(1, &[says, path]);
    }
    let line = format!("translate {address} --to en {TRANSLATOR}");
    sandbox.run(&line).expect(1, &["--offline opens no connection"]);
    let line = format!("detect {address} --max-bytes 100");
    sandbox.run(&line).expect(1, &["longer than"]);
}

#[test]
fn the_doctor_says_what_is_in_the_way() {
    let sandbox = Sandbox::new();
    let said = sandbox.run("doctor --offline").expect(0, &[]).stdout;
    for part in ["processor", "cores", "not wanted (--offline)", "sentences a second"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(said.ends_with("nothing is in the way\n"), "{said}");
    let healthy = findings(&sandbox.run("doctor --offline --format json").expect(0, &[]).stdout);
    assert!(healthy.iter().all(|(_, health)| health != "fault"), "{healthy:?}");

    // A model that is not whole, a folder that is none, a configuration that cannot be read.
    fs::create_dir_all(sandbox.path("cache/models/some-model")).unwrap();
    sandbox.write("cache/models/some-model/manifest.json", "{");
    let broken = findings(&sandbox.run("doctor --offline --format json").expect(0, &[]).stdout);
    assert!(broken.contains(&("models".into(), "note".into())), "{broken:?}");
    let said = sandbox.run("doctor --offline").expect(0, &[]).stdout;
    assert!(said.contains("polygist models rm some-model"), "{said}");
    sandbox.write("a-file", "");
    let line = "doctor --offline --cache-dir a-file/cache";
    let said = sandbox.run(line).expect(1, &[]).stdout;
    assert!(said.contains("!! cache") && said.contains("-> name another"), "{said}");
    sandbox.write("wrong.toml", "langauge = 'en'");
    let said = sandbox.run("doctor --offline --config wrong.toml").expect(1, &[]).stdout;
    assert!(said.contains("!! configuration") && said.contains("langauge"), "{said}");
}

#[test]
fn the_doctor_asks_the_places_of_models() {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/models?limit=1" => Reply::json("[]"),
        _ => Reply::status(503),
    });
    let sandbox = Sandbox::new();
    let variables = [
        ("HF_ENDPOINT", server.url.clone()),
        ("POLYGIST_FIREFOX_MODELS", format!("{}/firefox", server.url)),
    ];
    let said = sandbox.run_in("doctor --format json", &variables).expect(0, &[]).stdout;
    let found = findings(&said);
    assert!(found.contains(&("Hugging Face Hub".into(), "good".into())), "{said}");
    assert!(found.contains(&("Firefox's models".into(), "note".into())), "{said}");
    assert!(said.contains("503"), "{said}");
}

#[test]
fn a_configuration_is_written_and_read() {
    let sandbox = Sandbox::new();
    sandbox.run("init").expect(0, &["config.toml is written"]);
    let place = sandbox.path("home/polygist/config.toml");
    assert!(fs::read_to_string(&place).unwrap().contains("#to = \"en\""));
    sandbox.run("init").expect(1, &["is there already", "--force"]);
    fs::write(&place, "to = 'nonsense'").unwrap();
    sandbox.run("doctor --offline --quiet").expect(1, &[]);
    // A configuration that is wrong is no reason not to write one.
    sandbox.run("init --force").expect(0, &[]);
    sandbox.write("a.txt", FRENCH);
    let line = format!("translate a.txt --from fr {TRANSLATOR}");
    sandbox.run(&line).expect(1, &["--to"]);
    fs::write(&place, fs::read_to_string(&place).unwrap().replace("#to =", "to =")).unwrap();
    sandbox.run(&line).expect(0, &[]);
}

#[test]
fn shells_and_manuals_know_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = sandbox.run(&format!("completions {shell}")).expect(0, &[]).stdout;
        for word in ["translate", "summarize", "completions", "summary-model"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let page = sandbox.run("man").expect(0, &[]).stdout;
    assert!(page.starts_with(".ie") && page.contains("polygist\\-batch"), "{page}");
    sandbox.run("man pages").expect(0, &[]);
    let pages = sandbox.files("pages");
    for name in ["polygist.1", "polygist-translate.1", "polygist-models-pull.1"] {
        assert!(pages.contains_key(name), "{pages:?}");
    }
}

/// A child that is ended with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_folder_is_watched() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.txt", FRENCH);
    let line = format!("batch in --from fr --to en --out out --watch --extractive {TRANSLATOR}");
    let mut command = sandbox.command(&line);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    sandbox.wait_for_records("out", 1);
    // One comes under another name, as good programs write, and one grows slowly.
    sandbox.write("b.part", "Le train de Paris est arrivé à midi.\n");
    fs::rename(sandbox.path("b.part"), sandbox.path("in/b.txt")).unwrap();
    sandbox.write("in/c.txt", "La ville a ");
    std::thread::sleep(Duration::from_millis(300));
    sandbox.write("in/c.txt", "La ville a fermé son pont mardi.\n");
    sandbox.wait_for_records("out", 3);
    let records = sandbox.records("out");
    let grown = records.iter().find(|record| record.id == "c.txt").unwrap();
    assert_eq!(grown.source.bytes, "La ville a fermé son pont mardi.\n".len() as u64);
    assert!(running.0.try_wait().unwrap().is_none());
    #[cfg(unix)]
    {
        let pid = running.0.id().to_string();
        std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        let begun = Instant::now();
        while running.0.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(running.0.wait().unwrap().code(), Some(143));
    }
    sandbox.run(&format!("{line} --dry-run")).expect(1, &["cannot be used with"]);
    sandbox.run(&line.replace(" in ", " - ")).expect(1, &["--watch is for files"]);
}
