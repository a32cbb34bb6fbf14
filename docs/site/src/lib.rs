//! Makes the user's guide a static site: Markdown and the compiler's own tables in, pages without scripts out.

pub mod blocks;
mod book;
mod commands;
mod drawing;
mod finesse;
mod highlight;
mod layout;
mod operations;
mod page;
mod reference;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

pub use book::{Book, Chapter};

/// Every file of the site by its path: the pages of the guide below `docs`, those that are generated, and the style.
///
/// # Errors
/// Where a file that the summary or a page names cannot be read.
pub fn site(docs: &Path) -> io::Result<BTreeMap<String, String>> {
    let book = Book::read(docs)?;
    let mut files = BTreeMap::from([("style.css".to_owned(), layout::STYLE.to_owned())]);
    for (number, chapter) in book.chapters.iter().enumerate() {
        let body = page::html(&chapter.path, &chapter.text);
        files.insert(page::address(&chapter.path), layout::frame(&book, number, &body));
    }
    Ok(files)
}
