//! Products as the store keeps them.

use double11_units::{Currency, Money, ProductId};

/// With which catalogue a store was seeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogueFacts {
    /// The seed.
    pub seed: i64,
    /// How many products.
    pub products: u32,
    /// The currency of all prices.
    pub currency: Currency,
}

/// The five categories of the requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// 手機, mobile phones.
    Phones,
    /// 服飾, clothing.
    Clothing,
    /// 家電, home appliances.
    Appliances,
    /// 美妝, beauty.
    Beauty,
    /// 數碼, digital devices.
    Digital,
}

impl Category {
    /// Every category, in the order of the requirements.
    pub const ALL: [Self; 5] = [
        Self::Phones,
        Self::Clothing,
        Self::Appliances,
        Self::Beauty,
        Self::Digital,
    ];

    /// The Chinese name, which is what the API and the store use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phones => "手機",
            Self::Clothing => "服飾",
            Self::Appliances => "家電",
            Self::Beauty => "美妝",
            Self::Digital => "數碼",
        }
    }

    /// The category with this Chinese name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|category| category.name() == name)
    }
}

/// A product of the catalogue; immutable while the shop runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its id, 1..=N.
    pub product_id: ProductId,
    /// Its name in Traditional Chinese.
    pub name: String,
    /// Its name in English.
    pub name_en: String,
    /// Its category.
    pub category: Category,
    /// Its price for one piece.
    pub price: Money,
}

/// A product with the stock it starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProduct {
    /// The product.
    pub product: Product,
    /// Pieces received.
    pub stock: u32,
}

/// A product and whether a piece of it was available when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedProduct {
    /// The product.
    pub product: Product,
    /// Whether at least one piece was available.
    pub in_stock: bool,
}

/// Which page of the catalogue is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Only this category.
    pub category: Option<Category>,
    /// Only ids above this one.
    pub after: Option<ProductId>,
    /// At most this many products.
    pub limit: u32,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPage {
    /// How many products match.
    pub total: u64,
    /// The first of them.
    pub items: Vec<ListedProduct>,
}
