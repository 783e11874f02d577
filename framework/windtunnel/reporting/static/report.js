(() => {
  "use strict";
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const narrow = matchMedia("(max-width: 600px)");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)");

  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colour = (token) => {
    probe.style.color = token;
    return getComputedStyle(probe).color;
  };
  const themed = (value) => {
    if (typeof value === "string") return value.startsWith("var(--") ? colour(value) : value;
    if (Array.isArray(value)) return value.map(themed);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, themed(part)]));
  };
  const slim = (data, layout) => {
    for (const trace of data) delete trace.texttemplate;
    for (const [key, axis] of Object.entries(layout))
      if (key.startsWith("yaxis") && axis.title) axis.title.text = "";
    layout.margin = { ...layout.margin, l: 36, r: 4 };
  };

  const config = {
    responsive: true,
    displaylogo: false,
    modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
  };
  const draw = (figure) => {
    const { data, layout } = themed(charts[figure.id]);
    if (narrow.matches) slim(data, layout);
    if (touch.matches) layout.dragmode = false;
    const plot = figure.querySelector(".plot");
    const small = narrow.matches || touch.matches;
    return Plotly.react(plot, data, layout, { ...config, displayModeBar: small ? false : "hover" });
  };
  const figures = [...document.querySelectorAll("figure.chart")];
  const drawAll = () => figures.filter((figure) => !figure.hidden).forEach(draw);

  if (window.Plotly) {
    drawAll();
    dark.addEventListener("change", drawAll);
    narrow.addEventListener("change", drawAll);
    addEventListener("beforeprint", () => {
      document.documentElement.dataset.scheme = "light";
      drawAll();
    });
    addEventListener("afterprint", () => {
      delete document.documentElement.dataset.scheme;
      drawAll();
    });
  } else {
    for (const plot of document.querySelectorAll(".plot")) plot.hidden = true;
    const notice = document.createElement("p");
    notice.className = "notice";
    notice.textContent =
      "No chart can be drawn: the chart library, which reports share in the folder assets, is not there. " +
      "For a report that can be sent alone, run its experiment with report: {inline: true}.";
    document.querySelector("main").prepend(notice);
  }

  for (const select of document.querySelectorAll("select[data-group]"))
    select.addEventListener("change", () => {
      for (const figure of document.querySelectorAll(`figure[data-group="${select.dataset.group}"]`)) {
        figure.hidden = figure.id !== select.value;
        if (!figure.hidden && window.Plotly) draw(figure);
      }
    });

  const keyOf = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.key === undefined) return cell.textContent;
    return cell.dataset.key === "" ? NaN : Number(cell.dataset.key);
  };
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
  const sort = (head) => {
    const table = head.closest("table");
    const column = head.cellIndex;
    const sign = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows].sort((first, second) => {
      const a = keyOf(first, column);
      const b = keyOf(second, column);
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return sign * compare(a, b);
    });
    table.tBodies[0].append(...rows);
  };
  for (const button of document.querySelectorAll("table.sortable th button"))
    button.addEventListener("click", () => sort(button.closest("th")));
})();
