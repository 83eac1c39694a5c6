//! The page of what is supported is that of the registry.

#![expect(
    clippy::disallowed_methods,
    reason = "a variable asks for the page to be written"
)]

use std::path::Path;

use double11_jmx::registry;

#[test]
fn support_page() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/JMX-SUPPORT.md");
    let page = registry::support_page();
    if std::env::var("DOUBLE11_WRITE_JMX_SUPPORT").is_ok() {
        std::fs::write(&file, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(
        kept == page,
        "docs/JMX-SUPPORT.md is not that of the registry; write it with \
         DOUBLE11_WRITE_JMX_SUPPORT=1 cargo test --release -p double11-jmx support_page"
    );
}
