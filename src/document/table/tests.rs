use super::super::{Edit, Settings};
use super::CSV;
use crate::types::{Lang, Marked};
use proptest::prelude::*;

fn settings(columns: &[&str]) -> Settings {
    Settings {
        columns: columns.iter().map(ToString::to_string).collect(),
        to: Lang::parse("en"),
        ..Settings::default()
    }
}

fn texts(text: &str, columns: &[&str]) -> Vec<String> {
    let blocks = CSV.read(text.as_bytes(), &settings(columns)).unwrap();
    blocks.into_iter().map(|block| block.text).collect()
}

fn edited(text: &str, columns: &[&str], edit: fn(&str) -> Edit) -> String {
    let edits: Vec<Edit> = texts(text, columns).iter().map(|text| edit(text)).collect();
    String::from_utf8(CSV.write(text.as_bytes(), &settings(columns), edits).unwrap()).unwrap()
}

fn shout(text: &str) -> Edit {
    Edit::Replace(Marked::plain(text.to_uppercase()))
}

const NEWS: &str = "id,title,text,url,lang\r\n7,\"Brücke zu\",\"Die Brücke ist zu, sagt er.\r\nAb \
    Montag.\",https://x.org/a,de\r\n8, Regen ,Es regnet \"stark\".,https://x.org/b,de\r\n";

#[test]
fn columns_of_text_are_found_or_named() {
    assert_eq!(
        texts(NEWS, &[]),
        ["Brücke zu", "Die Brücke ist zu, sagt er.", "Ab Montag.", "Regen", "Es regnet \"stark\"."]
    );
    assert_eq!(texts(NEWS, &["title"]), ["Brücke zu", "Regen"]);
    assert_eq!(texts(NEWS, &["2", "LANG"]), ["Brücke zu", "de", "Regen", "de"]);
    let error = CSV.read(NEWS.as_bytes(), &settings(&["body"])).unwrap_err().to_string();
    assert!(error.contains("id, title, text"), "{error}");
    // Without names.
    assert_eq!(texts("1;Guten Tag\n2;Es regnet.\n", &[]), ["Guten Tag", "Es regnet."]);
    assert_eq!(
        texts("Guten Tag\nEs regnet, sagt er.\n", &[]),
        ["Guten Tag", "Es regnet, sagt er."]
    );
}

#[test]
fn cells_are_replaced_and_the_rest_stays() {
    assert_eq!(
        edited(NEWS, &["text"], shout),
        NEWS.replace("Die Brücke ist zu, sagt er.", "DIE BRÜCKE IST ZU, SAGT ER.")
            .replace("Ab Montag.", "AB MONTAG.")
            .replace("Es regnet \"stark\".", "\"ES REGNET \"\"STARK\"\".\"")
    );
    assert_eq!(
        edited(NEWS, &["title"], shout),
        NEWS.replace("Brücke zu\"", "BRÜCKE ZU\"").replace(" Regen ", "\" REGEN \"")
    );
    assert_eq!(edited(NEWS, &[], |_| Edit::Keep), NEWS);
}

#[test]
fn two_languages_have_columns_beside_each_other() {
    let text = "id;title\n1;Regen\n2;Schnee, viel\n3;\n";
    let beside = |text: &str| Edit::Append(Marked::plain(text.to_uppercase()));
    assert_eq!(
        edited(text, &["title"], beside),
        "id;title;title (en)\n1;Regen;REGEN\n2;Schnee, viel;SCHNEE, VIEL\n3;;\n"
    );
}

#[test]
fn encodings_and_marks() {
    let text = "id;text\r\n1;Größe über alles hier\r\n2;Straße nach Köln gesperrt\r\n";
    let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(text);
    let write = |new: &str| {
        let edits = [Edit::Replace(Marked::plain(new))];
        CSV.write(&bytes, &settings(&["text"]), edits).unwrap()
    };
    let expected = text.replace("Größe über alles hier", "très chaud");
    assert_eq!(write("très chaud"), encoding_rs::WINDOWS_1252.encode(&expected).0.into_owned());
    // A spreadsheet tells UTF-8 by its mark.
    let expected = text.replace("Größe über alles hier", "Привет");
    assert_eq!(String::from_utf8(write("Привет")).unwrap(), format!("\u{FEFF}{expected}"));
}

#[test]
fn broken_tables() {
    for text in ["a,b\n1,\"open\n2,x\n", "a;b\n1;2\n3;4\n5;\"6\n"] {
        let error = CSV.read(text.as_bytes(), &settings(&[]));
        assert!(error.is_err_and(|e| e.to_string().contains("quote")), "{text}");
    }
    assert!(CSV.read(&[0, 1, 2, 3, 4, 5, 6, 7], &settings(&[])).is_err());
    assert!(texts("", &[]).is_empty());
    assert!(texts("\n\n\n", &[]).is_empty());
    // A row of a million cells, and a million rows.
    assert!(texts(&"1,".repeat(1_000_000), &[]).is_empty());
    assert!(texts(&"1,2\n".repeat(300_000), &[]).is_empty());
}

proptest! {
    #[test]
    fn whatever_a_cell_holds_comes_through(
        rows in prop::collection::vec(prop::collection::vec("[a-zé \",;\t\n|\\\\]{0,12}", 3), 1..8),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
    ) {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        // Without this line, a few cells may look as if another delimiter was meant.
        let mut text = format!("sep={delimiter}\n");
        for row in &rows {
            let cells: Vec<String> = row.iter().map(quoted).collect();
            text.push_str(&cells.join(&delimiter.to_string()));
            text.push('\n');
        }
        // In files with tabs a quotation mark may be one of the text; such a cell has two ends
        // then.
        let columns: &[&str] = if delimiter == '\t' { &[] } else { &["1", "2", "3"] };
        let lines = |cell: &str| -> Vec<String> {
            cell.split(['\n', '\r']).map(|l| l.trim().to_string())
                .filter(|l| l.contains(char::is_alphabetic)).collect()
        };
        let expected: Vec<String> = rows.iter().flatten().flat_map(|cell| lines(cell)).collect();
        prop_assert!(delimiter == '\t' || texts(&text, columns) == expected || columns_named(&rows));
        prop_assert_eq!(edited(&text, columns, |_| Edit::Keep), text.clone());
        // Names of columns stay.
        if delimiter != '\t' && !columns_named(&rows) {
            prop_assert_eq!(edited(&text, columns, shout), text.to_uppercase().replace("SEP=", "sep="));
        }
    }
}

/// Whether the first row may be taken for names.
fn columns_named(rows: &[Vec<String>]) -> bool {
    rows[0].iter().all(|cell| !cell.trim().is_empty())
}
