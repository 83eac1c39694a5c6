//! Any text: parts that tell what was written.
#![no_main]

use double11_jmx::template::{Sites, Template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut sites = Sites::default();
    let template = Template::parse(text, &mut sites);
    let _ = Template::parse_compound(text, &mut sites);
    if !text.contains("${") {
        assert_eq!(template.literal(), Some(text));
    }
    for (index, call) in template.calls().into_iter().enumerate() {
        assert!(call.source.starts_with("${") && call.source.ends_with('}'));
        assert_eq!(call.site.0 as usize, index);
    }
});
