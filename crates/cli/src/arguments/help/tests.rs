use std::path::Path;

use clap::{Command, CommandFactory as _, Parser as _};
use unicode_width::UnicodeWidthStr as _;

use crate::arguments::Arguments;

/// The program's command and all below it, with the words that lead to each.
fn commands() -> Vec<Command> {
    let program = Arguments::command();
    let below: Vec<Command> = program.get_subcommands().cloned().collect();
    [program].into_iter().chain(below).collect()
}

/// The words of a line as a shell would split it: blanks between words, quotes around some, and
/// neither comment nor pipe nor redirection.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('#' | '|' | '>' | '&', None) if word.is_empty() => break,
            (' ', None) => words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty())),
            _ => word.push(c),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// Checks that the program takes this line; help and version are taken too.
fn check(line: &str, place: &str) {
    let words = words(line);
    if let Err(refusal) = Arguments::try_parse_from(&words) {
        assert!(!refusal.use_stderr(), "{place}: `{line}`: {refusal}");
    }
}

#[test]
fn every_example_of_the_help_is_taken() {
    for command in commands().into_iter().filter(|one| !one.is_hide_set()) {
        let help = command.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let name = command.get_name();
        let examples = help.split_once("Examples:\n").map(|(_, examples)| examples);
        let examples = examples.unwrap_or_else(|| panic!("`{name}` has no examples"));
        let examples = examples.split("\n\n").next().unwrap().replace("\\\n", "");
        let lines = examples.lines().map(str::trim);
        let own: Vec<&str> = lines.filter(|line| line.starts_with("double11")).collect();
        assert!(!own.is_empty(), "`{name}` has no example of its own");
        for line in own {
            check(line, &format!("help of `{name}`"));
        }
        for line in help.lines() {
            assert!(line.width() <= 80, "help of `{name}`: {line}");
        }
    }
}

#[test]
fn every_command_line_of_the_documents_is_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let mut checked = 0;
    for name in [
        "README.md",
        "README.zh-TW.md",
        "CONTRIBUTING.md",
        "ROADMAP.md",
    ] {
        let text = std::fs::read_to_string(root.join(name)).unwrap();
        for line in text.lines() {
            let spans = line.split('`').skip(1).step_by(2);
            let pieces = spans.chain(line.split_once("# ").map_or([line], |(code, _)| [code]));
            for piece in pieces {
                let own = piece.trim().strip_prefix("cargo run --release -- ");
                let own = own.map_or_else(
                    || piece.trim().to_owned(),
                    |rest| format!("double11 {rest}"),
                );
                // A command named alone in a sentence is no line to copy.
                if own.starts_with("double11 ") && words(&own).len() > 2 {
                    check(&own, name);
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= 10, "only {checked} lines were found");
}

#[test]
fn help_fits_narrow_and_wide_terminals() {
    for columns in [80, 100] {
        for command in commands() {
            let name = command.get_name().to_owned();
            let help = command.term_width(columns).render_long_help().to_string();
            for line in help.lines() {
                assert!(line.width() <= columns, "`{name}` at {columns}: {line}");
            }
        }
    }
}

#[test]
fn options_are_grouped_and_described() {
    for command in commands() {
        let name = command.get_name();
        let options: Vec<_> = command
            .get_arguments()
            .filter(|option| !option.is_hide_set() && !option.is_positional())
            .collect();
        for option in &options {
            let id = option.get_id();
            let help = option.get_help().map(ToString::to_string);
            let words = help.unwrap_or_default().split(' ').count();
            assert!(words >= 3, "`{name}` {id} says {words} words");
        }
        let ungrouped = options
            .iter()
            .filter(|one| one.get_help_heading().is_none());
        let ungrouped: Vec<_> = ungrouped.map(|one| one.get_id().as_str()).collect();
        assert!(
            ungrouped.len() <= 6,
            "`{name}` has {} options without a heading: {ungrouped:?}",
            ungrouped.len()
        );
    }
}

#[test]
fn colours_are_known_before_the_words_are() {
    use clap::ColorChoice::{Always, Auto, Never};
    let check = |line: &str, expected| {
        let words: Vec<_> = line.split(' ').map(Into::into).collect();
        assert_eq!(super::colour_of(&words), expected, "{line}");
    };
    check("double11", Auto);
    check("double11 --color never load --help", Never);
    check("double11 load --color=always", Always);
    check("double11 --color", Auto);
    check("double11 --color=red", Auto);
}
