"use strict";
(() => {
  const found = JSON.parse(document.getElementById("audit-data").textContent);
  const root = document.documentElement;

  // Charts: colours are names of style variables, so that charts follow the page into dark mode and onto paper.
  const coloured = new Set(["color", "gridcolor", "fillcolor"]);
  const painted = (value, style) => {
    if (Array.isArray(value)) return value.map((one) => painted(one, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [
      key, coloured.has(key) && typeof one === "string" ? style.getPropertyValue(one).trim() : painted(one, style)]));
  };
  const draw = (place) => {
    if (!place.clientWidth) return; // in a closed part of the page; drawn when it opens
    const style = getComputedStyle(root);
    const { data, layout } = painted(found.charts[Number(place.dataset.chart)], style);
    const own = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false, hovermode: "closest",
      font: { family: style.getPropertyValue("--sans").trim(), size: 12, color: style.getPropertyValue("--soft").trim() },
      hoverlabel: { bgcolor: style.getPropertyValue("--paper").trim(), font: { color: style.getPropertyValue("--ink").trim() } },
    };
    Plotly.react(place, data, { ...own, ...layout }, { displayModeBar: false, responsive: true, showTips: false });
  };
  const places = [...document.querySelectorAll(".chart")];
  const drawAll = () => places.forEach(draw);
  drawAll();
  document.addEventListener("toggle", (event) => {
    if (event.target.open) event.target.querySelectorAll(".chart").forEach(draw);
  }, true);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("beforeprint", () => { root.classList.add("light"); drawAll(); });
  addEventListener("afterprint", () => { root.classList.remove("light"); drawAll(); });

  // Numbers: each leads to what it means and to the command that computes it again.
  const dialog = document.getElementById("number");
  const quoted = (text) => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
  const tell = (part, text) => {
    const line = dialog.querySelector(`[data-part="${part}"]`);
    line.hidden = !text;
    (line.querySelector("pre") ?? line.querySelector("dd")).textContent = text ?? "";
  };
  const explain = (id) => {
    const one = found.numbers[id];
    if (!one) return;
    const definition = found.definitions[one.metric] ?? {};
    dialog.querySelector(".what").textContent = one.what.join(" · ");
    dialog.querySelector(".value").textContent = one.value;
    tell("metric", definition.title);
    tell("formula", definition.formula);
    tell("about", definition.about);
    const kind = found.definitions[one.kind];
    tell("kind", kind ? `${kind.title}: ${kind.formula}` : "");
    tell("method", found.methods[one.method]);
    tell("protocol", found.protocol);
    tell("users", one.users);
    tell("excluded", one.excluded);
    tell("command", `equipoise audit verify DIR --only ${quoted(id)}`);
    if (!dialog.open) dialog.showModal();
  };
  // The event comes after the closing: by then another number may be open.
  dialog.addEventListener("close", () => {
    if (!dialog.open) history.replaceState(null, "", explorer ? explorer.state() : " ");
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.querySelector(".copy").addEventListener("click", async (event) => {
    const button = event.target;
    getSelection().selectAllChildren(dialog.querySelector("pre"));
    try { await navigator.clipboard.writeText(dialog.querySelector("pre").textContent); button.textContent = found.words.copied; }
    catch { /* the text stays selected */ }
  });

  // The explorer of slices: its state stands in the address.
  const explore = (table) => {
    const form = document.querySelector(".filters");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.querySelectorAll("[data-sort]")];
    const all = document.getElementById("slices-all");
    const first = 15;
    const sort = { by: "", down: false };
    let whole = false;
    const value = (row, name) => {
      const text = row.dataset[name === "q_value" ? "qValue" : name];
      return text === "" ? NaN : Number(text);
    };
    const show = () => {
      const { system, metric, attribute, worse, found: small } = form.elements;
      const kept = rows.filter((row) => (!system.value || row.dataset.system === system.value)
        && (!metric.value || row.dataset.metric === metric.value)
        && (!attribute.value || row.dataset.attribute === attribute.value)
        && (!worse.checked || "worse" in row.dataset)
        && (!small.checked || value(row, "q_value") <= Number(small.value)));
      if (sort.by) {
        kept.sort((a, b) => {
          const [x, y] = [value(a, sort.by), value(b, sort.by)];
          if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
          return sort.down ? y - x : x - y;
        });
      }
      const shown = whole ? kept : kept.slice(0, first);
      body.replaceChildren(...shown);
      all.hidden = shown.length === kept.length;
      document.getElementById("slices-count").textContent =
        found.words.slices.replace("{shown}", shown.length).replace("{kept}", kept.length).replace("{all}", rows.length);
      heads.forEach((head) => {
        if (head.dataset.sort === sort.by) head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
    };
    const state = () => {
      const told = new URLSearchParams();
      for (const name of ["system", "metric", "attribute"]) if (form.elements[name].value) told.set(name, form.elements[name].value);
      for (const name of ["worse", "found"]) if (form.elements[name].checked) told.set(name, "1");
      if (sort.by) told.set("sort", (sort.down ? "-" : "") + sort.by);
      if (whole) told.set("all", "1");
      const text = told.toString();
      return text ? `#slices?${text}` : "#slices";
    };
    const changed = () => { show(); history.replaceState(null, "", state()); };
    const read = (text) => {
      const told = new URLSearchParams(text);
      for (const name of ["system", "metric", "attribute"]) {
        form.elements[name].value = told.get(name) ?? "";
        if (form.elements[name].selectedIndex < 0) form.elements[name].value = "";
      }
      for (const name of ["worse", "found"]) form.elements[name].checked = told.has(name);
      const by = told.get("sort") ?? "";
      sort.down = by.startsWith("-");
      sort.by = heads.some((head) => head.dataset.sort === by.replace(/^-/, "")) ? by.replace(/^-/, "") : "";
      whole = told.has("all");
      show();
    };
    heads.forEach((head) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        sort.down = sort.by === head.dataset.sort && !sort.down;
        sort.by = head.dataset.sort;
        changed();
      });
    });
    form.hidden = false;
    form.addEventListener("change", changed);
    form.addEventListener("submit", (event) => event.preventDefault());
    all.addEventListener("click", () => { whole = true; changed(); });
    read("");
    return { read, state };
  };
  const table = document.getElementById("explorer");
  const explorer = table ? explore(table) : null;

  const open = (hash) => {
    try { explain(decodeURIComponent(hash.slice("#number=".length))); } catch { /* not an address of ours */ }
  };
  const follow = () => {
    const address = location.hash.slice(1);
    if (address.startsWith("number=")) {
      open(location.hash);
    } else if (explorer && address.startsWith("slices")) {
      explorer.read(address.slice(7));
      if (address.startsWith("slices?")) document.getElementById("slices").scrollIntoView();
    }
  };
  addEventListener("hashchange", follow);
  // A link to the number that the address already names changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#number="]');
    if (link) open(link.hash);
  });
  follow();
})();
