//! The curve of an overload: good answers beside the bound, their P99, what was shed by class, and the shop that is
//! bound by its store.

use super::chart::{self, Line, Panel};
use super::scale::Scale;
use super::{Curves, Point, source};
use crate::record::Record;

const SIZE: (f64, f64) = (1_200.0, 860.0);
const SHED: [(&str, &str, &str); 6] = [
    ("overload shed browse", "browse", "class-0"),
    ("overload shed search", "search", "class-1"),
    ("overload shed detail", "detail", "class-2"),
    ("overload shed cart", "cart", "class-3"),
    ("overload shed order", "order", "class-4"),
    ("overload shed payment", "payment", "class-5"),
];
const OFFERED: &str = "overload offered";
const ORDERS: &str = "overload of orders offered";

/// Draws the picture.
pub(super) fn picture(curves: &Curves, record: &Record) -> anyhow::Result<String> {
    let offered = curves.get(OFFERED);
    let store = curves.get("store-bound offered");
    anyhow::ensure!(
        !offered.is_empty() || !store.is_empty() || !curves.get(ORDERS).is_empty(),
        "the record has no overload: measure the rows overload and store-bound"
    );
    let panels = [
        good(curves),
        p99(curves, most(offered)),
        shed(curves, most(offered)),
        store_bound(curves, most(store)),
    ];
    let words = (
        "What is left when more comes than can be served",
        "Offered load grows from half of the capacity to what the load engine reaches. The bound is what is left when every rejection takes its share.",
    );
    Ok(chart::picture(SIZE, words, &panels, &source(record))?)
}

fn line(name: &'static str, class: &'static str, points: Vec<Point>) -> Line {
    Line {
        name,
        class,
        is_dashed: false,
        points,
    }
}

fn dashed(line: Line) -> Line {
    Line {
        is_dashed: true,
        ..line
    }
}

/// The largest value of a curve.
fn most(points: &[Point]) -> f64 {
    points.iter().map(|point| point.1).fold(1.0, f64::max)
}

/// The line on which everything that is offered is answered, up to the capacity.
fn all(capacity: f64, most: f64) -> Vec<Point> {
    let end = capacity.min(most);
    vec![(0.0, 0.0), (end, end)]
}

fn good(curves: &Curves) -> Panel<'static> {
    let good = curves.over(ORDERS, "overload of orders good answers");
    let mut bound = curves.over(ORDERS, "overload of orders bound");
    let capacity = curves.get("overload of orders capacity").first();
    if let Some((_, capacity)) = capacity {
        // The corner of the bound lies between two points.
        bound.extend([(0.0, 0.0), (*capacity, *capacity)]);
        bound.sort_by(|one, other| one.0.total_cmp(&other.0));
    }
    let right = bound.iter().map(|point| point.0);
    Panel {
        title: "Orders alone: good answers a second",
        x_title: "orders a second that reach the shop",
        x: Scale::from_zero(right.fold(most(curves.get(ORDERS)), f64::max)),
        y: Scale::from_zero(most(&good).max(most(&bound))),
        x_words: Vec::new(),
        lines: vec![
            dashed(line("bound", "bound", bound)),
            line("good answers", "good", good),
        ],
        frame: (80.0, 116.0, 390.0, 260.0),
    }
}

fn p99(curves: &Curves, offered_most: f64) -> Panel<'static> {
    let mixed = curves.over(OFFERED, "overload P99 of good answers");
    let orders = curves.over(ORDERS, "overload of orders P99 of good answers");
    let both: Vec<Point> = mixed.iter().chain(&orders).copied().collect();
    Panel {
        title: "P99 of the good answers, ms",
        x_title: "requests a second that reach the shop",
        x: Scale::from_zero(offered_most.max(most(curves.get(ORDERS)))),
        y: times(&both),
        x_words: Vec::new(),
        lines: vec![line("mixed", "bad", mixed), line("orders", "good", orders)],
        frame: (660.0, 116.0, 390.0, 260.0),
    }
}

/// An axis of times in whole powers of ten.
fn times(points: &[Point]) -> Scale {
    let values = points.iter().map(|point| point.1.max(0.01));
    let least = values.clone().fold(f64::INFINITY, f64::min);
    Scale::decades(least.min(1e6), values.fold(0.02, f64::max))
}

fn shed(curves: &Curves, offered_most: f64) -> Panel<'static> {
    let mut lines: Vec<Line> = SHED
        .into_iter()
        .map(|(curve, name, class)| line(name, class, curves.over(OFFERED, curve)))
        .collect();
    let good = curves.over(OFFERED, "overload good answers");
    lines.push(dashed(line("answered", "offered", good)));
    let y = lines
        .iter()
        .map(|line| most(&line.points))
        .fold(1.0, f64::max);
    Panel {
        title: "Mixed requests: shed a second, by class, and answered",
        x_title: "requests a second that reach the shop",
        x: Scale::from_zero(offered_most),
        y: Scale::from_zero(y),
        x_words: Vec::new(),
        lines,
        frame: (80.0, 498.0, 390.0, 260.0),
    }
}

fn store_bound(curves: &Curves, offered_most: f64) -> Panel<'static> {
    let offered = "store-bound offered";
    let good = curves.over(offered, "store-bound good answers");
    let best = most(&good);
    Panel {
        title: "Good answers a second; commits of 32 orders take 10 ms",
        x_title: "orders a second that reach the shop",
        x: Scale::from_zero(offered_most),
        y: Scale::from_zero(best),
        x_words: Vec::new(),
        lines: vec![
            dashed(line("all offered", "offered", all(best, offered_most))),
            line("good answers", "good", good),
        ],
        frame: (660.0, 498.0, 390.0, 260.0),
    }
}
