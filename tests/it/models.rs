//! `polygist models` as a user runs it: choosing from the catalog, fetching from a Hub of our own.

use crate::common::{Outcome, Sandbox};
use crate::hub::{Repositories, content};
use serde_json::Value;

fn run(sandbox: &Sandbox, line: &str) -> Outcome {
    sandbox.run(&format!("models {line} --offline")).expect(0, &[])
}

/// The names of a table, in its order.
fn names(table: &str) -> Vec<&str> {
    table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn models_are_listed_for_a_task_and_languages_the_best_first() {
    let sandbox = Sandbox::new();
    let all = run(&sandbox, "list").stdout;
    assert_eq!(names(&all)[0], "gemma-3-270m-news", "the starter stands first\n{all}");
    assert!(all.contains("opus-mt-fr-en"));
    assert!(names(&all).len() > 30);
    // Columns stand below their heads.
    let at = |line: &str, word: &str| line.find(word).map(|i| line[..i].chars().count());
    let head = all.lines().next().unwrap();
    for (model, licence) in [
        ("nllb-200-distilled-600M", "CC-BY-NC-4.0 (non-commercial)"),
        ("m2m100_418M", "MIT"),
        ("gemma-3-270m", "Gemma"),
    ] {
        let line = all.lines().find(|line| line.starts_with(model)).unwrap();
        assert_eq!(at(line, licence), at(head, "LICENCE"), "{line}");
    }
    let line = all.lines().find(|line| line.starts_with("opus-mt-fr-en")).unwrap();
    assert!(line.contains("fr → en"), "{line}");
    assert!(line.contains("about 300 MB"), "{line}");
    assert!(line.ends_with('-'), "{line}");

    let french = run(&sandbox, "list --task translate --from fr --to en").stdout;
    assert_eq!(names(&french)[0], "opus-mt-fr-en");
    assert!(!french.contains("opus-mt-de-en"), "{french}");
    assert!(!french.contains("bart-large-cnn"), "{french}");
    let summaries = run(&sandbox, "list --task summarize --from uk").stdout;
    for one in ["mT5_multilingual_XLSum", "Qwen3-1.7B", "qwen2.5-coder-1.5b-instruct"] {
        assert!(names(&summaries).contains(&one), "{summaries}");
    }
    assert!(!summaries.contains("bart-large-cnn"), "{summaries}");
    let none = run(&sandbox, "list --task translate --to en --installed");
    assert!(names(&none.stdout).is_empty(), "{}", none.stderr);
    assert!(none.stderr.contains("no model fits"), "{}", none.stderr);
    sandbox.run("models list --from klingon").expect(1, &["klingon", "not a language code"]);
}

#[test]
fn the_list_can_be_read_by_programs() {
    let sandbox = Sandbox::new();
    let lines = run(&sandbox, "list --format json").stdout;
    let models: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |id: &str| {
        models.iter().find(|m| m["id"] == id).unwrap_or_else(|| panic!("{id} is not listed"))
    };
    let nllb = find("nllb-200-distilled-600M");
    assert_eq!(
        (&nllb["licence"]["non_commercial"], &nllb["bytes_are_exact"], &nllb["state"]),
        (&true.into(), &false.into(), &"absent".into())
    );
    assert!(nllb["from"].as_array().unwrap().len() > 180);
    assert_eq!(nllb["repo"], "facebook/nllb-200-distilled-600M");
    assert_eq!(find("opus-mt-fr-en")["to"], serde_json::json!(["en"]));
    assert!(find("pegasus-xsum")["licence"]["non_commercial"].is_null());
    assert_eq!(
        (&find("gemma-3-270m")["bytes"], &find("gemma-3-270m")["bytes_are_exact"]),
        (&253_113_024u64.into(), &true.into())
    );
}

#[test]
fn a_model_of_the_catalog_is_pulled_from_the_hub_shown_verified_and_deleted() {
    let sandbox = Sandbox::new();
    let (weights, commit) = (content(30_000), "f".repeat(40));
    let mut hub = Repositories::default();
    let files: &[(&str, &[u8])] = &[
        ("config.json", b"{\"model_type\":\"marian\"}"),
        ("source.spm", b"s"),
        ("target.spm", b"t"),
        ("vocab.json", b"{}"),
        ("pytorch_model.bin", &weights),
        ("tf_model.h5", b"x"),
    ];
    hub.add("Helsinki-NLP/opus-mt-fr-en", "main", &commit, "apache-2.0", files);
    let server = hub.serve();
    let pull = |name: &str| {
        let mut command = sandbox.command(&format!("models pull {name}"));
        command.env("HF_ENDPOINT", &server.url).env("HF_HUB_CACHE", sandbox.path("hub"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let info = run(&sandbox, "info opus-mt-fr-en").stdout;
    for part in [
        "from          fr\n",
        "to            en\n",
        "about 300 MB",
        "Apache-2.0",
        "Hub Helsinki-NLP/opus-mt-fr-en",
        "models pull opus-mt-fr-en",
    ] {
        assert!(info.contains(part), "{part}: {info}");
    }
    assert!(pull("opus-mt-fr-en").contains("Helsinki-NLP--opus-mt-fr-en"));
    let asked = server.log().len();
    pull("Helsinki-NLP/opus-mt-fr-en");
    assert_eq!(server.log().len(), asked, "it was fetched twice");

    let installed = run(&sandbox, "list --installed").stdout;
    assert_eq!(names(&installed), ["opus-mt-fr-en"]);
    assert!(installed.contains("installed"), "{installed}");
    assert!(!installed.contains("about"), "{installed}");
    for name in ["opus-mt-fr-en", "Helsinki-NLP/opus-mt-fr-en"] {
        let info = run(&sandbox, &format!("info {name}")).stdout;
        assert!(info.contains("installed in"), "{info}");
        assert!(
            info.contains(&format!("Helsinki-NLP/opus-mt-fr-en@{commit}, source.spm")),
            "{info}"
        );
        assert!(info.contains(&crate::hub::sha256(&weights)), "{info}");
        assert!(info.contains("fr\n"), "{info}");
        assert!(run(&sandbox, &format!("verify {name}")).stdout.contains("ok"));
    }
    run(&sandbox, "rm opus-mt-fr-en");
    assert!(names(&run(&sandbox, "list --installed").stdout).is_empty());
}
