//! The book's page on settings is the table of settings. `UPDATE_BOOK=1 cargo test -p
//! quivive-config --test book` writes it anew.

use std::path::Path;

#[test]
fn the_books_page_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = quivive_config::reference_markdown();
    if std::env::var_os("UPDATE_BOOK").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == page, "docs/configuration.md differs from the table; see this test's head");
}
