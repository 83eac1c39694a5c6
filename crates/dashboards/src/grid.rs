//! Places panels on Grafana's grid, from left to right and from top to bottom.

use crate::model::{Element, GridPosition, Panel, PanelType, Row};

const COLUMNS: u32 = 24;

/// A dashboard's panels while they are placed.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    elements: Vec<Element>,
    ids: u32,
    x: u32,
    y: u32,
    /// The height of the highest panel of the line that is being filled.
    line_height: u32,
    /// The row that takes the panels, where it is a closed one.
    closed: Option<Row>,
}

impl Grid {
    /// A heading; the panels that follow are seen at once.
    pub(crate) fn heading(&mut self, title: &str) {
        let row = self.row(title, false);
        self.elements.push(Element::Row(row));
    }

    /// A heading that the reader has to open; until then no query of its panels runs.
    pub(crate) fn closed(&mut self, title: &str) {
        let row = self.row(title, true);
        self.closed = Some(row);
    }

    /// A panel of this width and height, beside the last one where there is room.
    pub(crate) fn add(&mut self, (width, height): (u32, u32), mut panel: Panel) {
        if self.x + width > COLUMNS {
            self.next_line();
        }
        panel.id = self.next_id();
        panel.grid_pos = GridPosition {
            h: height,
            w: width,
            x: self.x,
            y: self.y,
        };
        self.x += width;
        self.line_height = self.line_height.max(height);
        match &mut self.closed {
            Some(row) => row.panels.push(panel),
            None => self.elements.push(Element::Panel(Box::new(panel))),
        }
    }

    /// Everything, with its place.
    pub(crate) fn finish(mut self) -> Vec<Element> {
        self.end_closed();
        self.elements
    }

    fn row(&mut self, title: &str, collapsed: bool) -> Row {
        self.end_closed();
        self.next_line();
        let row = Row {
            id: self.next_id(),
            kind: PanelType::Row,
            title: title.to_owned(),
            collapsed,
            grid_pos: GridPosition {
                h: 1,
                w: COLUMNS,
                x: 0,
                y: self.y,
            },
            panels: Vec::new(),
        };
        self.y += 1;
        row
    }

    /// A closed row takes one line, whatever is in it.
    fn end_closed(&mut self) {
        if let Some(row) = self.closed.take() {
            self.y = row.grid_pos.y + 1;
            self.x = 0;
            self.line_height = 0;
            self.elements.push(Element::Row(row));
        }
    }

    fn next_line(&mut self) {
        self.x = 0;
        self.y += self.line_height;
        self.line_height = 0;
    }

    fn next_id(&mut self) -> u32 {
        self.ids += 1;
        self.ids
    }
}
