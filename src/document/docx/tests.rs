use super::super::package::tests::{pack, unpack};
use super::*;
use crate::types::{BlockKind, Lang, Marked};

const TYPES: &str = "<Types><Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";

fn docx(body: &str) -> Vec<u8> {
    let document = format!(
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}</w:body></w:document>"
    );
    let parts: [(&str, &[u8]); 3] = [
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/vbaProject.bin", b"macro"),
    ];
    pack(&parts)
}

fn texts(body: &str) -> Vec<(BlockKind, String)> {
    let blocks = DOCX.read(&docx(body), &Settings::default()).unwrap();
    let marked = |b: Block| (b.kind, Marked { text: b.text, inline: b.inline }.to_markup());
    blocks.into_iter().map(marked).collect()
}

fn upper(body: &str, append: bool, to: &str) -> String {
    let settings = Settings { to: Lang::parse(to), ..Settings::default() };
    let out = (DOCX.rewrite)(&docx(body), &settings, &mut |block| {
        let new = Marked { text: block.text.to_uppercase(), inline: block.inline };
        Ok(if append { Edit::Append(new) } else { Edit::Replace(new) })
    });
    let out = out.unwrap();
    assert_eq!(unpack(&out, "word/vbaProject.bin"), "macro");
    let out = unpack(&out, "word/document.xml");
    let body = out.split_once("<w:body>").unwrap().1;
    body.split_once("</w:body>").unwrap().0.to_string()
}

const PARAGRAPH: &str = "<w:p w:rsidR=\"1\"><w:r w:rsidR=\"2\"><w:t>The ri</w:t></w:r><w:proofErr w:type=\"spellStart\"/><w:r><w:rPr><w:lang w:val=\"en-US\"/></w:rPr><w:t xml:space=\"preserve\">ver </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>rose</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:t>.</w:t></w:r></w:p>";

#[test]
fn words_are_whole_and_formats_are_tags() {
    assert_eq!(texts(PARAGRAPH), [(BlockKind::Paragraph, "The river <1>rose<2/></1>.".into())]);
    let field = "<w:p><w:r><w:t xml:space=\"preserve\">Page </w:t></w:r><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText> DATE </w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>May 4</w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r><w:r><w:t>, late</w:t></w:r></w:p>";
    assert_eq!(texts(field), [(BlockKind::Paragraph, "Page <1>May 4</1>, late".into())]);
}

#[test]
fn replaced_and_appended() {
    assert_eq!(
        upper(PARAGRAPH, false, "ar"),
        "<w:p w:rsidR=\"1\"><w:pPr><w:bidi/></w:pPr><w:r><w:rPr><w:rtl/><w:lang w:bidi=\"ar\"/></w:rPr><w:t xml:space=\"preserve\">THE RIVER </w:t></w:r><w:r><w:rPr><w:b/><w:rtl/><w:lang w:bidi=\"ar\"/></w:rPr><w:t>ROSE</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:rPr><w:rtl/><w:lang w:bidi=\"ar\"/></w:rPr><w:t>.</w:t></w:r></w:p>"
    );
    let both = upper(PARAGRAPH, true, "de");
    assert!(
        both.starts_with(&format!("{PARAGRAPH}<w:p><w:r>")) && both.matches("<w:del>").count() == 1
    );
    assert_eq!(DOCX.write(&docx(PARAGRAPH), &Settings::default(), []).unwrap(), docx(PARAGRAPH));
}

#[test]
fn hostile_documents_are_refused() {
    let laughs = "<!DOCTYPE a [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><a>&b;</a>";
    let nested = format!("{}{}", "<w:p><w:r><w:x>".repeat(40), "</w:x></w:r></w:p>".repeat(40));
    for document in [laughs, "<a>", "\0\0", &nested, ""] {
        let parts: [(&str, &[u8]); 2] =
            [("[Content_Types].xml", TYPES.as_bytes()), ("word/document.xml", document.as_bytes())];
        assert!(DOCX.read(&pack(&parts), &Settings::default()).is_err());
    }
    let error = DOCX.read(&pack(&[("a", b"")]), &Settings::default()).unwrap_err();
    assert!(error.to_string().contains("found no [Content_Types].xml"));
    let error = DOCX.read(&pack(&[("[Content_Types].xml", b"<Types/>")]), &Settings::default());
    assert!(error.unwrap_err().to_string().contains("found another kind of document"));
}
