//! Several tests at once.

/// Holm's adjusted p values of a family of tests, in the order of the family.
///
/// `p_values` holds one entry for every test that was *planned*. A test that could not be judged is
/// `None` and stays `None`, but it counts in the size of the family, as if its p value were 1:
/// otherwise losing a figure would make the claims about the others easier. A p value that is not a
/// number counts as not judged; others are clamped to 0–1.
///
/// The i-th smallest of m p values becomes the largest of (m − j + 1)·p₍ⱼ₎ over j ≤ i, at most 1.
/// The chance of any false claim among those with an adjusted value below α is at most α, however
/// the tests depend on each other.
///
/// Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal
/// of Statistics 6 (1979), 65–70.
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut judged: Vec<(usize, f64)> = p_values
        .iter()
        .enumerate()
        .filter_map(|(index, p_value)| Some((index, (*p_value)?)))
        .filter(|(_, p_value)| !p_value.is_nan())
        .collect();
    judged.sort_by(|(_, left), (_, right)| left.total_cmp(right));
    let mut adjusted = vec![None; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, (index, p_value)) in judged.into_iter().enumerate() {
        let left_in_family = (p_values.len() - rank) as f64;
        largest = largest.max((left_in_family * p_value.clamp(0.0, 1.0)).min(1.0));
        if let Some(place) = adjusted.get_mut(index) {
            *place = Some(largest);
        }
    }
    adjusted
}
