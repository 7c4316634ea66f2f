"use strict";
// The page works without: then all columns that have steps are drawn, and none is chosen.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const columns = data.columns.map((one, id) => ({ id, table: one[0], name: one[1], full: `${data.tables[one[0]]}.${one[1]}` }));
  const byName = new Map(columns.map((one) => [one.full, one]));
  const into = columns.map(() => []), out = columns.map(() => []);
  for (const [from, to] of data.edges) { into[to].push(from); out[from].push(to); }

  const svg = document.getElementById("graph");
  const input = document.getElementById("search"), list = document.getElementById("found"), said = document.getElementById("said");
  const shapes = new Map([...svg.querySelectorAll(".column")].map((one) => [Number(one.dataset.column), one]));
  const steps = [...svg.querySelectorAll(".step")].map((one) => ({ shape: one, from: Number(one.dataset.from), to: Number(one.dataset.to) }));
  const reads = [...svg.querySelectorAll(".read")];
  const rows = new Map([...document.querySelectorAll("tr[data-column]")].map((one) => [Number(one.dataset.column), one]));
  const boxes = [...svg.querySelectorAll(".table")].map((shape) => {
    const [left, top] = shape.getAttribute("transform").match(/-?[\d.]+/g).map(Number);
    const own = [...shape.querySelectorAll(".column")].map((one) => Number(one.dataset.column));
    return { shape, left, top, name: shape.dataset.table, own, usual: new Set(own.filter((id) => !shapes.get(id).hasAttribute("display"))),
      more: shape.querySelector(".more"), box: shape.querySelector(".box"), open: false };
  });
  const { BOX, ROW, HEAD, GAP, SHOWN } = data.sizes;
  const first = boxes.length ? Math.min(...boxes.map((one) => one.top)) : 0;
  let chosen = new Set(), up = new Set(), down = new Set(), at = null;

  const reach = (start, next) => {
    const seen = new Set(), waiting = [...start];
    while (waiting.length) for (const one of next[waiting.pop()]) if (!seen.has(one)) { seen.add(one); waiting.push(one); }
    return seen;
  };
  const lit = (id) => chosen.has(id) || up.has(id) || down.has(id);

  const visible = (box) => {
    if (box.open) return box.own;
    const stepped = box.own.filter((id) => into[id].length || out[id].length).length;
    if (chosen.size && stepped > SHOWN) return box.own.filter(lit);
    return box.own.filter((id) => box.usual.has(id) || lit(id));
  };

  const lay = () => {
    const places = new Map(), tops = new Map(), below = new Map();
    for (const box of boxes) {
      const top = below.has(box.left) ? below.get(box.left) + GAP : first;
      const seen = visible(box), hidden = box.own.length - seen.length;
      const there = new Set(seen);
      seen.forEach((id, place) => {
        shapes.get(id).setAttribute("transform", `translate(0 ${HEAD + ROW * place})`);
        places.set(id, [box.left, top + HEAD + ROW * (place + 0.5)]);
      });
      for (const id of box.own) shapes.get(id).toggleAttribute("display", false), there.has(id) || shapes.get(id).setAttribute("display", "none");
      const foot = hidden > 0 || box.open;
      box.more.toggleAttribute("display", false);
      if (!foot) box.more.setAttribute("display", "none");
      box.more.setAttribute("transform", `translate(0 ${HEAD + ROW * seen.length})`);
      box.more.querySelector("text").textContent = box.open ? "− fewer" : `+ ${hidden} more`;
      const tall = HEAD + ROW * (seen.length + (foot ? 1 : 0)) + 6;
      box.box.setAttribute("height", tall);
      box.shape.setAttribute("transform", `translate(${box.left} ${top})`);
      tops.set(box.name, [box.left, top]);
      below.set(box.left, top + tall);
    }
    const curve = ([left, y], [right, z]) => { const middle = (left + right) / 2; return `M${left},${y}C${middle},${y} ${middle},${z} ${right},${z}`; };
    for (const { shape, from, to } of steps) {
      const start = places.get(from), end = places.get(to);
      shape.toggleAttribute("display", false);
      if (!start || !end) { shape.setAttribute("display", "none"); continue; }
      shape.setAttribute("d", curve([start[0] + BOX, start[1]], end));
    }
    for (const one of reads) {
      const start = tops.get(one.dataset.from), end = tops.get(one.dataset.to);
      one.setAttribute("d", curve([start[0] + BOX, start[1] + 20], [end[0], end[1] + 20]));
    }
    const height = Math.max(...below.values()) + GAP;
    svg.setAttribute("height", height);
    svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${height}`);
  };

  const paint = () => {
    svg.classList.toggle("asked", chosen.size > 0);
    for (const { id } of columns) {
      const shape = shapes.get(id), row = rows.get(id);
      for (const [name, set] of [["chosen", chosen], ["up", up], ["down", down]]) {
        const has = set.has(id) && (name === "chosen" || !chosen.has(id));
        shape.classList.toggle(name, has);
        if (row) row.classList.toggle(`lit-${name}`, has);
      }
    }
    const before = new Set([...chosen, ...up]), after = new Set([...chosen, ...down]);
    for (const { shape, from, to } of steps) {
      shape.classList.toggle("up", before.has(from) && before.has(to));
      shape.classList.toggle("down", after.has(from) && after.has(to));
    }
  };

  const many = (count, word) => `${count} column${count === 1 ? "" : "s"} ${word.split("|")[count === 1 ? 0 : 1]}`;
  const tell = (text) => {
    said.replaceChildren();
    if (!chosen.size) { said.textContent = text ? "No column has such a name." : data.hint; return; }
    const bold = document.createElement("b");
    bold.textContent = chosen.size === 1 ? columns[[...chosen][0]].full : `${chosen.size} columns`;
    said.append(bold, `: ${many([...up].filter((id) => !chosen.has(id)).length, "leads|lead")} to ${chosen.size === 1 ? "it" : "them"}, `
      + `${many([...down].filter((id) => !chosen.has(id)).length, "comes|come")} of ${chosen.size === 1 ? "it" : "them"}.`);
  };

  const matches = (text) => {
    const sought = text.trim().toLowerCase();
    if (!sought) return [];
    const exact = columns.filter((one) => one.full.toLowerCase() === sought);
    if (exact.length) return exact;
    const named = columns.filter((one) => one.name.toLowerCase() === sought);
    return named.length ? named : columns.filter((one) => one.full.toLowerCase().includes(sought));
  };

  const choose = (ids, text) => {
    chosen = new Set(ids);
    up = reach(chosen, into); down = reach(chosen, out);
    paint(); lay(); tell(text);
    const place = chosen.size === 1 ? `#${encodeURIComponent(columns[ids[0]].full)}` : " ";
    history.replaceState(null, "", place === " " ? location.pathname + location.search : place);
  };

  let options = [], active = -1;
  const offer = (found) => {
    options = found.slice(0, 50); active = -1;
    list.replaceChildren(...options.map((one, place) => {
      const item = document.createElement("li"), where = document.createElement("span");
      item.id = `option-${place}`; item.setAttribute("role", "option"); item.setAttribute("aria-selected", "false");
      where.textContent = data.tables[one.table];
      item.append(one.name, where);
      item.addEventListener("mousedown", (event) => { event.preventDefault(); pick(one.id); });
      return item;
    }));
    const open = options.length > 1;
    list.hidden = !open; input.setAttribute("aria-expanded", String(open));
    input.removeAttribute("aria-activedescendant");
  };
  const close = () => offer([]);
  const search = (text) => { const found = matches(text); offer(found); choose(found.map((one) => one.id), text.trim()); };
  const pick = (id) => { input.value = columns[id].full; close(); choose([id], input.value); at = id; mark(); };

  input.addEventListener("input", () => search(input.value));
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { input.value = ""; search(""); }
    else if (event.key === "Enter") { if (active >= 0) pick(options[active].id); else close(); }
    else if (["ArrowDown", "ArrowUp"].includes(event.key) && options.length) {
      event.preventDefault();
      active = (active + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
      [...list.children].forEach((one, place) => one.setAttribute("aria-selected", String(place === active)));
      list.children[active].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", `option-${active}`);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== input) { event.preventDefault(); input.focus(); input.select(); }
  });

  const mark = () => { for (const [id, shape] of shapes) shape.classList.toggle("at", id === at); };
  const place = (id) => { const box = boxes.find((one) => one.own.includes(id)); return { box, seen: visible(box) }; };
  const beside = (id, way) => {
    const { box } = place(id), y = shapes.get(id).getBoundingClientRect().top;
    const lefts = [...new Set(boxes.map((one) => one.left))].sort((a, b) => a - b);
    for (let next = lefts.indexOf(box.left) + way; next >= 0 && next < lefts.length; next += way) {
      const ids = boxes.filter((one) => one.left === lefts[next]).flatMap(visible);
      const linked = ids.filter((one) => (way < 0 ? into : out)[id].includes(one));
      const near = (linked.length ? linked : ids).map((one) => [Math.abs(shapes.get(one).getBoundingClientRect().top - y), one]).sort((a, b) => a[0] - b[0])[0];
      if (near) return near[1];
    }
    return id;
  };
  svg.addEventListener("focus", () => { if (at === null) { at = boxes.flatMap(visible)[0] ?? null; mark(); } });
  svg.addEventListener("keydown", (event) => {
    if (at === null) return;
    const { box } = place(at), ids = boxes.filter((one) => one.left === box.left).flatMap(visible), now = ids.indexOf(at);
    if (event.key === "ArrowDown") at = ids[Math.min(now + 1, ids.length - 1)];
    else if (event.key === "ArrowUp") at = ids[Math.max(now - 1, 0)];
    else if (event.key === "ArrowLeft") at = beside(at, -1);
    else if (event.key === "ArrowRight") at = beside(at, 1);
    else if (event.key === "Enter" || event.key === " ") pick(at);
    else if (event.key === "Escape") { input.value = ""; search(""); }
    else return;
    event.preventDefault(); mark();
    shapes.get(at).scrollIntoView({ block: "nearest", inline: "nearest" });
    if (!chosen.size) said.textContent = columns[at].full;
  });
  svg.addEventListener("click", (event) => {
    const column = event.target.closest(".column"), more = event.target.closest(".more");
    if (column) { const id = Number(column.dataset.column); if (chosen.size === 1 && chosen.has(id)) { input.value = ""; search(""); } else pick(id); }
    else if (more) { const box = boxes.find((one) => one.more === more); box.open = !box.open; lay(); }
  });

  const table = () => {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!named || !named.matches("details")) return;
    named.open = true;
    named.classList.add("found");
    named.scrollIntoView();
  };
  const fromAddress = () => { const one = byName.get(decodeURIComponent(location.hash.slice(1))); if (one) pick(one.id); return Boolean(one); };
  window.addEventListener("hashchange", () => { if (fromAddress()) svg.scrollIntoView({ block: "nearest" }); else table(); });
  if (!fromAddress()) { tell(""); table(); }
})();
