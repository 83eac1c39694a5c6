// Looks at an SVG picture that is open by itself: words that overlap, and words beyond its edges. The
// one argument is the callback.
const done = arguments[arguments.length - 1];
const problems = [];
const { width, height } = document.documentElement.getBoundingClientRect();
const words = [...document.querySelectorAll("text")].map((text) => ({ what: text.textContent.trim(), box: text.getBoundingClientRect() }));
if (words.length < 20) problems.push(`only ${words.length} texts`);
words.forEach(({ what, box }, index) => {
  if (box.left < 20 || box.right > width - 20 || box.top < 8 || box.bottom > height - 8) problems.push(`clipped: ${what}`);
  for (const other of words.slice(index + 1)) {
    const meet = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left) > 1
      && Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top) > box.height * 0.3;
    if (meet) problems.push(`overlap: ${what} and ${other.what}`);
  }
});
done(problems);
