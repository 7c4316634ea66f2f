"use strict";
// The page is whole without this: then all columns that have steps are drawn, and none is chosen.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const { BOX, ROW, HEAD, GAP, SHOWN } = data.sizes;
  const columns = data.columns.map(([table, name], id) => ({ id, name, table: data.tables[table] }));
  for (const one of columns) one.full = `${one.table}.${one.name}`;
  const byName = new Map(columns.map((one) => [one.full, one]));
  const into = columns.map(() => []);
  const out = columns.map(() => []);
  for (const [from, to] of data.edges) {
    into[to].push(from);
    out[from].push(to);
  }

  // What is drawn, by the numbers of columns.
  const svg = byId("graph");
  const number = (one) => Number(one.dataset.column);
  const shapes = new Map([...svg.querySelectorAll(".column")].map((one) => [number(one), one]));
  const rows = new Map([...document.querySelectorAll("tr[data-column]")].map((one) => [number(one), one]));
  const steps = [...svg.querySelectorAll(".step")].map((shape) => ({
    shape, from: Number(shape.dataset.from), to: Number(shape.dataset.to),
  }));
  const reads = [...svg.querySelectorAll(".read")];
  const boxes = [...svg.querySelectorAll(".table")].map((shape) => {
    const [left, top] = shape.getAttribute("transform").match(/-?[\d.]+/g).map(Number);
    const own = [...shape.querySelectorAll(".column")].map(number);
    return {
      shape, left, top, own,
      name: shape.dataset.table,
      usual: new Set(own.filter((id) => !shapes.get(id).hasAttribute("display"))),
      isWide: own.filter((id) => into[id].length || out[id].length).length > SHOWN,
      isOpen: false,
      frame: shape.querySelector(".box"),
      more: shape.querySelector(".more"),
    };
  });
  const topmost = Math.min(...boxes.map((one) => one.top));

  let chosen = new Set();
  let up = new Set();
  let down = new Set();
  let at = null;

  const reach = (start, next) => {
    const seen = new Set();
    const waiting = [...start];
    while (waiting.length) {
      for (const one of next[waiting.pop()]) {
        if (!seen.has(one)) {
          seen.add(one);
          waiting.push(one);
        }
      }
    }
    return seen;
  };

  const isLit = (id) => chosen.has(id) || up.has(id) || down.has(id);

  const visible = (box) => {
    if (box.isOpen) return box.own;
    if (chosen.size && box.isWide) return box.own.filter(isLit);
    return box.own.filter((id) => box.usual.has(id) || isLit(id));
  };

  const show = (shape, isShown) => {
    if (isShown) shape.removeAttribute("display");
    else shape.setAttribute("display", "none");
  };

  const curve = ([left, y], [right, z]) => {
    const middle = (left + right) / 2;
    return `M${left},${y}C${middle},${y} ${middle},${z} ${right},${z}`;
  };

  const layOut = () => {
    const places = new Map();
    const tops = new Map();
    const below = new Map();
    for (const box of boxes) {
      const top = below.has(box.left) ? below.get(box.left) + GAP : topmost;
      const seen = visible(box);
      const there = new Set(seen);
      for (const id of box.own) show(shapes.get(id), there.has(id));
      seen.forEach((id, place) => {
        shapes.get(id).setAttribute("transform", `translate(0 ${HEAD + ROW * place})`);
        places.set(id, [box.left, top + HEAD + ROW * (place + 0.5)]);
      });
      const hidden = box.own.length - seen.length;
      const hasFoot = hidden > 0 || box.isOpen;
      show(box.more, hasFoot);
      box.more.setAttribute("transform", `translate(0 ${HEAD + ROW * seen.length})`);
      box.more.querySelector("text").textContent = box.isOpen ? "− fewer" : `+ ${hidden} more`;
      const tall = HEAD + ROW * (seen.length + hasFoot) + 6;
      box.frame.setAttribute("height", tall);
      box.shape.setAttribute("transform", `translate(${box.left} ${top})`);
      tops.set(box.name, [box.left, top]);
      below.set(box.left, top + tall);
    }
    for (const { shape, from, to } of steps) {
      const start = places.get(from);
      const end = places.get(to);
      show(shape, start && end);
      if (start && end) shape.setAttribute("d", curve([start[0] + BOX, start[1]], end));
    }
    for (const one of reads) {
      const [left, y] = tops.get(one.dataset.from);
      const [right, z] = tops.get(one.dataset.to);
      one.setAttribute("d", curve([left + BOX, y + 20], [right, z + 20]));
    }
    const height = Math.max(...below.values()) + GAP;
    svg.setAttribute("height", height);
    svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${height}`);
  };

  const paint = () => {
    svg.classList.toggle("asked", chosen.size > 0);
    for (const { id } of columns) {
      const isChosen = chosen.has(id);
      const roles = { chosen: isChosen, up: !isChosen && up.has(id), down: !isChosen && down.has(id) };
      for (const [role, has] of Object.entries(roles)) {
        shapes.get(id).classList.toggle(role, has);
        rows.get(id)?.classList.toggle(`lit-${role}`, has);
      }
    }
    const before = new Set([...chosen, ...up]);
    const after = new Set([...chosen, ...down]);
    for (const { shape, from, to } of steps) {
      shape.classList.toggle("up", before.has(from) && before.has(to));
      shape.classList.toggle("down", after.has(from) && after.has(to));
    }
  };

  const said = byId("said");
  const tell = (sought) => {
    if (!chosen.size) {
      said.textContent = sought ? "No column has such a name." : data.hint;
      return;
    }
    const [first] = chosen;
    const it = chosen.size === 1 ? "it" : "them";
    const others = (found) => [...found].filter((id) => !chosen.has(id)).length;
    const leads = others(up);
    const comes = others(down);
    const named = document.createElement("b");
    named.textContent = chosen.size === 1 ? columns[first].full : `${chosen.size} columns`;
    said.replaceChildren(named, `: ${leads} ${leads === 1 ? "column leads" : "columns lead"} to ${it}, `
      + `${comes} ${comes === 1 ? "column comes" : "columns come"} of ${it}.`);
  };

  const choose = (ids, sought) => {
    chosen = new Set(ids);
    up = reach(chosen, into);
    down = reach(chosen, out);
    paint();
    layOut();
    tell(sought);
    // The address names the only one, so that it can be sent.
    const address = ids.length === 1 ? `#${encodeURIComponent(columns[ids[0]].full)}` : "";
    history.replaceState(null, "", address || location.pathname + location.search);
  };

  // The search: a whole name means that column, a column's name all of that name, all else a part of names.
  const input = byId("search");
  const list = byId("found");
  let options = [];
  let active = -1;

  const matches = (sought) => {
    if (!sought) return [];
    const whole = columns.filter((one) => one.full.toLowerCase() === sought);
    if (whole.length) return whole;
    const named = columns.filter((one) => one.name.toLowerCase() === sought);
    return named.length ? named : columns.filter((one) => one.full.toLowerCase().includes(sought));
  };

  const offer = (found) => {
    options = found.slice(0, 50);
    active = -1;
    list.replaceChildren(...options.map((one, place) => {
      const item = document.createElement("li");
      const where = document.createElement("span");
      item.id = `option-${place}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      where.textContent = one.table;
      item.append(one.name, where);
      // Not at the click: the field would have lost the focus, and the list be gone.
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        pick(one.id);
      });
      return item;
    }));
    list.hidden = options.length < 2;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
  };

  const search = (text) => {
    const found = matches(text.trim().toLowerCase());
    offer(found);
    choose(found.map((one) => one.id), text.trim());
  };

  const clear = () => {
    input.value = "";
    search("");
  };

  const mark = () => {
    for (const [id, shape] of shapes) shape.classList.toggle("at", id === at);
  };

  const pick = (id) => {
    input.value = columns[id].full;
    offer([]);
    choose([id], input.value);
    at = id;
    mark();
  };

  const step = (way) => {
    active = (active + way + options.length) % options.length;
    [...list.children].forEach((one, place) => one.setAttribute("aria-selected", String(place === active)));
    list.children[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", `option-${active}`);
  };

  input.addEventListener("input", () => search(input.value));
  input.addEventListener("blur", () => offer([]));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
    else if (event.key === "Enter" && active >= 0) pick(options[active].id);
    else if (event.key === "Enter") offer([]);
    else if (event.key === "ArrowDown" && options.length) step(1);
    else if (event.key === "ArrowUp" && options.length) step(active < 0 ? 0 : -1);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || document.activeElement === input) return;
    event.preventDefault();
    input.focus();
    input.select();
  });

  // The drawing: a press chooses, and so do the arrow keys and Enter.
  const high = (id) => shapes.get(id).getBoundingClientRect().top;
  const stacked = (left) => boxes.filter((one) => one.left === left).flatMap(visible);
  const leftOf = (id) => boxes.find((one) => one.own.includes(id)).left;
  const lefts = [...new Set(boxes.map((one) => one.left))].sort((one, other) => one - other);

  const beside = (id, way) => {
    const linked = new Set((way < 0 ? into : out)[id]);
    for (let next = lefts.indexOf(leftOf(id)) + way; lefts[next] !== undefined; next += way) {
      const ids = stacked(lefts[next]);
      const known = ids.filter((one) => linked.has(one));
      const near = (known.length ? known : ids).sort((one, other) =>
        Math.abs(high(one) - high(id)) - Math.abs(high(other) - high(id)));
      if (near.length) return near[0];
    }
    return id;
  };

  const beyond = (id, way) => {
    const ids = stacked(leftOf(id));
    return ids[Math.max(0, Math.min(ids.indexOf(id) + way, ids.length - 1))];
  };

  const moves = {
    ArrowDown: (id) => beyond(id, 1),
    ArrowUp: (id) => beyond(id, -1),
    ArrowLeft: (id) => beside(id, -1),
    ArrowRight: (id) => beside(id, 1),
  };

  svg.addEventListener("focus", () => {
    at ??= boxes.flatMap(visible)[0] ?? null;
    mark();
  });
  svg.addEventListener("keydown", (event) => {
    if (at === null) return;
    if (event.key in moves) at = moves[event.key](at);
    else if (event.key === "Enter" || event.key === " ") pick(at);
    else if (event.key === "Escape") clear();
    else return;
    event.preventDefault();
    mark();
    shapes.get(at).scrollIntoView({ block: "nearest", inline: "nearest" });
    if (!chosen.size) said.textContent = columns[at].full;
  });
  svg.addEventListener("click", (event) => {
    const column = event.target.closest(".column");
    const more = event.target.closest(".more");
    if (column && chosen.size === 1 && chosen.has(number(column))) clear();
    else if (column) pick(number(column));
    else if (more) {
      const box = boxes.find((one) => one.more === more);
      box.isOpen = !box.isOpen;
      layOut();
    }
  });

  // The address names a column, `#events.timestamp`, or a table's part of the page, `#table-events`.
  const address = () => {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return ""; // It is no such text: somebody has typed it.
    }
  };
  const goTo = () => {
    const named = address();
    const column = byName.get(named);
    if (column) {
      pick(column.id);
      return true;
    }
    const part = byId(named);
    if (part?.matches("details")) {
      part.open = true;
      part.classList.add("found");
      part.scrollIntoView();
    }
    return false;
  };
  window.addEventListener("hashchange", () => {
    if (goTo()) svg.scrollIntoView({ block: "nearest" });
  });
  if (!goTo()) tell("");
})();
