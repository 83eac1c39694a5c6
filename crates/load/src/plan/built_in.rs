//! The plans and lists that come with the program. They are files, read by the parser of user files.

/// Names of the built-in plans.
pub const BUILT_IN_NAMES: [&str; 5] = ["funnel", "session", "day", "flash-sale", "orders"];

/// The text of a built-in plan, to print, copy and change.
pub fn built_in_text(name: &str) -> Option<&'static str> {
    match name {
        "funnel" => Some(include_str!("funnel.toml")),
        "session" => Some(include_str!("session.toml")),
        "day" => Some(include_str!("day.toml")),
        "flash-sale" => Some(include_str!("flash_sale.toml")),
        "orders" => Some(include_str!("orders.toml")),
        _ => None,
    }
}

/// A built-in list, most frequent value first.
pub(super) fn list(name: &str) -> Option<Vec<String>> {
    match name {
        "search-queries" => {
            let lines = include_str!("search_queries.txt").lines();
            Some(lines.map(str::to_owned).collect())
        }
        _ => None,
    }
}
