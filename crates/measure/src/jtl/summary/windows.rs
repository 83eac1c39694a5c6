//! Windows of time, found by their number whatever the order in which rows come.

use std::collections::HashMap;

/// Windows found lately, by the low bits of their number: the rows of a file lie close together.
const RECENT: usize = 64;

/// Windows of one width since 1970, in the order in which they were first met.
#[derive(Debug)]
pub(super) struct Windows<T> {
    width_seconds: u32,
    found: Vec<(u32, T)>,
    slots: HashMap<u32, usize>,
    recent: [Option<(u32, usize)>; RECENT],
}

impl<T: Default> Windows<T> {
    pub(super) fn new() -> Self {
        Self {
            width_seconds: 1,
            found: Vec::new(),
            slots: HashMap::new(),
            recent: [None; RECENT],
        }
    }

    pub(super) fn width_seconds(&self) -> u32 {
        self.width_seconds
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.found.iter().map(|(_, window)| window)
    }

    /// The window in which a second since 1970 lies.
    pub(super) fn at(&mut self, second: u32) -> &mut T {
        let number = second / self.width_seconds;
        let place = number as usize % RECENT;
        let slot = match self.recent[place] {
            Some((recent, slot)) if recent == number => slot,
            _ => {
                let slot = *self.slots.entry(number).or_insert(self.found.len());
                if slot == self.found.len() {
                    self.found.push((number, T::default()));
                }
                self.recent[place] = Some((number, slot));
                slot
            }
        };
        &mut self.found[slot].1
    }

    /// Makes the windows wider, a whole number of times, and joins those that fall together.
    pub(super) fn widen(&mut self, mut join: impl FnMut(&mut T, T)) {
        let factor = wider(self.width_seconds) / self.width_seconds;
        self.width_seconds *= factor;
        self.slots.clear();
        self.recent = [None; RECENT];
        for (number, window) in std::mem::take(&mut self.found) {
            let number = number / factor;
            let slot = *self.slots.entry(number).or_insert(self.found.len());
            match self.found.get_mut(slot) {
                Some((_, sum)) => join(sum, window),
                None => self.found.push((number, window)),
            }
        }
    }

    /// The windows in order of time, each with the second since 1970 at which it begins.
    pub(super) fn into_sorted(self) -> Vec<(u32, T)> {
        let mut windows = self.found;
        windows.sort_unstable_by_key(|(number, _)| *number);
        for (number, _) in &mut windows {
            *number *= self.width_seconds;
        }
        windows
    }
}

/// The next width that reads well; each divides the next.
fn wider(seconds: u32) -> u32 {
    const WIDTHS: [u32; 8] = [5, 10, 30, 60, 300, 600, 1800, 3600];
    WIDTHS
        .into_iter()
        .find(|&width| width > seconds)
        .unwrap_or(seconds.saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_found_in_any_order_and_keep_their_sums_when_widened() {
        let mut windows: Windows<u32> = Windows::new();
        for second in [130, 3, 67, 3, 131, 4_294_967_295, 66, 3] {
            *windows.at(second) += 1;
        }
        assert_eq!(windows.len(), 6);
        windows.widen(|sum, other| *sum += other);
        *windows.at(4) += 1;
        assert_eq!(windows.width_seconds(), 5);
        assert_eq!(
            windows.into_sorted(),
            [(0, 4), (65, 2), (130, 2), (4_294_967_295, 1)]
        );
    }

    #[test]
    fn each_width_divides_the_next() {
        let mut width = 1;
        while width < 100_000 {
            assert_eq!(wider(width) % width, 0);
            width = wider(width);
        }
    }
}
