//! The cells of tables that pages show: texts of their own, each in its place. Until a page is
//! cleaned its tables are wholes, of which nothing can be dropped.

use crate::text::protect;
use crate::types::{Block, BlockKind, Notation};

/// Blocks with the cells of tables in the place of the tables.
pub(super) fn divided(blocks: Vec<Block>) -> Vec<Block> {
    blocks
        .into_iter()
        .flat_map(|block| if is_table(&block) { cells(block) } else { vec![block] })
        .collect()
}

fn is_table(block: &Block) -> bool {
    let mut lines = block.text.lines();
    block.kind == BlockKind::Verbatim
        && block.prefix.is_empty()
        && lines.next().is_some_and(|line| line.starts_with("| "))
        && lines.next().is_some_and(is_rule)
}

fn is_rule(line: &str) -> bool {
    line.starts_with("| ---") && line.chars().all(|c| matches!(c, '|' | '-' | ' '))
}

/// The cells with words; what stands around them goes with the next one, or with the last.
fn cells(table: Block) -> Vec<Block> {
    let (mut cells, mut lead): (Vec<Block>, String) = Default::default();
    for line in table.text.split_inclusive('\n') {
        let row = line.trim_end_matches('\n');
        let inner = row.strip_prefix("| ").and_then(|row| row.strip_suffix(" |"));
        let Some(inner) = inner.filter(|_| !is_rule(row)) else {
            lead.push_str(line);
            continue;
        };
        for (number, written) in inner.split(" | ").enumerate() {
            lead.push_str(if number == 0 { "| " } else { " | " });
            let text = written.replace("\\|", "|");
            if !protect::is_translatable(&text) {
                lead.push_str(written);
                continue;
            }
            cells.push(Block {
                prefix: std::mem::take(&mut lead),
                original: (text != written).then(|| written.to_string()),
                text,
                notation: Notation::Cell,
                ..Block::default()
            });
        }
        lead.push_str(" |");
        lead.push_str(&line[row.len()..]);
    }
    match cells.last_mut() {
        Some(last) => last.suffix = lead + &table.suffix,
        None => return vec![table],
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_its_cells() {
        let text = "| Name | Count |\n| --- | --- |\n| North \\| east | 12 |\n|  | 13 |";
        let kind = BlockKind::Verbatim;
        let table = Block { kind, text: text.into(), suffix: "\n\n".into(), ..Block::default() };
        let cells = divided(vec![table]);
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        assert_eq!(texts, ["Name", "Count", "North | east"]);
        let whole: String =
            cells.iter().map(|b| format!("{}{}{}", b.prefix, b.written(), b.suffix)).collect();
        assert_eq!(whole, format!("{text}\n\n"));
        for other in ["| 1 | 2 |\n| --- | --- |\n| 3 | 4 |", "let a | b;", "| a"] {
            let block = Block { kind, text: other.into(), ..Block::default() };
            assert_eq!(divided(vec![block.clone()]), [block]);
        }
    }
}
