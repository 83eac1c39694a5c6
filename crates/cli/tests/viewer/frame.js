// Gives a row of its own to the panels of these ids and calls back with its place on the page.
const [ids, done] = arguments;
const wanted = ids.map((id) => document.getElementById(`panel-${id}`));
document.querySelectorAll(".panel").forEach((panel) => {
  panel.hidden = !wanted.includes(panel);
});
document.querySelectorAll("main > section").forEach((section) => {
  section.hidden = !wanted.some((panel) => section.contains(panel));
});
document.querySelectorAll("main h2").forEach((heading) => {
  heading.hidden = true;
});
const grid = wanted[0].parentElement;
const width = wanted.map((panel) => (panel.dataset.type === "stat" ? 8 : 0));
const rest = (24 - width.reduce((sum, each) => sum + each, 0)) / width.filter((each) => !each).length;
let column = 1;
wanted.forEach((panel, index) => {
  grid.append(panel);
  const own = width[index] || rest;
  panel.style.gridRow = "1 / span 10";
  panel.style.gridColumn = `${column} / span ${own}`;
  column += own;
});
setTimeout(() => {
  const { left, top, width: across, height } = grid.getBoundingClientRect();
  done([left + scrollX - 4, top + scrollY - 3, across + 8, height + 8].map(String));
}, 600);
