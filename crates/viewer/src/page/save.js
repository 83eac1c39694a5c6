"use strict";
// The page as one file that needs no server: its scripts, its styles, and the answers it shows.
viewer.save = (() => {
  const text = async (address) => (await fetch(address)).text();
  const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

  // The closing tags below are broken, so that this script can stand in a page itself.
  const build = async (state, settings, dashboard) => {
    const styles = await Promise.all([...document.querySelectorAll("link[rel=stylesheet]")].map((link) => text(link.href)));
    const scripts = await Promise.all([...document.querySelectorAll("script[src]")].map((script) => text(script.src)));
    const kept = {
      state,
      settings: { ...settings, dashboards: { [state.language]: [dashboard] } },
      answers: viewer.query.answers(),
      saved: viewer.time.stamp(Date.now()),
    };
    const title = `<title>${document.title.replace(/&/g, "&amp;").replace(/</g, "&lt;")}</title>`;
    // A closing tag within the data would end the element early.
    const data = JSON.stringify(kept).replace(/</g, "\\u003c");
    return [
      `<!DOCTYPE html>\n<html lang="${state.language}">\n<head>\n<meta charset="utf-8">`,
      `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
      `<meta name="viewport" content="width=device-width, initial-scale=1">\n${title}`,
      ...styles.map((style) => `<style>\n${style}\n<\/style>`),
      `</head>\n<body>\n<div id="app"></div>\n<script type="application/json" id="frozen">${data}<\/script>`,
      ...scripts.map((script) => `<script>\n${script}\n<\/script>`),
      "</body>\n</html>\n",
    ].join("\n");
  };

  const download = (page, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([page], { type: "text/html" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1e3);
  };
  return { build, download };
})();
