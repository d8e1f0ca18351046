"use strict";
// A click on a column's head sorts its table; a second click turns the order round.
for (const head of document.querySelectorAll("th")) {
  const sort = () => {
    const table = head.closest("table");
    const body = table.tBodies[0];
    const column = head.cellIndex;
    const ascending = head.getAttribute("aria-sort") !== "ascending";
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = (a, b) => {
      const [first, second] = [value(a), value(b)];
      const [x, y] = [Number(first), Number(second)];
      if (first !== "" && second !== "" && !Number.isNaN(x) && !Number.isNaN(y)) return x - y;
      return first.localeCompare(second, undefined, { numeric: true });
    };
    const rows = [...body.rows].sort(compare);
    body.append(...(ascending ? rows : rows.reverse()));
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  };
  head.tabIndex = 0;
  head.addEventListener("click", sort);
  head.addEventListener("keydown", (event) => {
    if (event.key === "Enter") sort();
  });
}
