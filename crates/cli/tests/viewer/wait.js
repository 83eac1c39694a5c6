// Waits until the page has come to rest, opens what is folded, and waits for that too. Calls back with the
// state of the page.
const done = arguments[arguments.length - 1];
const began = Date.now();
const state = () => document.documentElement.dataset.state;
const isBusy = () => [...document.querySelectorAll(".panel")].some((panel) => panel.checkVisibility() && (panel.dataset.state === "loading" || panel.hasAttribute("aria-busy")));
const rest = () => {
  if (Date.now() - began > 30000) return done([`${state()}, busy: ${isBusy()}`]);
  if (!["ready", "failed"].includes(state())) return setTimeout(rest, 50);
  const folded = document.querySelectorAll('main button[aria-expanded="false"]');
  folded.forEach((button) => button.click());
  if (folded.length || isBusy()) return setTimeout(rest, 50);
  return setTimeout(() => done([state()]), 200);
};
rest();
