//! Writes the answers' JSON straight into bytes. Amounts are numbers with two places, written from
//! their integer count of minor units.

use double11_store::Product;
use double11_units::{Money, UnixMicros};
use time::OffsetDateTime;

use crate::snapshot::IN_STOCK;

/// An object that is being written.
pub(crate) struct Object<'output> {
    output: &'output mut Vec<u8>,
    empty: bool,
}

impl<'output> Object<'output> {
    pub(crate) fn begin(output: &'output mut Vec<u8>) -> Self {
        output.push(b'{');
        Self {
            output,
            empty: true,
        }
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        write_text(self.value(name), value);
        self
    }

    pub(crate) fn integer(&mut self, name: &str, value: impl itoa::Integer) -> &mut Self {
        write_integer(self.value(name), value);
        self
    }

    /// A number as a string, since ids may be larger than what a JavaScript number holds.
    pub(crate) fn id(&mut self, name: &str, value: i64) -> &mut Self {
        let output = self.value(name);
        output.push(b'"');
        write_integer(output, value);
        output.push(b'"');
        self
    }

    pub(crate) fn money(&mut self, name: &str, value: Money) -> &mut Self {
        write_money(self.value(name), value);
        self
    }

    pub(crate) fn time(&mut self, name: &str, value: UnixMicros) -> &mut Self {
        write_time(self.value(name), value);
        self
    }

    pub(crate) fn boolean(&mut self, name: &str, value: bool) -> &mut Self {
        self.value(name)
            .extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    pub(crate) fn null(&mut self, name: &str) -> &mut Self {
        self.value(name).extend_from_slice(b"null");
        self
    }

    /// A nested object.
    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        let mut nested = Object::begin(self.value(name));
        write(&mut nested);
        nested.end();
        self
    }

    /// An array, each element of which `write` appends.
    pub(crate) fn array<T>(
        &mut self,
        name: &str,
        elements: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Vec<u8>, T),
    ) -> &mut Self {
        let output = self.value(name);
        output.push(b'[');
        for (position, element) in elements.into_iter().enumerate() {
            if position > 0 {
                output.push(b',');
            }
            write(output, element);
        }
        output.push(b']');
        self
    }

    pub(crate) fn end(self) {
        self.output.push(b'}');
    }

    /// Writes the name, then hands out the place of its value. Names need no escaping.
    fn value(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.empty) {
            self.output.push(b',');
        }
        self.output.push(b'"');
        self.output.extend_from_slice(name.as_bytes());
        self.output.extend_from_slice(b"\":");
        self.output
    }
}

/// The body of a product; see `docs/API.md`.
pub(crate) fn write_product(output: &mut Vec<u8>, product: &Product, in_stock: bool) {
    let mut object = Object::begin(output);
    object
        .integer("product_id", product.product_id.get())
        .text("name", &product.name)
        .text("name_en", &product.name_en)
        .text("category", product.category.name())
        .money("price", product.price)
        .text("currency", product.price.currency().code())
        .boolean("in_stock", in_stock);
    object.end();
}

/// The body of a product in stock, as the snapshot keeps it.
pub(crate) fn write_product_in_stock(product: &Product, output: &mut Vec<u8>) {
    write_product(output, product, true);
    debug_assert!(
        output.ends_with(IN_STOCK),
        "availability is the last member"
    );
}

pub(crate) fn write_text(output: &mut Vec<u8>, text: &str) {
    let plain = text
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        output.push(b'"');
        output.extend_from_slice(text.as_bytes());
        output.push(b'"');
    } else if let Err(error) = serde_json::to_writer(&mut *output, text) {
        debug_assert!(false, "writing to memory does not fail: {error}");
    }
}

fn write_integer(output: &mut Vec<u8>, value: impl itoa::Integer) {
    output.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn write_money(output: &mut Vec<u8>, value: Money) {
    if value.minor_units() < 0 {
        output.push(b'-');
    }
    let magnitude = value.minor_units().unsigned_abs();
    output.extend_from_slice(itoa::Buffer::new().format(magnitude / 100).as_bytes());
    output.push(b'.');
    write_padded(output, magnitude % 100, 2);
}

/// RFC 3339 in UTC with six places, as a string. Years outside 0..=9999 do not occur: the clock is
/// the operating system's.
fn write_time(output: &mut Vec<u8>, value: UnixMicros) {
    let nanos = i128::from(value.get()) * 1_000;
    let time =
        OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    output.push(b'"');
    write_padded(output, u64::from(time.year().unsigned_abs()), 4);
    for (mark, part) in [
        (b'-', u8::from(time.month())),
        (b'-', time.day()),
        (b'T', time.hour()),
    ] {
        output.push(mark);
        write_padded(output, u64::from(part), 2);
    }
    for part in [time.minute(), time.second()] {
        output.push(b':');
        write_padded(output, u64::from(part), 2);
    }
    output.push(b'.');
    write_padded(output, u64::from(time.microsecond()), 6);
    output.extend_from_slice(b"Z\"");
}

fn write_padded(output: &mut Vec<u8>, value: u64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value);
    output.extend(std::iter::repeat_n(
        b'0',
        width.saturating_sub(digits.len()),
    ));
    output.extend_from_slice(digits.as_bytes());
}

#[cfg(test)]
mod tests {
    use double11_units::{Currency, Money, UnixMicros};

    use super::Object;

    fn object(write: impl FnOnce(&mut Object<'_>)) -> String {
        let mut output = Vec::new();
        let mut object = Object::begin(&mut output);
        write(&mut object);
        object.end();
        String::from_utf8(output).unwrap()
    }

    /// Ends a chain of calls.
    fn write(_: &mut Object<'_>) {}

    #[test]
    fn values_are_written_as_documented() {
        let money = |minor| Money::from_minor(minor, Currency::Cny);
        let amount = |minor| object(|it| write(it.money("a", money(minor))));
        let cases = [
            (amount(19_900), r#"{"a":199.00}"#),
            (amount(5), r#"{"a":0.05}"#),
            (amount(-123), r#"{"a":-1.23}"#),
            (amount(i64::MIN), r#"{"a":-92233720368547758.08}"#),
            (
                object(|it| write(it.id("a", i64::MAX))),
                r#"{"a":"9223372036854775807"}"#,
            ),
            (
                object(|it| write(it.text("a", "手\"\n"))),
                r#"{"a":"手\"\n"}"#,
            ),
            (
                object(|it| write(it.boolean("a", true).null("b"))),
                r#"{"a":true,"b":null}"#,
            ),
            (
                object(|it| write(it.time("a", UnixMicros::new(1_604_966_426_000_007)))),
                r#"{"a":"2020-11-10T00:00:26.000007Z"}"#,
            ),
            (object(|_| {}), "{}"),
        ];
        for (actual, expected) in cases {
            assert_eq!(actual, expected);
        }
    }
}
