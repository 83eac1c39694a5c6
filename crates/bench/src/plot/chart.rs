//! Panels with axes, lines and words, as SVG. Words are words, so that they can be searched and read aloud; the
//! picture follows the reader's light or dark.

use std::fmt::Write as _;

use super::Point;
use super::scale::Scale;
use crate::numbers::short;

const STYLE: &str = include_str!("style.css");

/// A line with its name at its right end.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    /// Its class in the style sheet: the colour.
    pub(super) class: &'static str,
    pub(super) is_dashed: bool,
    pub(super) points: Vec<Point>,
}

/// A panel.
#[derive(Debug)]
pub(super) struct Panel<'panel> {
    pub(super) title: &'panel str,
    pub(super) x_title: &'panel str,
    pub(super) x: Scale,
    pub(super) y: Scale,
    /// Places on the x axis that have a word; its own round values without any.
    pub(super) x_words: Vec<(f64, String)>,
    pub(super) lines: Vec<Line>,
    /// Left, top, width and height of the plain.
    pub(super) frame: (f64, f64, f64, f64),
}

/// A picture of panels.
pub(super) fn picture(
    (width, height): (f64, f64),
    (title, description): (&str, &str),
    panels: &[Panel<'_>],
    source: &str,
) -> Result<String, std::fmt::Error> {
    let mut svg = String::new();
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" aria-labelledby=\"title about\">"
    )?;
    writeln!(svg, "<title id=\"title\">{}</title>", escaped(title))?;
    writeln!(svg, "<desc id=\"about\">{}</desc>", escaped(description))?;
    writeln!(svg, "<style>{STYLE}</style>")?;
    writeln!(
        svg,
        "<rect class=\"page\" width=\"{width}\" height=\"{height}\"/>"
    )?;
    text(&mut svg, (24.0, 38.0), "heading", title)?;
    text(&mut svg, (24.0, 62.0), "about", description)?;
    for panel in panels {
        draw(&mut svg, panel)?;
    }
    text(&mut svg, (24.0, height - 16.0), "source", source)?;
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn draw(svg: &mut String, panel: &Panel<'_>) -> std::fmt::Result {
    let (left, top, width, height) = panel.frame;
    let x_of = |value: f64| left + panel.x.share(value) * width;
    let y_of = |value: f64| top + height - panel.y.share(value) * height;
    text(svg, (left, top - 14.0), "title", panel.title)?;
    for tick in panel.y.ticks() {
        let y = y_of(tick);
        rule(svg, "grid", ((left, y), (left + width, y)))?;
        text(svg, (left - 8.0, y + 4.0), "end", &tidy(tick))?;
    }
    let words = if panel.x_words.is_empty() {
        let ticks = panel.x.ticks().into_iter();
        ticks.map(|tick| (tick, tidy(tick))).collect()
    } else {
        panel.x_words.clone()
    };
    for (value, word) in words {
        let x = x_of(value);
        rule(svg, "axis", ((x, top + height), (x, top + height + 5.0)))?;
        text(svg, (x, top + height + 20.0), "middle", &word)?;
    }
    rule(
        svg,
        "axis",
        ((left, top + height), (left + width, top + height)),
    )?;
    let middle = (left + width / 2.0, top + height + 40.0);
    text(svg, middle, "middle", panel.x_title)?;
    if panel.lines.iter().all(|line| line.points.is_empty()) {
        let middle = (left + width / 2.0, top + height / 2.0);
        return text(svg, middle, "middle", "not measured");
    }
    for line in &panel.lines {
        let dashed = if line.is_dashed { " dashed" } else { "" };
        let places: Vec<String> = line
            .points
            .iter()
            .map(|(x, y)| format!("{:.1},{:.1}", x_of(*x), y_of(*y)))
            .collect();
        let (class, places) = (line.class, places.join(" "));
        writeln!(
            svg,
            "<polyline class=\"line {class}{dashed}\" points=\"{places}\"/>"
        )?;
        if !line.is_dashed {
            for (x, y) in &line.points {
                let word = format!("{}: {} at {}", line.name, short(*y), short(*x));
                writeln!(
                    svg,
                    "<circle class=\"dot {class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\">\
                     <title>{}</title></circle>",
                    x_of(*x),
                    y_of(*y),
                    escaped(&word)
                )?;
            }
        }
    }
    names(svg, panel, y_of)
}

/// The names of the lines at their right ends, moved apart where they would lie on one another.
fn names(svg: &mut String, panel: &Panel<'_>, y_of: impl Fn(f64) -> f64) -> std::fmt::Result {
    const APART: f64 = 17.0;
    let (left, top, width, height) = panel.frame;
    let mut places: Vec<(f64, &Line)> = panel
        .lines
        .iter()
        .filter(|line| !line.name.is_empty())
        .filter_map(|line| Some((y_of(line.points.last()?.1) + 4.0, line)))
        .collect();
    places.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = f64::NEG_INFINITY;
    for (y, _) in &mut places {
        *y = y.max(free);
        free = *y + APART;
    }
    // What was pushed below the plain is pushed back from below.
    let mut free = top + height + 4.0;
    for (y, _) in places.iter_mut().rev() {
        *y = y.min(free);
        free = *y - APART;
    }
    for (y, line) in places {
        let class = format!("name {}", line.class);
        text(svg, (left + width + 10.0, y), &class, line.name)?;
    }
    Ok(())
}

fn rule(svg: &mut String, class: &str, (from, to): (Point, Point)) -> std::fmt::Result {
    writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        from.0, from.1, to.0, to.1
    )
}

fn text(svg: &mut String, (x, y): Point, class: &str, words: &str) -> std::fmt::Result {
    let words = escaped(words);
    writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>"
    )
}

/// A tick without needless digits.
fn tidy(value: f64) -> String {
    if value.fract().abs() < 1e-9 && value.abs() < 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 100.0 {
        short(value)
    } else {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped_and_ticks_are_tidy() {
        assert_eq!(escaped("a < b & c"), "a &lt; b &amp; c");
        let ticks = [0.0, 0.25, 0.1, 5.0, 12.5, 20_000.0].map(tidy);
        assert_eq!(ticks, ["0", "0.25", "0.1", "5", "12.5", "20,000"]);
    }

    #[test]
    fn an_empty_panel_says_so() {
        let panel = Panel {
            title: "t",
            x_title: "x",
            x: Scale::from_zero(1.0),
            y: Scale::from_zero(1.0),
            x_words: Vec::new(),
            lines: Vec::new(),
            frame: (10.0, 10.0, 80.0, 80.0),
        };
        let svg = picture((100.0, 100.0), ("a", "b"), &[panel], "s").unwrap();
        assert!(
            svg.contains("not measured") && svg.ends_with("</svg>\n"),
            "{svg}"
        );
    }
}
