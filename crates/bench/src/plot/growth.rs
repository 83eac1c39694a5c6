//! How cost grows: for each thing that grows the orders per second, and below the shop's processor time of one.

use super::chart::{self, Line, Panel};
use super::scale::Scale;
use super::{Curves, Point, source};
use crate::numbers::grouped;
use crate::record::Record;

const SIZE: (f64, f64) = (1_200.0, 720.0);
const GROWING: [(&str, &str); 4] = [
    ("products", "products in the catalogue"),
    ("buyers", "buyers, a connection each"),
    ("stored orders", "orders already stored"),
    ("processors", "processors of shop and engine"),
];
const WIDTH: f64 = 210.0;
const HEIGHT: f64 = 200.0;

/// Draws the picture.
pub(super) fn picture(curves: &Curves, record: &Record) -> anyhow::Result<String> {
    let curve = |what: &str, which: &str| curves.get(&format!("growth {what}: {which}")).to_vec();
    let every = |which: &str| {
        let curves = GROWING.iter().flat_map(|(what, _)| curve(what, which));
        curves.map(|point| point.1).fold(0.0, f64::max)
    };
    let (rate_most, cost_most) = (every("rate"), every("cost"));
    anyhow::ensure!(
        rate_most > 0.0,
        "the record has no growth: measure the row growth"
    );
    let mut panels = Vec::new();
    let mut left = 74.0;
    for (what, x_title) in GROWING {
        let rows = [
            ("rate", "Orders a second", rate_most, "good", 116.0),
            ("cost", "Shop, µs an order", cost_most, "bad", 416.0),
        ];
        for (which, title, most, class, top) in rows {
            let points = curve(what, which);
            let (x, x_words, points) = axis(&points);
            let line = Line {
                name: "",
                class,
                is_dashed: false,
                points,
            };
            panels.push(Panel {
                title,
                x_title,
                x,
                y: Scale::from_zero(most),
                x_words,
                lines: vec![line],
                frame: (left, top, WIDTH, HEIGHT),
            });
        }
        left += WIDTH + 75.0;
    }
    let words = (
        "How the cost of an order grows",
        "One thing changes at a time; buyers wait for their answers; shop and load engine share the processors.",
    );
    Ok(chart::picture(SIZE, words, &panels, &source(record))?)
}

/// An axis on which every point has its word. Points are as far apart as their logarithms; none has a
/// place of its own at the left.
fn axis(points: &[Point]) -> (Scale, Vec<(f64, String)>, Vec<Point>) {
    let above = points.iter().map(|point| point.0).filter(|x| *x > 0.0);
    let least = above.clone().fold(f64::INFINITY, f64::min);
    let most = above.fold(1.0, f64::max);
    let has_zero = points.iter().any(|point| point.0 <= 0.0);
    let zero = least.min(most) / 10.0;
    let first = if has_zero { zero } else { least.min(most) };
    let placed: Vec<Point> = points
        .iter()
        .map(|(x, y)| (if *x > 0.0 { *x } else { zero }, *y))
        .collect();
    let words = points
        .iter()
        .zip(&placed)
        .map(|((x, _), (place, _))| (*place, word(*x)))
        .collect();
    // A little room on both sides.
    let room = (most / first).max(1.5).powf(0.08);
    (Scale::logarithmic(first / room, most * room), words, placed)
}

fn word(count: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count; a float cast saturates"
    )]
    let count = count as u64;
    match count {
        0..10_000 => grouped(count),
        _ if count.is_multiple_of(1_000_000) => format!("{} M", count / 1_000_000),
        _ => format!("{} k", grouped(count / 1_000)),
    }
}
