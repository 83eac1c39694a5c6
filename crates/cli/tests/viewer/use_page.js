// Uses the page as a reader does, by mouse and by keys, and returns what went wrong. The one argument is the
// callback.
const done = arguments[arguments.length - 1];
const problems = [];
const expect = (holds, what) => holds || problems.push(what);
const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
const until = async (holds, what) => {
  const began = Date.now();
  while (!holds()) {
    if (Date.now() - began > 20000) throw new Error(`${what} does not happen`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const ready = () => until(() => document.documentElement.dataset.state === "ready", "the page's rest");
const key = (place, name) => place.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
const tip = () => document.querySelector(".tip:not([hidden])")?.textContent ?? "";
const address = () => new URLSearchParams(location.search);

const readByKeys = async (id) => {
  const chart = document.querySelector(`#panel-${id} .chart`);
  chart.focus();
  expect(document.activeElement === chart, `${id}: keys cannot reach it`);
  key(chart, "End");
  await frame();
  const last = tip();
  expect(/\d/.test(last), `${id}: the end reads nothing: ${last}`);
  key(chart, "ArrowLeft");
  key(chart, "ArrowLeft");
  await frame();
  expect(tip() !== last && /\d/.test(tip()), `${id}: the arrow keys do not move: ${tip()}`);
  key(chart, "Escape");
  await frame();
  expect(!tip(), `${id}: Escape leaves ${tip()}`);
};
const hideASeries = async () => {
  const panel = document.querySelector('.panel[data-type="timeseries"]');
  const pixels = () => panel.querySelector("canvas").toDataURL();
  const [button] = panel.querySelectorAll(".legend button");
  const whole = pixels();
  button.click();
  await frame();
  expect(pixels() !== whole && button.getAttribute("aria-pressed") === "false", "a series cannot be hidden");
  button.click();
  await frame();
  expect(pixels() === whole, "a series does not come back");
};
const lookBehind = async () => {
  const panel = document.querySelector('.panel[data-type="timeseries"]');
  panel.querySelector("button.about").click();
  const dialog = document.querySelector("dialog[open]");
  expect(dialog.querySelector(".queries code").textContent.includes("["), "the query as it was sent is not shown");
  expect(!dialog.textContent.includes("$__"), "something was not put in its place");
  expect(dialog.querySelectorAll("tbody tr").length > 5, "no values behind the panel");
  dialog.querySelector("header button").click();
  await frame();
  expect(!document.querySelector("dialog"), "the dialog stays");
};
const choose = async (selector, value) => {
  const control = document.querySelector(selector);
  control.value = value;
  control.dispatchEvent(new Event("change", { bubbles: true }));
  await ready();
};
const otherLanguageAndBoard = async () => {
  const title = document.querySelector("h1").textContent;
  await choose("[data-control=language]", "zh-TW");
  expect(document.documentElement.lang === "zh-TW", "the page does not say its language");
  expect(document.querySelector("h1").textContent !== title, "the title stays English");
  expect(document.querySelector(".not-grafana").textContent.includes("不是 Grafana"), "it does not say that it is not Grafana");
  await choose("[data-control=language]", "en");
  expect(document.querySelector("h1").textContent === title, "it does not come back");
  expect(document.querySelector(".not-grafana").textContent.includes("not Grafana"), "it does not say that it is not Grafana");
};
const wrongTimes = async () => {
  const before = location.search;
  const form = document.querySelector(".from-to");
  const set = async (from, to) => {
    form.elements.from.value = from;
    form.elements.to.value = to;
    form.requestSubmit();
    await frame();
    return form.querySelector(".error").textContent;
  };
  expect((await set("soon", "now")).includes("“soon”"), "a wrong time is not named");
  expect((await set("now", "now-5m")).includes("ends before"), "a range that ends first is taken");
  expect(location.search === before, "a wrong range is asked for");
};
const enlarge = async () => {
  const over = document.querySelector(".panel[data-type=timeseries] .u-over");
  const box = over.getBoundingClientRect();
  const at = (share) => ({ clientX: box.left + box.width * share, clientY: box.top + 20, bubbles: true, button: 0, movementX: 9 });
  over.dispatchEvent(new MouseEvent("mouseenter", at(0.3)));
  over.dispatchEvent(new MouseEvent("mousemove", at(0.3)));
  over.dispatchEvent(new MouseEvent("mousedown", at(0.3)));
  document.dispatchEvent(new MouseEvent("mousemove", at(0.8)));
  over.dispatchEvent(new MouseEvent("mousemove", at(0.8)));
  const length = () => Number(address().get("to")) - Number(address().get("from"));
  const whole = length();
  document.dispatchEvent(new MouseEvent("mouseup", at(0.8)));
  await until(() => length() !== whole, "the enlarging of a stretch");
  expect(Math.abs(length() / whole - 0.5) < 0.1, `a half becomes ${length() / whole}`);
  await ready();
  history.replaceState(null, "", location.search);
};
const undoTheShift = async () => {
  document.querySelector(".shift button").click();
  await ready();
  expect(!address().has("var-baseline_shift") && !document.querySelector(".shift"), "the shift stays");
};
const lightAndDark = async () => {
  const scheme = () => getComputedStyle(document.documentElement).colorScheme;
  const before = scheme();
  document.querySelector(".theme").click();
  await frame();
  expect(scheme() !== before, "the button changes nothing");
  document.querySelector(".theme").click();
};
(async () => {
  const search = location.search;
  for (const panel of document.querySelectorAll('.panel:is([data-type="timeseries"], [data-type="heatmap"])')) await readByKeys(panel.id.slice(6));
  await hideASeries();
  await lookBehind();
  await otherLanguageAndBoard();
  await wrongTimes();
  await lightAndDark();
  const length = performance.getEntriesByType("resource").filter(({ name }) => !name.startsWith(location.origin) && !name.startsWith("data:")).length;
  expect(!length, "something came from elsewhere");
  expect(location.search === search, `the address moved from ${search} to ${location.search}`);
  await enlarge();
  await undoTheShift();
  done(problems);
})().catch((error) => done([...problems, `checker: ${error.stack}`]));
