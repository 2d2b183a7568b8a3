//! Entry points for fuzzing: each reader of foreign bytes, fed from memory. Not a part of the API.

use super::sentencepiece::SentencePiece;
use super::sentencepiece::charsmap::Charsmap;
use super::sentencepiece::model_file::Spm;

/// A SentencePiece model (`*.spm`, `spiece.model`), and a text through what it holds.
pub fn sentencepiece(bytes: &[u8]) {
    if let Ok(model) = Spm::parse(bytes)
        .map_err(|_| ())
        .and_then(|spm| SentencePiece::new(spm, "fuzz.spm").map_err(|_| ()))
    {
        let text = "Ein Ｔｅｘｔ, nicht lang. \u{fdfa} 北京";
        let pieces = model.encode(text);
        let _ = model.decode(pieces.iter().map(AsRef::as_ref));
    }
}

/// A table of replacements (`precompiled_charsmap`), and a text through it.
pub fn charsmap(bytes: &[u8]) {
    if let Ok(map) = Charsmap::new(bytes) {
        let text = "Ｔｅｘｔ e\u{301} \u{fdfa}\u{10ffff}";
        for (at, _) in text.char_indices() {
            let _ = map.longest(&text[at..]);
        }
    }
}
