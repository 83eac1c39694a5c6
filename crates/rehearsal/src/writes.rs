//! The client's writes by their outcome, counted from its ledger.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use double11_monitor::cross_check::ClientWrites;
use serde::Deserialize;

/// What is needed of a line of `client-ledger.jsonl`; see `docs/SCHEMA.md`, section 3.
#[derive(Deserialize)]
struct Line<'line> {
    kind: &'line str,
    outcome: &'line str,
    status: Option<u16>,
}

/// Counts acknowledged and unknown writes. Lines of other kinds are passed over.
///
/// # Errors
/// When the file cannot be read or a line is not of the ledger's form.
pub fn count(ledger: &Path) -> std::io::Result<ClientWrites> {
    let mut writes = ClientWrites::default();
    for line in BufReader::new(File::open(ledger)?).lines().skip(1) {
        let line = line?;
        let line: Line<'_> = serde_json::from_str(&line)?;
        let counter = match (line.kind, line.outcome) {
            ("order", "acknowledged") => &mut writes.orders_acknowledged,
            ("order", "unknown") => &mut writes.orders_unknown,
            ("payment", "acknowledged") if line.status == Some(201) => {
                &mut writes.payments_acknowledged
            }
            ("payment", "acknowledged" | "unknown") => &mut writes.payments_unknown,
            _ => continue,
        };
        *counter += 1;
    }
    Ok(writes)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_by_kind_and_outcome() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client-ledger.jsonl");
        let line = |kind, outcome, status: &str| {
            format!(
                "{{\"kind\":\"{kind}\",\"key\":\"k\",\"outcome\":\"{outcome}\",\"status\":{status}}}\n"
            )
        };
        let text = [
            "{\"double11_client_ledger\":1}\n".to_owned(),
            line("order", "acknowledged", "201"),
            line("order", "refused", "409"),
            line("order", "unknown", "null"),
            line("payment", "acknowledged", "201"),
            line("payment", "acknowledged", "202"),
            line("cart", "unknown", "null"),
        ]
        .concat();
        std::fs::write(&path, text).unwrap();
        let writes = count(&path).unwrap();
        assert_eq!((writes.orders_acknowledged, writes.orders_unknown), (1, 1));
        assert_eq!(
            (writes.payments_acknowledged, writes.payments_unknown),
            (1, 1)
        );
        std::fs::write(&path, "{\"double11_client_ledger\":1}\nnonsense\n").unwrap();
        assert!(count(&path).is_err());
    }
}
