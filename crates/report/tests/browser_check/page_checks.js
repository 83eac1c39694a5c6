// Looks at a rendered page as a reader would and returns what is wrong with it, as a list of
// "kind: detail". Runs as the body of a WebDriver async script: arguments are the view's width and
// the callback.
const [viewWidth, done] = arguments;
const problems = [];
const report = (kind, detail) => problems.push(`${kind}: ${detail}`);
const NEAR = 1.5;

const name = (element) => {
  const id = element.id ? `#${element.id}` : "";
  const classes = typeof element.className === "string" && element.className ? `.${element.className.trim().split(/\s+/).join(".")}` : "";
  return `<${element.tagName.toLowerCase()}${id}${classes}>`;
};
const quote = (text) => `“${text.trim().replace(/\s+/g, " ").slice(0, 50)}”`;
const ancestors = (element) => {
  const list = [];
  for (let at = element; at && at !== document.documentElement; at = at.parentElement) list.push(at);
  return list;
};
// Text for screen readers only is cut to nothing on purpose.
const onlyForReaders = (element) => ancestors(element).some((at) => getComputedStyle(at).clipPath === "inset(50%)");
const scrolls = (style) => ["auto", "scroll"].includes(style.overflowX) || ["auto", "scroll"].includes(style.overflowY);
const cuts = (overflow) => overflow === "hidden" || overflow === "clip";

const visibleTexts = () => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("script, style, noscript, template")) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (onlyForReaders(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const rects = [...range.getClientRects()].filter((rect) => rect.width > 0.5 && rect.height > 0.5);
    if (rects.length) texts.push({ node, element, rects });
  }
  return texts;
};

const checkSideways = () => {
  const width = document.scrollingElement.scrollWidth;
  if (width > viewWidth) report("sideways", `the page is ${width} px wide in a view of ${viewWidth} px`);
};

const checkCutTexts = (texts) => {
  for (const { node, element, rects } of texts) {
    let inScroller = false;
    const box = ancestors(element).find((at) => getComputedStyle(at).display !== "inline");
    const edge = box.getBoundingClientRect();
    const boxStyle = getComputedStyle(box);
    const open = !cuts(boxStyle.overflowX) && !scrolls(boxStyle);
    if (open && rects.some((rect) => rect.left < edge.left - NEAR || rect.right > edge.right + NEAR))
      report("spilled", `${quote(node.data)} runs out of ${name(box)}`);
    for (const at of ancestors(element)) {
      const style = getComputedStyle(at);
      if (scrolls(style)) {
        inScroller = true;
        break;
      }
      const bounds = at.getBoundingClientRect();
      const cutX = cuts(style.overflowX) && rects.some((rect) => rect.left < bounds.left - NEAR || rect.right > bounds.right + NEAR);
      const cutY = cuts(style.overflowY) && rects.some((rect) => rect.top < bounds.top - NEAR || rect.bottom > bounds.bottom + NEAR);
      if (cutX || cutY) {
        report("clipped", `${quote(node.data)} is cut off by ${name(at)}`);
        break;
      }
    }
    if (!inScroller && rects.some((rect) => rect.left < -NEAR || rect.right > viewWidth + NEAR))
      report("clipped", `${quote(node.data)} lies outside of the page`);
  }
};

// What a scrolling ancestor hides cannot overlap anything outside of it.
const shown = (element, rect) => {
  let { left, right, top, bottom } = rect;
  for (const at of ancestors(element)) {
    if (!scrolls(getComputedStyle(at))) continue;
    const bounds = at.getBoundingClientRect();
    left = Math.max(left, bounds.left);
    right = Math.min(right, bounds.right);
    top = Math.max(top, bounds.top);
    bottom = Math.min(bottom, bounds.bottom);
  }
  return right > left && bottom > top ? { left, right, top, bottom } : null;
};
const meet = (one, other) =>
  Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2 &&
  Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2;

const checkOverlaps = (texts) => {
  const blocks = [];
  for (const { node, element, rects } of texts) {
    for (const rect of rects) {
      // A line's box is taller than its letters; only letters that touch are a fault.
      const inset = rect.height * 0.2;
      const seen = shown(element, { left: rect.left, right: rect.right, top: rect.top + inset, bottom: rect.bottom - inset });
      if (seen) blocks.push({ node, element, what: quote(node.data), ...seen });
    }
  }
  for (const picture of document.querySelectorAll("canvas, img, svg")) {
    if (!picture.checkVisibility()) continue;
    const seen = shown(picture, picture.getBoundingClientRect());
    if (seen) blocks.push({ node: picture, element: picture, what: name(picture), ...seen });
  }
  blocks.sort((one, other) => one.top - other.top);
  blocks.forEach((one, index) => {
    for (let next = index + 1; next < blocks.length && blocks[next].top < one.bottom; next += 1) {
      const other = blocks[next];
      if (one.node !== other.node && meet(one, other)) report("overlap", `${one.what} and ${other.what}`);
    }
  });
};

// A chart without data still has grey axes: only coloured pixels count as drawn.
const colouredPixels = (canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let coloured = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, alpha] = [data[at], data[at + 1], data[at + 2], data[at + 3]];
    if (alpha > 20 && Math.max(red, green, blue) - Math.min(red, green, blue) > 30) coloured += 1;
  }
  return coloured;
};
const checkPictures = () => {
  for (const canvas of document.querySelectorAll("canvas")) {
    const place = canvas.closest("[id]");
    const where = place ? name(place) : name(canvas);
    if (!canvas.width || !canvas.height) report("blank", `the canvas in ${where} has no size`);
    else if (colouredPixels(canvas) < 30) report("blank", `nothing is drawn in ${where}`);
  }
  for (const place of document.querySelectorAll(".chart")) {
    if (!place.querySelector("canvas")) report("blank", `${name(place)} has no canvas`);
  }
};

const checkEmptyParts = () => {
  for (const part of document.querySelectorAll("section, figure, table, ul, ol")) {
    if (!part.checkVisibility()) continue;
    const headings = [...part.querySelectorAll("h1, h2, h3, figcaption, caption")].map((at) => at.innerText.length);
    const rest = part.innerText.trim().length - headings.reduce((sum, length) => sum + length, 0);
    const empty = part.matches("table") ? !part.querySelector("tbody td") : rest < 1 && !part.querySelector("canvas, img, svg");
    if (empty) report("empty", name(part));
  }
};

const rgba = (colour) => {
  const parts = colour.match(/[\d.]+/g).map(Number);
  return { red: parts[0], green: parts[1], blue: parts[2], alpha: parts[3] ?? 1 };
};
const over = (top, below) => {
  const mix = (key) => top[key] * top.alpha + below[key] * (1 - top.alpha);
  return { red: mix("red"), green: mix("green"), blue: mix("blue"), alpha: 1 };
};
const backgroundOf = (element) => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  const canvas = dark ? { red: 18, green: 18, blue: 18, alpha: 1 } : { red: 255, green: 255, blue: 255, alpha: 1 };
  const layers = [...ancestors(element), document.documentElement].map((at) => rgba(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((below, layer) => over(layer, below), canvas);
};
// Source: WCAG 2.2, relative luminance and contrast ratio; 4.5 is level AA for plain text.
const luminance = ({ red, green, blue }) => {
  const linear = (channel) => (channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
};
const checkContrast = (texts) => {
  for (const { node, element } of texts) {
    const back = backgroundOf(element);
    const [low, high] = [luminance(back), luminance(over(rgba(getComputedStyle(element).color), back))].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) report("contrast", `${quote(node.data)} has ${ratio.toFixed(2)} : 1`);
  }
};

const checkRequests = () => {
  for (const { name: address } of performance.getEntriesByType("resource"))
    if (!address.startsWith("data:")) report("request", address);
};

// A chart has to tell its values when it is pointed at.
const pointAtCharts = () => {
  for (const over of document.querySelectorAll(".chart .u-over")) {
    const { left, top, width, height } = over.getBoundingClientRect();
    const at = { clientX: left + width * 0.4, clientY: top + height * 0.5, bubbles: true };
    over.dispatchEvent(new MouseEvent("mouseenter", at));
    over.dispatchEvent(new MouseEvent("mousemove", at));
  }
};
const checkLegends = () => {
  for (const legend of document.querySelectorAll(".chart .u-legend")) {
    const values = [...legend.querySelectorAll(".u-value")].map((value) => value.textContent.trim());
    if (!values.some((value) => /\d|\w/.test(value))) report("silent", `the legend of ${name(legend.closest(".chart"))} says ${values.join(" ")}`);
  }
};

const run = () => {
  const texts = visibleTexts();
  checkSideways();
  checkCutTexts(texts);
  checkOverlaps(texts);
  checkPictures();
  checkEmptyParts();
  checkContrast(texts);
  checkRequests();
};
// Two frames after the fonts are there everything that scripts draw has been drawn.
document.fonts.ready.then(() =>
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      try {
        run();
        pointAtCharts();
        requestAnimationFrame(() => {
          checkLegends();
          done(problems);
        });
      } catch (error) {
        done([`checker: ${error.stack}`]);
      }
    })));
