//! A catalogue as CSV: strict, because a shop that sells at a wrong price is worse than none.

use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord};
use double11_store::{Category, NewProduct, Product};
use double11_units::{Currency, Money, ProductId};

/// The columns, in any order.
pub(super) const COLUMNS: [&str; 6] = [
    "product_id",
    "name",
    "name_en",
    "category",
    "price",
    "stock",
];
/// Most products of a shop.
const PRODUCTS_MAX: usize = 5_000_000;
/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 255;

/// Why a catalogue cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum CatalogueError {
    #[error("the catalogue `{}` cannot be read", .path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("line {line} of `{}`: {reason}", .path.display())]
    Malformed {
        path: PathBuf,
        line: u64,
        reason: String,
    },
}

/// Reads a whole catalogue; ids are 1, 2, 3, … in the order of the lines.
pub(super) fn read(path: &Path, currency: Currency) -> Result<Vec<NewProduct>, CatalogueError> {
    let file = std::fs::File::open(path).map_err(|source| CatalogueError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    parse(file, currency).map_err(|fault| match fault {
        Fault::Io(source) => CatalogueError::Unreadable {
            path: path.to_owned(),
            source,
        },
        Fault::Line(line, reason) => CatalogueError::Malformed {
            path: path.to_owned(),
            line,
            reason,
        },
    })
}

#[derive(Debug)]
enum Fault {
    Io(std::io::Error),
    /// The line, counted from 1, and what is wrong with it.
    Line(u64, String),
}

fn parse(input: impl Read, currency: Currency) -> Result<Vec<NewProduct>, Fault> {
    let mut reader = ReaderBuilder::new().from_reader(input);
    let header = reader.headers().map_err(fault_of)?.clone();
    let columns = places(&header).map_err(|reason| Fault::Line(1, reason))?;
    let mut products = Vec::new();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(fault_of)? {
        let line = record.position().map_or(0, csv::Position::line);
        if products.len() == PRODUCTS_MAX {
            return Err(Fault::Line(
                line,
                format!("more than {PRODUCTS_MAX} products"),
            ));
        }
        let product = product_of(&record, columns, products.len(), currency)
            .map_err(|reason| Fault::Line(line, reason))?;
        products.push(product);
    }
    if products.is_empty() {
        return Err(Fault::Line(1, "there are no products".to_owned()));
    }
    Ok(products)
}

fn fault_of(error: csv::Error) -> Fault {
    let line = error.position().map_or(1, csv::Position::line);
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Fault::Io(source),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => Fault::Line(line, format!("{len} fields instead of {expected_len}")),
        csv::ErrorKind::Utf8 { .. } => Fault::Line(line, "the text is not UTF-8".to_owned()),
        _ => Fault::Line(line, text),
    }
}

/// Where each of [`COLUMNS`] is.
fn places(header: &StringRecord) -> Result<[usize; 6], String> {
    if let Some(unknown) = header
        .iter()
        .map(without_mark)
        .find(|name| !COLUMNS.contains(name))
    {
        return Err(format!("`{unknown}` is not a known column"));
    }
    let mut places = [0; 6];
    for (column, place) in COLUMNS.iter().zip(&mut places) {
        let mut found = header
            .iter()
            .enumerate()
            .filter(|(_, name)| without_mark(name) == *column)
            .map(|(index, _)| index);
        *place = found
            .next()
            .ok_or_else(|| format!("there is no column `{column}`"))?;
        if found.next().is_some() {
            return Err(format!("the column `{column}` is there twice"));
        }
    }
    Ok(places)
}

/// Some editors put a byte order mark before the first name.
fn without_mark(name: &str) -> &str {
    name.strip_prefix('\u{feff}').unwrap_or(name)
}

fn product_of(
    record: &StringRecord,
    columns: [usize; 6],
    before: usize,
    currency: Currency,
) -> Result<NewProduct, String> {
    let [id, name, name_en, category, price, stock] =
        columns.map(|index| record.get(index).unwrap_or_default());
    let expected = i64::try_from(before + 1).map_err(|error| error.to_string())?;
    if id != expected.to_string() {
        return Err(format!("product_id is `{id}`, expected {expected}"));
    }
    Ok(NewProduct {
        product: Product {
            product_id: ProductId::new(expected).map_err(|error| error.to_string())?,
            name: name_of("name", name)?,
            name_en: name_of("name_en", name_en)?,
            category: Category::from_name(category).ok_or_else(|| {
                let known = Category::ALL.map(Category::name).join(", ");
                format!("category is `{category}`, expected one of {known}")
            })?,
            price: price_of(price, currency)?,
        },
        stock: stock
            .parse()
            .map_err(|_| format!("stock is `{stock}`, expected 0 to {}", u32::MAX))?,
    })
}

fn name_of(column: &str, text: &str) -> Result<String, String> {
    let fits = !text.trim().is_empty()
        && text.chars().count() <= NAME_CHARS_MAX
        && !text.chars().any(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{column} is `{}`, expected 1 to {NAME_CHARS_MAX} characters without control characters",
            text.escape_debug()
        ))
    }
}

/// A positive price that needs no rounding.
fn price_of(text: &str, currency: Currency) -> Result<Money, String> {
    let wrong = || format!("price is `{text}`, expected an amount such as 199.00, above 0");
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !plain || fraction.len() > 2 {
        return Err(wrong());
    }
    let price = Money::parse(text, currency).map_err(|_| wrong())?;
    if price.minor_units() > 0 {
        Ok(price)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use double11_units::Currency;

    use super::{Fault, parse};

    const HEADER: &str = "product_id,name,name_en,category,price,stock\n";

    #[test]
    fn reads_what_it_should() {
        let text = format!("{HEADER}1,\"手機, 大\",Phone,手機,199.00,5\n2,衣,Shirt,服飾,0.5,0\n");
        let products = parse(text.as_bytes(), Currency::Cny).unwrap();
        assert_eq!(products.len(), 2);
        assert_eq!(products[0].product.name, "手機, 大");
        assert_eq!(products[0].product.price.minor_units(), 19_900);
        assert_eq!(products[1].product.price.minor_units(), 50);
        assert_eq!((products[0].stock, products[1].stock), (5, 0));
        let text = "\u{feff}stock,price,category,name_en,name,product_id\n7,1,數碼,b,a,1\n";
        let products = parse(text.as_bytes(), Currency::Cny).unwrap();
        assert_eq!((products[0].stock, &*products[0].product.name), (7, "a"));
    }

    #[test]
    fn names_the_line_of_what_is_wrong() {
        let check = |text: &str, line: u64, part: &str| match parse(text.as_bytes(), Currency::Cny)
        {
            Err(Fault::Line(found, reason)) => {
                assert_eq!(found, line, "{text}: {reason}");
                assert!(reason.contains(part), "{text}: {reason}");
            }
            other => unreachable!("{text}: {other:?}"),
        };
        let row = |row: &str| format!("{HEADER}1,a,b,手機,1,1\n{row}\n");
        check("", 1, "no column `product_id`");
        check(HEADER, 1, "no products");
        check("product_id,name\n", 1, "no column `name_en`");
        check(&HEADER.replace("stock", "price"), 1, "is there twice");
        check(
            &HEADER.replace("stock", "colour"),
            1,
            "`colour` is not a known",
        );
        check(&row("3,a,b,手機,1,1"), 3, "expected 2");
        check(&row("02,a,b,手機,1,1"), 3, "expected 2");
        check(&row("2,,b,手機,1,1"), 3, "name is ``");
        check(&row("2,a,b\u{7},手機,1,1"), 3, "name_en is");
        check(&row("2,a,b,phones,1,1"), 3, "category is `phones`");
        for price in ["0", "-1", "1.234", "1e3", "", ".", "99999999999999999999"] {
            check(&row(&format!("2,a,b,手機,{price},1")), 3, "price is");
        }
        for stock in ["-1", "1.5", "", "4294967296"] {
            check(&row(&format!("2,a,b,手機,1,{stock}")), 3, "stock is");
        }
        check(&row("2,a,b,手機,1"), 3, "5 fields instead of 6");
        let latin = [HEADER.as_bytes(), b"1,\xff,b,c,1,1\n"].concat();
        assert!(matches!(
            parse(&latin[..], Currency::Cny),
            Err(Fault::Line(2, _))
        ));
    }
}
