use super::*;

/// Seconds as (requests, in time), from second 0 on; a pair of zeroes is an absent second.
fn check(seconds: &[(u64, u64)], good: u64, total: u64, windows_merged: bool) {
    let counts = seconds
        .iter()
        .zip(0..)
        .filter(|&(&(requests, _), _)| requests > 0)
        .map(|(&(requests, in_time), second)| (second, WindowCount { requests, in_time }))
        .collect();
    let resolution = (total > 0).then(|| 1.0 / total as f64);
    assert_eq!(
        availability(&counts),
        Availability {
            good,
            total,
            resolution,
            windows_merged
        },
        "{seconds:?}"
    );
}

#[test]
fn windows_by_hand() {
    check(&[], 0, 0, false);
    // Full seconds stand for themselves; 99 % of 200 is 198.
    check(&[(200, 200), (200, 198), (200, 197)], 2, 3, false);
    check(&[(1000, 990), (1000, 989)], 1, 2, false);
    // 50 requests a second: four seconds to a window.
    check(&[(50, 50); 8], 2, 2, true);
    check(
        &[
            (50, 50),
            (50, 50),
            (50, 50),
            (50, 48),
            (50, 50),
            (50, 50),
            (50, 50),
            (50, 50),
        ],
        2,
        2,
        true,
    );
    check(
        &[
            (50, 50),
            (50, 50),
            (50, 50),
            (50, 47),
            (50, 50),
            (50, 50),
            (50, 50),
            (50, 50),
        ],
        1,
        2,
        true,
    );
    // What is left at the end joins the last window, and may spoil it.
    check(&[(200, 200), (100, 100)], 1, 1, true);
    check(&[(200, 200), (100, 96)], 0, 1, true);
    // Fewer requests than one window needs are one window all the same.
    check(&[(10, 10)], 1, 1, false);
    check(&[(10, 10), (0, 0), (10, 0)], 0, 1, true);
    // A silent second is no window, and no good one either.
    check(&[(200, 200), (0, 0), (200, 0)], 1, 2, false);
}

#[test]
fn share_is_none_without_a_window() {
    assert_eq!(availability(&BTreeMap::new()).share(), None);
    let half = Availability {
        good: 1,
        total: 2,
        resolution: Some(0.5),
        windows_merged: false,
    };
    assert_eq!(half.share(), Some(0.5));
}
