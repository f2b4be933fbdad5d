"use strict";
// Wide tables can be scrolled by keyboard; figures open at their full size.
document.addEventListener("DOMContentLoaded", () => {
  const boxes = ".bd-article table, .bd-article pre, .bd-article div.math, .bd-article .table-wrapper";
  const fade = box => {
    const hidden = box.scrollWidth - box.clientWidth - box.scrollLeft;
    box.classList.toggle("goes-on", hidden > 1);
  };
  const reach = box => {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    fade(box);
  };
  // Equations and figures come late and change the size of their box.
  const grown = new ResizeObserver(entries => entries.forEach(({target}) => reach(target)));
  document.querySelectorAll(boxes).forEach(box => {
    box.addEventListener("scroll", () => fade(box), {passive: true});
    grown.observe(box);
  });
  document.querySelectorAll(".has-children > details > summary").forEach(arrow => {
    const section = arrow.closest(".has-children").querySelector("a");
    arrow.setAttribute("aria-label", `Pages of ${section.textContent.trim()}`);
  });
  // The rows of closed tables that hold what is typed.
  const filter = document.querySelector("#filter-rows");
  if (filter) {
    const groups = [...document.querySelectorAll("details.rows")];
    filter.hidden = false;
    filter.querySelector("input").addEventListener("input", ({target}) => {
      const wanted = target.value.trim().toLowerCase();
      let count = 0;
      groups.forEach(group => {
        const rows = [...group.querySelectorAll("tbody tr")];
        rows.forEach(row => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
        const found = rows.filter(row => !row.hidden).length;
        group.open = wanted !== "" && found > 0;
        count += found;
      });
      filter.querySelector("output").textContent = wanted ? `${count} found` : "";
    });
  }
  // What the theme calls a list has items.
  document.querySelectorAll(".citation-list > .citation").forEach(entry => entry.setAttribute("role", "listitem"));
  document.querySelectorAll(".bd-article img").forEach(image => {
    // A figure with a width has a link to its file from the builder; any other link leads elsewhere.
    const around = image.closest("a");
    if (around && around.href !== image.src) return;
    const link = around ?? document.createElement("a");
    link.href = image.src;
    link.title = "Open the figure at its full size";
    link.classList.add("enlarge");
    if (around) return;
    image.replaceWith(link);
    link.append(image);
  });
});
