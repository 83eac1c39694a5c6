//! Ways to steer a page that only the tests of this crate need.

use std::path::Path;

use serde_json::json;

use crate::browser_check::webdriver::decode_base64;
use crate::browser_check::{Browser, View};

impl Browser {
    /// Opens a page in a view without looking for faults, and waits until it is drawn.
    pub(crate) fn show(&mut self, page: &Path, view: View) {
        self.session.look(view);
        let page = page.canonicalize().expect("the page exists");
        self.session.open(&format!("file://{}", page.display()));
        self.run(
            "const done = arguments[0]; \
             document.fonts.ready.then(() => setTimeout(() => done([]), 300));",
        );
    }

    /// Runs a script in the open page that calls its one argument with a list of texts.
    pub(crate) fn run(&mut self, script: &str) -> Vec<String> {
        self.session.run(script, &json!([]))
    }

    /// Writes a picture of one element of the open page, found by a CSS selector; false where there
    /// is none.
    pub(crate) fn picture_of(&mut self, selector: &str, file: &Path) -> bool {
        let script = "const [selector, done] = arguments; \
                      const at = document.querySelector(selector); \
                      const box = at?.getBoundingClientRect(); \
                      const edges = box && [box.left + scrollX, box.top + scrollY, box.width, box.height]; \
                      done(edges ? edges.map(String) : []);";
        let edges: Vec<f64> = self
            .session
            .run(script, &json!([selector]))
            .iter()
            .map(|edge| edge.parse().expect("an edge is a number"))
            .collect();
        let [x, y, width, height] = edges[..] else {
            return false;
        };
        let clip = json!({"x": x, "y": y, "width": width, "height": height, "scale": 1});
        let part = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let answer = self.session.devtools("Page.captureScreenshot", &part);
        let picture = decode_base64(answer["data"].as_str().expect("a picture comes as Base64"));
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).expect("the folder of the pictures can be made");
        }
        std::fs::write(file, picture).expect("the picture can be written");
        true
    }
}
