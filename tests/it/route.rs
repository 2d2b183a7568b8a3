//! `--model auto` as a user meets it: a catalog of tiny models whose text is nonsense, in a folder
//! of its own, without network.

use crate::common::{ENGLISH, FRENCH, GERMAN, SPANISH, Sandbox, fixture};
use polygist::types::Status;
use polygist::{ModelStore, Translator};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// A file of an entry, which is to be had from another file.
fn file(path: &str, from: &Path) -> String {
    let bytes = fs::read(from).unwrap();
    format!(
        "[[model.file]]\npath='{path}'\nsize={}\nsha256='{}'\n\
         [[model.file.source]]\nkind='folder'\npath='{}'\n",
        bytes.len(),
        Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        from.display()
    )
}

fn entry(id: &str, more: &str, files: &[String]) -> String {
    format!(
        "[[model]]\nid='{id}'\nname='{id}'\ntasks=['translate']\n{more}\n\
         licence={{name='MIT',url='u'}}\n{}",
        files.concat()
    )
}

/// The model for all languages, which is shown examples.
pub fn starter() -> String {
    entry(
        "small",
        "languages=['mul']\narchitecture='llama'\nprompt='few-shot'\nquality=1",
        &[file("model.gguf", &fixture("models/llama/model.gguf"))],
    )
}

/// A student of one pair, with random weights.
pub fn student(from: &str, to: &str) -> String {
    let source = |name: &str| fixture(&format!("bergamot/firefox/{name}.spm"));
    let files = [
        file(
            &format!("model.{from}{to}.intgemm.alphas.bin"),
            &fixture("bergamot/firefox/model.enfr.intgemm.alphas.bin"),
        ),
        file(&format!("srcvocab.{from}{to}.spm"), &source("srcvocab.enfr")),
        file(&format!("trgvocab.{from}{to}.spm"), &source("trgvocab.enfr")),
    ];
    let more = format!("from=['{from}']\nto=['{to}']\narchitecture='marian-student'\nquality=4");
    entry(&format!("student-{from}-{to}"), &more, &files)
}

/// A sandbox whose user has these models in a catalog of their own, and these articles.
pub fn sandbox<const N: usize>(models: &[String], articles: [(&str, &str); N]) -> Sandbox {
    let sandbox = Sandbox::with(articles);
    sandbox.write("home/polygist/models.toml", models.concat());
    sandbox
}

const BATCH: &str = "batch in --out out --offline --tasks translate --max-tokens 8";

#[test]
fn each_pair_goes_to_its_best_model_and_the_rest_to_the_starter() {
    let models = [starter(), student("fr", "en"), student("de", "en"), student("en", "fr")];
    let articles =
        [("in/a.txt", FRENCH), ("in/b.txt", GERMAN), ("in/c.txt", SPANISH), ("in/d.txt", ENGLISH)];
    let sandbox = sandbox(&models, articles);
    let run = sandbox.run(&format!("{BATCH} --to en --summary-model writer.gguf")).expect(
        0,
        &[
            "loading student-fr-en",
            "    1 fr → en        student-fr-en",
            "    1 es → en        small",
            "es → en: left to the starter (small), which is weak; better: `polygist models pull ",
        ],
    );
    assert!(!run.stderr.contains("student-en-fr"), "{}", run.stderr);
    let records = sandbox.records("out");
    let told: Vec<(&str, usize)> = records[..3]
        .iter()
        .map(|record| record.translation.as_ref().unwrap())
        .map(|translation| (translation.model.as_str(), translation.steps.len()))
        .collect();
    assert_eq!(told, [("student-fr-en", 1), ("student-de-en", 1), ("small", 1)]);
    assert!(records[3].translation.is_none() && records[3].status == Status::Ok);
    let why = &records[0].translation.as_ref().unwrap().steps[0].why;
    assert_eq!(why, "quality 4 of 5");
    let page = sandbox.read("out/a.txt.en.md");
    assert!(page.contains("Machine translation to en by student-fr-en"), "{page}");
    // By way of English, with two models.
    sandbox.run("translate --offline --to fr --max-tokens 8 --format json in/b.txt").expect(0, &[]);
    sandbox.run(&format!("{BATCH} --to fr")).expect(
        0,
        &[
            "    1 de → en → fr   student-de-en + student-en-fr",
            "    1 es → en → fr   small + student-en-fr",
        ],
    );
}

/// A machine that was given a student and nothing else does without a model for summaries.
#[test]
fn summaries_do_without_a_model_where_none_is_there() {
    let sandbox = sandbox(&[starter(), student("fr", "en")], [("in/a.txt", FRENCH)]);
    let line = "batch in --out out --offline --max-tokens 8 --to en";
    let auto = format!("{line} --summary-model auto");
    sandbox.run(&auto).expect(0, &["ranked by their words alone", "1 done"]);
    assert!(!sandbox.records("out")[0].summary.as_ref().unwrap().text.is_empty());
    // Who names it, wants it.
    sandbox
        .run(&format!("{line} --summary-model smollm2-135m-instruct"))
        .expect(1, &["model smollm2-135m-instruct: is not on this machine"]);
}

#[test]
fn what_is_done_stays_done_when_languages_come_and_no_model_is_opened_for_it() {
    let sandbox = sandbox(&[starter(), student("fr", "en")], [("in/a.txt", FRENCH)]);
    let run = |says: &str| sandbox.run(&format!("{BATCH} --to en")).expect(0, &[says]).stderr;
    let told = run("1 done; ");
    assert!(told.contains("loading student-fr-en") && !told.contains("small"), "{told}");
    assert!(!run("nothing to do, 1 done before").contains("loading"));
    sandbox.write("in/b.txt", GERMAN);
    let told = run("1 done, 1 done before");
    assert!(told.contains("loading small") && !told.contains("loading student"), "{told}");
    // A better model for one of them does that one again.
    let models = [starter(), student("fr", "en"), student("de", "en")];
    sandbox.write("home/polygist/models.toml", models.concat());
    let told = run("1 done, 1 done before");
    assert!(told.contains("loading student-de-en"), "{told}");
    // The same model by its name, or by another way, is the same.
    let named = format!("{BATCH} --to en --from fr --model student-fr-en");
    sandbox
        .run(&named.replace("in ", "in/a.txt ").replace("--out out", "--out two"))
        .expect(0, &[]);
    let auto = format!("{BATCH} --to en --from fr --model auto");
    let auto = auto.replace("in ", "in/a.txt ").replace("--out out", "--out two");
    sandbox.run(&auto).expect(0, &["nothing to do, 1 done before"]);
}

#[test]
fn a_configuration_names_models_for_pairs() {
    let models = [starter(), student("fr", "en")];
    let sandbox = sandbox(&models, [("in/a.txt", FRENCH), ("in/b.txt", SPANISH)]);
    let run = |config: &str, code: i32, says: &[&str]| {
        sandbox.write("config.toml", config);
        sandbox.run(&format!("{BATCH} --to en --config config.toml")).expect(code, says)
    };
    run("[route]\nfr-en = 'small'", 0, &["    1 fr → en        small"]);
    let steps = sandbox.records("out")[0].translation.as_ref().unwrap().steps.clone();
    assert_eq!(steps[0].why, "named for it in the configuration");
    run("[route]\nfr-en = 'nobody'", 1, &["model nobody: unknown"]);
    run("[route]\nfrench = 'small'", 1, &["\"french\" is not a pair of languages"]);
    run("preset = 'quick'", 1, &["preset = 'quick'", "fast"]);
    run("preset = 'fast'", 0, &["    1 fr → en        student-fr-en"]);
    sandbox.run(&format!("{BATCH} --to en --fast --best")).expect(1, &["cannot be used with"]);
    sandbox.run(&format!("{BATCH} --to en --model auto,small")).expect(1, &["auto stands alone"]);
}

#[test]
fn a_dry_run_tells_the_plan() {
    let models = [starter(), student("fr", "en"), student("en", "de")];
    let sandbox = sandbox(&models, [("in/a.txt", FRENCH), ("in/b.txt", GERMAN)]);
    let plan = |line: &str| sandbox.run(&format!("{BATCH} --dry-run {line}")).expect(0, &[]).stdout;
    let told = plan("--to en");
    for says in [
        "translation: de → en       1 article: small (",
        "MB to fetch; last resort: nothing else is here, or small enough to fetch unasked)",
        "translation: fr → en       1 article: student-fr-en (0 MB to fetch; quality 4 of 5)",
    ] {
        assert!(told.contains(says), "{says}\n{told}");
    }
    assert!(
        plan("--to de").contains(": student-fr-en (0 MB to fetch; quality 4 of 5), then student")
    );
    assert!(!sandbox.exists("out") && !sandbox.exists("cache/models/small"));
    sandbox.run(&format!("{BATCH} --to en")).expect(0, &[]);
    assert!(plan("--to en").contains("student-fr-en (installed; quality 4 of 5)"));
}

#[test]
fn a_better_model_for_a_passage_does_its_article_again() {
    let mixed = format!("{FRENCH}\n{FRENCH}\n\n{GERMAN}");
    let sandbox = sandbox(
        &[starter(), student("fr", "en")],
        [("in/a.txt", FRENCH), ("in/mixed.txt", mixed.as_str())],
    );
    let line = format!("{BATCH} --to en");
    sandbox.run(&line).expect(0, &["2 done"]);
    let passages: Vec<Vec<String>> = sandbox
        .records("out")
        .iter()
        .map(|record| record.passages.iter().map(ToString::to_string).collect())
        .collect();
    assert_eq!(passages, [vec![], vec!["de".to_string()]]);
    sandbox.run(&line).expect(0, &["nothing to do, 2 done before"]);
    let models = [starter(), student("fr", "en"), student("de", "en")];
    sandbox.write("home/polygist/models.toml", models.concat());
    sandbox.run(&line).expect(0, &["1 done, 1 done before"]);
    sandbox.run(&line).expect(0, &["nothing to do, 2 done before"]);
    // Another text under the same name is looked at again.
    sandbox.write("in/mixed.txt", FRENCH.repeat(2));
    sandbox.run(&line).expect(0, &["1 done, 1 done before"]);
    assert!(sandbox.records("out").iter().all(|record| record.passages.is_empty()));
}

#[test]
fn a_model_that_cannot_be_had_is_told_once_and_the_next_is_taken() {
    // Its file has gone.
    let gone = student("fr", "en").replace("srcvocab.enfr.spm", "gone.spm");
    let articles: Vec<(String, String)> =
        (0..3).map(|n| (format!("in/{n}.txt"), FRENCH.repeat(n + 1))).collect();
    let sandbox = sandbox(&[starter(), gone], []);
    articles.iter().for_each(|(name, text)| sandbox.write(name, text));
    let run = sandbox.run(&format!("{BATCH} --to en --jobs 1")).expect(0, &[
        "fr → en goes without student-fr-en, the best model for it, which could not be fetched (",
        "`polygist models pull student-fr-en`",
        "    3 fr → en        small",
    ]);
    assert_eq!(run.stderr.matches("goes without").count(), 1, "{}", run.stderr);
}

#[test]
fn without_any_model_each_article_says_so() {
    let sandbox = sandbox(&[student("fr", "en")], [("in/a.txt", FRENCH), ("in/b.txt", GERMAN)]);
    let run = sandbox.run(&format!("{BATCH} --to en"));
    // The program's own starter would do, were it here.
    let run = run.expect(2, &["b.txt: ", "gemma-3-270m-news", "--offline", "1 done, 1 failed"]);
    assert!(!run.stderr.contains(" a.txt"), "{}", run.stderr);
    let plan = sandbox.run(&format!("{BATCH} --to en --dry-run")).expect(2, &[]).stdout;
    assert!(
        plan.contains("gemma-3-270m-news (missing, and nothing is fetched with --offline"),
        "{plan}"
    );
    sandbox
        .run("translate --offline --to tlh --from fr in/a.txt")
        .expect(1, &["cannot translate into tlh (tlh); expected one of ar "]);
}

#[test]
fn an_imported_student_serves_the_pair_that_its_files_name() {
    let sandbox = sandbox(&[starter()], [("in/a.txt", ENGLISH)]);
    let folder = fixture("bergamot/firefox");
    sandbox.run(&format!("models import {} --name own", folder.display())).expect(0, &[]);
    let run = sandbox.run(&format!("{BATCH} --to fr")).expect(0, &["    1 en → fr        own"]);
    assert!(!run.stderr.contains("starter"), "{}", run.stderr);
    let steps = sandbox.records("out")[0].translation.as_ref().unwrap().steps.clone();
    assert_eq!(steps[0].why, "installed here");
}

#[test]
fn a_program_gets_the_same_choice() {
    let sandbox = sandbox(&[], []);
    sandbox.write("catalog.toml", [starter(), student("fr", "en")].concat());
    let store = ModelStore::builder()
        .folder(sandbox.path("cache"))
        .catalog(sandbox.path("catalog.toml"))
        .offline(true)
        .open()
        .unwrap();
    let translator = Translator::builder().store(store).build().unwrap();
    // Nothing is fetched before there is something to translate.
    assert!(!sandbox.exists("cache/models/student-fr-en"));
    let all = translator.translate("fr", "en", ["Le pont est fermé.", "42"]).unwrap();
    assert_eq!((all.len(), all[1].text.as_str()), (2, "42"));
    assert!(sandbox.exists("cache/models/student-fr-en") && !sandbox.exists("cache/models/small"));
    let error = translator.translate("qqq", "en", ["Le pont est fermé."]).unwrap_err().to_string();
    assert!(error.contains("no model that is here or is fetched unasked"), "{error}");
}
