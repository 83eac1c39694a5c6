"use strict";
// Before anything is drawn: what the reader chose here before, light or dark.
try {
  const chosen = localStorage.getItem("double11-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Without a store the system's choice holds.
}
