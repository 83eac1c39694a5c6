// What the sample's panels say, word by word, and what is wrong with it. The one argument is the callback.
const done = arguments[arguments.length - 1];
const problems = [];
const panel = (title) => [...document.querySelectorAll(".panel")].find((each) => each.querySelector(".title").textContent === title);
const says = (title, ...words) => {
  const text = panel(title)?.innerText ?? "";
  for (const word of words) if (!text.includes(word)) problems.push(`${title} does not say “${word}”: ${text}`);
};
says("Two axes", "per second", "Memory", "Mean", "Max", "Last");
says("Stacked bars", "one", "two");
says("Mapped", "running");
says("Several", "one", "two", "1.5 KiB");
says("Gauge", "0%", "42%", "100%");
says("Two gauges", "25.0%", "75.0%");
says("Bars", "alpha", "30 ms", "beta", "1.2 s");
says("Heatmap", "a column");
says("Joined", "variant", "Requests", "Errors", "before", "after", "12", "3");
says("Words", "A heading", "bold", "<b>no markup</b>");
says("States", "up", "down");
says("Nothing", "No data");
says("Refused", "Prometheus refused the query", "parse error");
says("Half refused", "Prometheus refused the query", "the other half");
says("Unknown type", "“piechart”");
says("Folded away", "7");
const bold = panel("Words").querySelector("strong")?.textContent;
if (bold !== "bold") problems.push(`the bold word is ${bold}`);
if (panel("Words").querySelector("b")) problems.push("markup in a text became markup of the page");
// A stack shows every series: the colour of each fills a good part of the picture.
const stack = panel("Stacked bars");
const canvas = stack.querySelector("canvas");
const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
const near = (at, wanted) => data[at + 3] > 100 && wanted.every((part, channel) => Math.abs(data[at + channel] - part) < 60);
for (const button of stack.querySelectorAll(".legend button")) {
  const wanted = getComputedStyle(button.querySelector("i")).color.match(/\d+/g).map(Number).slice(0, 3);
  let pixels = 0;
  for (let at = 0; at < data.length; at += 4) pixels += near(at, wanted) ? 1 : 0;
  if (pixels < canvas.width * canvas.height * 0.04) problems.push(`${button.textContent} is hidden in its stack: ${pixels} pixels`);
}
const colour = (title) => getComputedStyle(panel(title).querySelector(".tile strong")).color;
if (colour("Gauge threshold green") === colour("Gauge threshold red")) problems.push("thresholds have no colours");
done(problems);
