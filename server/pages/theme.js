// Runs before the first paint, so that the page does not flash in the other theme.
try {
  const theme = localStorage.getItem("kilter.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch (fault) {
  // Storage may be forbidden: the system's choice then holds.
  if (!(fault instanceof DOMException)) throw fault;
}
