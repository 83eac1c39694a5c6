//! The date of an answer (RFC 9110, section 6.6.1), written once a second by each thread.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes of a date.
const LENGTH: usize = 29;

/// A second since 1970, and its date.
type Written = (u64, [u8; LENGTH]);

thread_local! {
    static WRITTEN: Cell<Written> = const { Cell::new((u64::MAX, [b' '; LENGTH])) };
}

/// Gives the date of now to `write`.
#[expect(
    clippy::disallowed_methods,
    reason = "the header tells the time of the machine, whatever clock the shop is given"
)]
pub(super) fn with(write: impl FnOnce(&[u8])) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (mut second, mut date) = WRITTEN.get();
    if second != now {
        (second, date) = (now, text(now));
        WRITTEN.set((second, date));
    }
    write(&date);
}

fn text(second: u64) -> [u8; LENGTH] {
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
    let mut date = [b' '; LENGTH];
    for (place, byte) in date.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    date
}

#[cfg(test)]
mod tests {
    use super::{text, with};

    #[test]
    fn dates_are_as_http_writes_them() {
        // The example of RFC 9110, section 5.6.7.
        assert_eq!(&text(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
        with(|date| assert!(date.ends_with(b" GMT")));
    }
}
