//! The fenced blocks of a page, for the tests that execute them.

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The line of the page where it starts, from 1.
    pub line: usize,
    /// What stands behind the backquotes: `topo fragment in=broker`.
    pub info: String,
    /// What is in it.
    pub text: String,
}

/// Every fenced block, in order.
#[must_use]
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(page.lines());
    while let Some((line, text)) = lines.next() {
        let Some(info) = text.strip_prefix("```") else { continue };
        let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let text = body.map(|line| format!("{line}\n")).collect();
        blocks.push(Block { line, info: info.to_owned(), text });
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_with_their_line_and_info() {
        let found = blocks("a\n```topo fragment\nx = 1\n\ny = 2\n```\nb\n```\nplain\n```\n");
        let seen: Vec<_> = found.iter().map(|b| (b.line, b.info.as_str(), b.text.as_str())).collect();
        assert_eq!(seen, [(2, "topo fragment", "x = 1\n\ny = 2\n"), (8, "", "plain\n")]);
    }
}
