//! The catalogue in memory (lever `catalog-cache`): rendered once, shared by every answer.
//!
//! Products do not change while the shop runs; only whether they are in stock does. So each product
//! is kept as the body that a client gets, and a bit tells whether it is sold out. The bits are at
//! most a second old as long as the store answers; `upkeep` refreshes them.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use double11_store::{Category, PageRequest, Product};
use double11_units::ProductId;

/// Writes the body of a product that is in stock. The last thing it writes must be [`IN_STOCK`].
pub(crate) type Render = fn(&Product, &mut Vec<u8>);

/// The end of a body in stock, and what replaces it when the product is sold out.
pub(crate) const IN_STOCK: &[u8] = b"true}";
const SOLD_OUT: &[u8] = b"false}";

/// The rendered catalogue.
pub(crate) struct Snapshot {
    /// All bodies, one behind the other.
    bodies: Bytes,
    /// Where the body of each position ends; it begins where the one before ends.
    ends: Vec<usize>,
    /// Ascending positions of each category.
    categories: [Vec<u32>; Category::ALL.len()],
    /// One bit for each position.
    sold_out: Vec<AtomicU64>,
}

/// The ids of a catalogue are not 1..=N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the catalogue has no product {missing}; its ids must be 1 to the number of products")]
pub struct GapInCatalogue {
    /// The first id that is missing.
    pub missing: i64,
}

/// Checks that position and id are the same but for one.
pub(crate) fn check_ids(products: &[Product]) -> Result<(), GapInCatalogue> {
    match (1_i64..)
        .zip(products)
        .find(|(id, product)| product.product_id.get() != *id)
    {
        Some((missing, _)) => Err(GapInCatalogue { missing }),
        None => Ok(()),
    }
}

impl Snapshot {
    /// Renders every product.
    pub(crate) fn build(products: &[Product], render: Render) -> Self {
        let mut bodies = Vec::with_capacity(products.len() * 192);
        let mut ends = Vec::with_capacity(products.len());
        let mut categories: [Vec<u32>; Category::ALL.len()] = Default::default();
        for (position, product) in (0_u32..).zip(products) {
            render(product, &mut bodies);
            assert!(
                bodies.ends_with(IN_STOCK),
                "a body must end with its availability"
            );
            ends.push(bodies.len());
            categories[product.category as usize].push(position);
        }
        let words = products.len().div_ceil(64);
        let sold_out = (0..words).map(|_| AtomicU64::new(0)).collect();
        Self {
            bodies: Bytes::from(bodies),
            ends,
            categories,
            sold_out,
        }
    }

    /// Products in the catalogue.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Where a product stands; none when there is no such product.
    pub(crate) fn position(&self, product_id: ProductId) -> Option<u32> {
        let position = u32::try_from(product_id.get() - 1).ok()?;
        (position < self.len()).then_some(position)
    }

    /// The body of a product. Shares memory unless the product is sold out.
    pub(crate) fn body(&self, position: u32) -> Bytes {
        let (start, end) = self.range(position);
        if self.is_sold_out(position) {
            let mut body = Vec::with_capacity(end - start + 1);
            self.append(position, &mut body);
            Bytes::from(body)
        } else {
            self.bodies.slice(start..end)
        }
    }

    /// Appends the body of a product.
    pub(crate) fn append(&self, position: u32, output: &mut Vec<u8>) {
        let (start, end) = self.range(position);
        if self.is_sold_out(position) {
            output.extend_from_slice(&self.bodies[start..end - IN_STOCK.len()]);
            output.extend_from_slice(SOLD_OUT);
        } else {
            output.extend_from_slice(&self.bodies[start..end]);
        }
    }

    /// The positions of a page.
    pub(crate) fn page(&self, page: PageRequest) -> Vec<u32> {
        let limit = page.limit as usize;
        // An id is one above its position, so that the id itself is the first position after it.
        let first = page
            .after
            .map_or(0, |after| u32::try_from(after.get()).unwrap_or(u32::MAX));
        match page.category {
            None => (first..self.len()).take(limit).collect(),
            Some(category) => {
                let positions = &self.categories[category as usize];
                let start = positions.partition_point(|position| *position < first);
                positions[start..].iter().copied().take(limit).collect()
            }
        }
    }

    /// Replaces what is sold out by what the store says now.
    pub(crate) fn set_sold_out(&self, sold_out: &[ProductId]) {
        let mut words = vec![0_u64; self.sold_out.len()];
        for position in sold_out
            .iter()
            .filter_map(|product_id| self.position(*product_id))
        {
            words[position as usize / 64] |= 1 << (position % 64);
        }
        for (shared, word) in self.sold_out.iter().zip(words) {
            shared.store(word, Ordering::Relaxed);
        }
    }

    fn is_sold_out(&self, position: u32) -> bool {
        let word = self.sold_out[position as usize / 64].load(Ordering::Relaxed);
        word & (1 << (position % 64)) != 0
    }

    fn range(&self, position: u32) -> (usize, usize) {
        let position = position as usize;
        let start = if position == 0 {
            0
        } else {
            self.ends[position - 1]
        };
        (start, self.ends[position])
    }
}

#[cfg(test)]
mod tests {
    use double11_store::{Category, PageRequest, Product};
    use double11_units::{Currency, ProductId};

    use super::{IN_STOCK, Snapshot, check_ids};

    fn render(product: &Product, output: &mut Vec<u8>) {
        output.extend_from_slice(format!("{{\"id\":{},\"in\":", product.product_id).as_bytes());
        output.extend_from_slice(IN_STOCK);
    }

    fn products(count: u32) -> Vec<Product> {
        let new = crate::catalogue::generate(3, count, Currency::Cny);
        new.into_iter().map(|new| new.product).collect()
    }

    fn id(number: i64) -> ProductId {
        ProductId::new(number).unwrap()
    }

    #[test]
    fn bodies_follow_the_stock() {
        let snapshot = Snapshot::build(&products(130), render);
        for sold_out in [
            vec![],
            vec![id(1), id(65), id(130), id(999)],
            vec![id(64)],
            vec![],
        ] {
            snapshot.set_sold_out(&sold_out);
            for number in 1..=130 {
                let position = snapshot.position(id(number)).unwrap();
                let in_stock = !sold_out.contains(&id(number));
                let expected = format!("{{\"id\":{number},\"in\":{in_stock}}}");
                assert_eq!(snapshot.body(position), expected.as_bytes());
                let mut appended = Vec::new();
                snapshot.append(position, &mut appended);
                assert_eq!(appended, expected.as_bytes());
            }
        }
        assert_eq!(snapshot.position(id(131)), None);
        assert_eq!(snapshot.position(id(i64::MAX)), None);
    }

    #[test]
    fn pages_equal_a_scan() {
        let products = products(300);
        let snapshot = Snapshot::build(&products, render);
        let categories = Category::ALL.map(Some).into_iter().chain([None]);
        for category in categories {
            for after in [
                None,
                Some(id(1)),
                Some(id(150)),
                Some(id(300)),
                Some(id(i64::MAX)),
            ] {
                let page = PageRequest {
                    category,
                    after,
                    limit: 20,
                };
                let expected: Vec<u32> = (0_u32..)
                    .zip(&products)
                    .filter(|(_, product)| {
                        category.is_none_or(|category| product.category == category)
                            && after.is_none_or(|after| product.product_id > after)
                    })
                    .map(|(position, _)| position)
                    .take(20)
                    .collect();
                assert_eq!(snapshot.page(page), expected, "{page:?}");
            }
        }
    }

    #[test]
    fn a_gap_in_the_ids_is_found() {
        let mut list = products(5);
        assert!(check_ids(&list).is_ok());
        list.remove(2);
        assert_eq!(check_ids(&list).unwrap_err().missing, 3);
    }
}
