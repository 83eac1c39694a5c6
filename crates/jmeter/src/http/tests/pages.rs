//! Pages and what they load.

use super::{code, one, sampler};
use crate::sample::SampleResult;

/// The labels, codes and last segments of the addresses of a sample's parts.
fn parts(result: &SampleResult) -> Vec<String> {
    let show = |part: &SampleResult| {
        let url = part.url.as_deref().unwrap_or_default();
        format!(
            "{} {} {}",
            part.label,
            code(part),
            url.rsplit('/').next().unwrap()
        )
    };
    result.sub_results.iter().map(show).collect()
}

#[test]
fn pages_are_loaded_with_what_they_name() {
    for (path, pool) in [("/page", ""), ("/page", "3"), ("/to-page", "")] {
        let result = one(|server| {
            sampler(server, "p", path)
                .with("HTTPSampler.image_parser", "true")
                .with(
                    "HTTPSampler.concurrentDwn",
                    if pool.is_empty() { "false" } else { "true" },
                )
                .with("HTTPSampler.concurrentPool", pool)
                .with("HTTPSampler.embedded_url_exclude_re", ".*nothing.*")
        });
        let shift = usize::from(path == "/to-page");
        let expected = ["200 page", "200 a.css", "200 i.png", "404 404", "200 frame"];
        let expected = expected.iter().enumerate();
        let expected: Vec<_> = expected
            .map(|(index, part)| format!("p-{} {part}", index + shift))
            .collect();
        assert_eq!(parts(&result)[shift..], expected);
        let frame = parts(result.sub_results.last().unwrap());
        assert_eq!(frame, ["p-0 200 frame", "p-1 200 f.png"]);
        let sum: u64 = result.sub_results.iter().map(|part| part.bytes).sum();
        assert_eq!(result.bytes, sum);
        assert!(!result.success && code(&result) == "200");
        let message = result.message.split_once("code:").unwrap();
        assert!(
            message
                .0
                .starts_with("Embedded resource download error:http://127.0.0.1:")
        );
        assert_eq!(message.1, "404 message:Not Found, ");
    }
    let result = one(|server| {
        let element = sampler(server, "p", "/page").with("HTTPSampler.image_parser", "true");
        element.with("HTTPSampler.embedded_url_re", ".*i\\.png")
    });
    assert_eq!(parts(&result), ["p-0 200 page", "p-1 200 i.png"]);
    assert!(result.success);
}
