"use strict";
// Shows the findings beside the page's data, and of the chosen one the path with what it rests on.
// Names come from somebody's account: they only ever become text nodes and attribute values, never markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { nodes, techniques, edges, grounds, statements, findings, keys, things } = data;
  const MOST_ROWS = 400, MOST_SIDE = 4, MOST_TARGETS = 200;
  const $ = (id) => document.getElementById(id);

  // Characters that are invisible or turn the direction of text would make one name look like another.
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
  const clean = (text) => String(text).replace(HIDDEN, "\ufffd");
  const cut = (text, most) => { const all = [...clean(text)]; return all.length > most ? all.slice(0, most - 1).join("") + "…" : all.join(""); };
  const plural = (n, one, many) => `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;

  const put = (node, attributes, children) => {
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    for (const child of children) if (child !== null) node.append(typeof child === "object" ? child : clean(child));
    return node;
  };
  const el = (name, attributes, ...children) => put(document.createElement(name), attributes, children);
  const draw = (name, attributes, ...children) => put(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
  const on = (node, type, does) => { node.addEventListener(type, does); return node; };
  const pressable = (node, does) => on(on(node, "click", does), "keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); does(); }
  });

  // The columns of the data, by name.
  const ID = 0, LABEL = 1, KIND = 2, ADMIN = 3, NEXT = 4;
  const FROM = 0, TO = 1, WAY = 2, IF = 3, THROUGH = 4, MAKES_ADMIN = 5, WHY = 6;
  const label = (node) => nodes[node][LABEL];
  const name = (node) => el("span", { class: "name", title: clean(nodes[node][ID]) }, label(node));
  const isAdmin = (node) => nodes[node][ADMIN] === 1;
  const conditions = (set) => (set < 0 ? [] : keys[set]);

  const out = nodes.map(() => []), into = nodes.map(() => []);
  edges.forEach((edge, at) => { out[edge[FROM]].push(at); into[edge[TO]].push(at); });

  // The shortest way on from an edge to an administrator; each node knows its next edge.
  const pathBy = (first) => {
    const path = [first];
    for (let last = edges[first]; !last[MAKES_ADMIN] && !isAdmin(last[TO]) && path.length <= nodes.length;) {
      const next = nodes[last[TO]][NEXT];
      if (next < 0 || path.includes(next)) break;
      path.push(next);
      last = edges[next];
    }
    return path;
  };
  const endsAtAdmin = (path) => { const last = edges[path[path.length - 1]]; return last[MAKES_ADMIN] === 1 || isAdmin(last[TO]); };

  // ---- the list

  const haystacks = findings.map((finding) => {
    const way = finding.technique < 0 ? [] : [techniques[finding.technique].id, ...techniques[finding.technique].requires];
    const start = finding.start < 0 ? [] : [nodes[finding.start][ID]];
    const parts = [finding.code, finding.title, finding.severity, finding.fingerprint, finding.resource, ...start, ...way, ...finding.functions, ...finding.evidence];
    return parts.join("\n").toLowerCase();
  });
  let chosen = -1, chosenEdge = -1, found = [], terms = [], named = new Map();

  const matchesTarget = (term, edge) => named.get(term).has(edges[edge][TO]);
  const matches = (at) => terms.every((term) => haystacks[at].includes(term) || findings[at].edges.some((edge) => matchesTarget(term, edge)));
  // Of many targets, the one that was searched for.
  const edgeFor = (at) => {
    const open = terms.filter((term) => !haystacks[at].includes(term));
    const edge = findings[at].edges.find((edge) => open.every((term) => matchesTarget(term, edge)));
    return edge === undefined ? (findings[at].edges.length ? findings[at].edges[0] : -1) : edge;
  };

  const row = (at) => {
    const finding = findings[at], button = el("button", { type: "button", class: "finding", "data-finding": at });
    if (finding.technique >= 0) button.append(el("code", {}, techniques[finding.technique].id), " ");
    if (finding.start >= 0) button.append(name(finding.start));
    else button.append(el("span", { class: "name" }, finding.resource || finding.title));
    const edge = edgeFor(at);
    if (edge >= 0) {
      const itself = edges[edge][TO] === edges[edge][FROM];
      const others = finding.total > 1 ? `, and ${plural(finding.total - 1, "other", "others")}` : "";
      button.append(el("span", { class: "more" }, "→ ", itself ? "itself, with more permissions" : name(edges[edge][TO]), others));
    } else if (finding.evidence.length) {
      button.append(el("span", { class: "more" }, cut(finding.evidence.join("; "), 140)));
    }
    if (at === chosen) button.setAttribute("aria-current", "true");
    return el("li", {}, on(button, "click", () => choose(at, edgeFor(at))));
  };

  const list = () => {
    terms = $("search").value.toLowerCase().split(/\s+/).filter((term) => term);
    named = new Map(terms.map((term) => [term, new Set(nodes.flatMap((node, at) => (node[ID].toLowerCase().includes(term) ? [at] : [])))]));
    found = findings.map((_, at) => at).filter(matches);
    const groups = [];
    for (const at of found.slice(0, MOST_ROWS)) {
      const finding = findings[at], last = groups[groups.length - 1];
      if (last && last.code === finding.code && last.severity === finding.severity) last.rows.push(at);
      else groups.push({ code: finding.code, severity: finding.severity, title: finding.title, rows: [at] });
    }
    $("list").replaceChildren(...groups.map((group) => el("section", { "aria-label": `${group.severity} ${group.code}` },
      el("h3", {}, el("span", { class: `word ${group.severity}` }, group.severity), ` ${group.code} `, el("small", {}, group.title)),
      el("ul", {}, ...group.rows.map(row)))));
    const more = found.length > MOST_ROWS ? `, the first ${MOST_ROWS} shown: narrow the search` : "";
    $("count").textContent = `${found.length} of ${plural(findings.length, "entry", "entries")}${more}`;
  };

  // ---- the picture

  const WIDE = 200, HIGH = 46, GAP = 125, ROW = 16, EDGE = 18;
  const left = (column) => EDGE + column * (WIDE + GAP), top = (line) => EDGE + 8 + line * (HIGH + ROW);

  const box = (node, column, line, options) => {
    const x = left(column), y = top(line), group = draw("g", { class: options.on ? "node on" : "node side" });
    group.append(draw("title", {}, nodes[node][ID]), draw("rect", { x, y, width: WIDE, height: HIGH, rx: 7 }));
    group.append(draw("text", { x: x + 12, y: y + 20 }, cut(label(node), 25)));
    const words = [options.sub || nodes[node][KIND]];
    if (isAdmin(node)) words.push("administrator");
    else if (options.made) words.push("as good as administrator");
    group.append(draw("text", { x: x + 12, y: y + 36, class: "sub" }, words.join(" · ")));
    if (options.does) pressable(put(group, { role: "button", tabindex: "0", "aria-label": `Show the way to ${clean(label(node))}` }, []), options.does);
    return group;
  };

  const arrow = (edge, column, line, toLine, options) => {
    const x1 = left(column) + WIDE, y1 = top(line) + HIGH / 2, x2 = left(column + 1) - 9, y2 = top(toLine) + HIGH / 2, middle = x1 + GAP / 2.2;
    const words = ["edge", options.on ? "on" : "off", conditions(edges[edge][IF]).length ? "if" : ""].join(" ").trim();
    const group = draw("g", { class: words, "data-technique": techniques[edges[edge][WAY]].id });
    group.append(draw("path", { d: `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}` }));
    group.append(draw("path", { class: "head", d: `M${x2 + 9} ${y2} l-10 -5 l0 10 z` }));
    const more = options.more ? ` +${options.more}` : "";
    group.append(draw("text", { class: "tag", x: x2 - 4, y: y2 - 7, "text-anchor": "end" }, cut(techniques[edges[edge][WAY]].id, 14) + more));
    if (options.does) pressable(put(group, { role: "link", tabindex: "0", "aria-label": options.says }, []), options.does);
    return group;
  };

  // Other ways out of a node, one for each target, those to administrators first.
  const others = (node, taken) => {
    const byTarget = new Map();
    for (const at of out[node]) {
      const target = edges[at][TO];
      if (target === node || target === taken) continue;
      if (byTarget.has(target)) byTarget.get(target).push(at); else byTarget.set(target, [at]);
    }
    const worth = (target) => (isAdmin(target) ? 0 : nodes[target][NEXT] >= 0 ? 1 : 2);
    return [...byTarget].sort((a, b) => worth(a[0]) - worth(b[0]) || a[0] - b[0]);
  };

  const side = (canvas, node, column, taken) => {
    const all = others(node, taken), shown = all.slice(0, MOST_SIDE);
    shown.forEach(([target, ways], at) => {
      canvas.append(arrow(ways[0], column, 0, at + 1, { more: ways.length - 1 }));
      canvas.append(box(target, column + 1, at + 1, { does: () => chooseEdge(ways[0]) }));
    });
    if (all.length <= shown.length) return shown.length;
    const text = `and ${plural(all.length - shown.length, "other", "others")}`;
    canvas.append(draw("text", { class: "sub", x: left(column + 1) + 12, y: top(shown.length + 1) + 14 }, text));
    return shown.length + 0.5;
  };

  const frame = (columns, lines, says) => draw("svg", {
    width: left(columns - 1) + WIDE + EDGE, height: Math.ceil(top(lines) - ROW + EDGE), role: "group", "aria-label": says,
  });

  const sentence = (path) => path.map((at) => `${label(edges[at][FROM])} becomes ${label(edges[at][TO])} by ${techniques[edges[at][WAY]].id}`).join(", then ");

  const pathPicture = (path) => {
    const canvas = draw("g", {});
    let lines = 1;
    path.forEach((at, column) => { lines = Math.max(lines, 1 + side(canvas, edges[at][FROM], column, edges[at][TO])); });
    path.forEach((at, column) => {
      const goes = () => { const step = $(`step-${column + 1}`); step.scrollIntoView(); step.focus(); };
      const says = `Step ${column + 1}: ${techniques[edges[at][WAY]].id}. Show what it rests on`;
      canvas.append(arrow(at, column, 0, 0, { on: true, does: goes, says }));
    });
    canvas.append(box(edges[path[0]][FROM], 0, 0, { on: true }));
    path.forEach((at, column) => {
      const edge = edges[at], itself = edge[TO] === edge[FROM];
      canvas.append(box(edge[TO], column + 1, 0, { on: true, made: edge[MAKES_ADMIN] === 1, sub: itself ? "with more permissions" : "" }));
    });
    const picture = frame(path.length + 1, lines, clean(`Path: ${sentence(path)}`));
    picture.append(canvas);
    return el("div", { class: "picture", tabindex: "0", role: "region", "aria-label": "Picture of the path" }, picture);
  };

  // Of a finding without a path: who can become its principal.
  const aroundPicture = (node) => {
    const byStart = new Map();
    for (const at of into[node]) if (edges[at][FROM] !== node && !byStart.has(edges[at][FROM])) byStart.set(edges[at][FROM], at);
    if (!byStart.size) return null;
    const shown = [...byStart].slice(0, MOST_SIDE + 2), canvas = draw("g", {});
    shown.forEach(([start, at], line) => {
      canvas.append(arrow(at, 0, line, 0, {}), box(start, 0, line, { does: () => chooseEdge(at) }));
    });
    canvas.append(box(node, 1, 0, { on: true }));
    const picture = frame(2, shown.length, clean(`Who can become ${label(node)}`));
    picture.append(canvas);
    const text = `${plural(byStart.size, "principal", "principals")} can become it` + (byStart.size > shown.length ? `, ${shown.length} shown` : "");
    return el("section", {}, el("h3", {}, text), el("div", { class: "picture", tabindex: "0", role: "region", "aria-label": text }, picture));
  };

  // ---- the chosen finding

  const cited = (at) => {
    const { layer, policy, holder, index, place, effect, text } = statements[at];
    const of = holder ? [" of ", el("span", { class: "name", title: clean(holder) }, holder)] : [];
    const where = place ? [" · ", el("span", { class: "place" }, place)] : [];
    const denies = effect === "Deny" ? el("span", { class: "deny" }, "may deny: ") : null;
    return el("details", { open: "", class: "cited" },
      el("summary", {}, denies, layer, ...(policy ? [" ", el("code", { class: "policy" }, policy)] : []), ...of, `, statement ${index}`, ...where),
      el("pre", { tabindex: "0" }, text));
  };

  const placeOf = (ground, edge) => {
    const [, , on, named] = grounds[ground];
    if (on === "start") return [" on itself"];
    if (on === "target") return [" on ", name(edge[TO])];
    if (on === "through") return [" on ", el("span", { class: "name" }, things[edge[THROUGH]])];
    if (on === "named") return [" on ", el("span", { class: "name" }, named)];
    if (on === "chosen") return [" on something it names itself, such as ", el("span", { class: "name" }, named)];
    return [];
  };

  const groundItem = (at, edge) => {
    const [service, action, , , set, cites] = grounds[at], open = conditions(set);
    const asked = service ? [el("code", {}, service), " may assume the target"] : [el("code", {}, action), ...placeOf(at, edge)];
    if (open.length) asked.push(`, if ${open.join(", ")} allows`);
    if (!cites.length) asked.push(": by the policy it writes itself");
    return el("div", { class: "ground" }, el("p", {}, ...asked), ...cites.map(cited));
  };

  const step = (at, number) => {
    const edge = edges[at], way = techniques[edge[WAY]], open = conditions(edge[IF]), item = el("li", {});
    const to = edge[TO] === edge[FROM] ? "itself, with more permissions" : name(edge[TO]);
    item.append(el("h3", { id: `step-${number}`, tabindex: "-1" }, `${number}. `, name(edge[FROM]), " → ", to));
    const gains = edge[MAKES_ADMIN] === 1 ? " · gains what an administrator has" : "";
    item.append(el("p", { class: "note" }, el("code", {}, way.id), ` ${way.category}: ${way.requires.join(" + ")}${gains}`));
    if (open.length) item.append(el("p", { class: "note condition" }, `Works if ${open.join(", ")} allows: a snapshot cannot know it.`));
    if (edge[THROUGH] >= 0) item.append(el("p", { class: "note" }, "Through ", el("span", { class: "name" }, things[edge[THROUGH]])));
    if (way.assumes.length) item.append(el("p", { class: "note" }, `Taken as given: ${way.assumes.join("; ")}`));
    item.append(...edge[WHY].map((ground) => groundItem(ground, edge)));
    return item;
  };

  const targetList = (finding) => {
    if (finding.edges.length < 2) return null;
    const box = el("ul", { class: "plain targets" }), filter = el("input", { type: "search", class: "filter", "aria-label": "Narrow the targets", placeholder: "narrow the targets" });
    const fill = () => {
      const term = filter.value.toLowerCase();
      const fits = finding.edges.filter((edge) => nodes[edges[edge][TO]][ID].toLowerCase().includes(term));
      const items = fits.slice(0, MOST_TARGETS).map((edge) => {
        const button = el("button", { type: "button", class: "target" }, name(edges[edge][TO]), isAdmin(edges[edge][TO]) ? " (administrator)" : "");
        if (edge === chosenEdge) button.setAttribute("aria-current", "true");
        return el("li", {}, on(button, "click", () => { choose(chosen, edge); $("detail").focus(); }));
      });
      box.replaceChildren(...items);
      if (fits.length > MOST_TARGETS) box.append(el("li", { class: "note" }, `and ${fits.length - MOST_TARGETS} more`));
    };
    fill();
    const left = finding.total > finding.edges.length ? ` (${finding.edges.length} of them on this page; paring graph --format json has all)` : "";
    return el("details", {}, el("summary", {}, `All ${plural(finding.total, "target", "targets")} of this way${left}`), on(filter, "input", fill), box);
  };

  const items = (title, texts) => (texts.length ? el("section", {}, el("h3", {}, title), el("ul", {}, ...texts.map((text) => el("li", {}, el("span", { class: "name" }, text))))) : null);

  const ofPath = (finding) => {
    const path = pathBy(chosenEdge), admin = endsAtAdmin(path), last = edges[path[path.length - 1]];
    const end = admin ? (isAdmin(last[TO]) ? ", an administrator" : " and is as good as an administrator") : "";
    const to = last[TO] === last[FROM] ? "itself, with more permissions" : name(last[TO]);
    return [
      el("h2", {}, name(finding.start), " → ", to),
      el("p", { class: "meta" }, el("span", { class: `word ${finding.severity}` }, finding.severity), ` ${finding.code} · reached in ${plural(path.length, "step", "steps")}${end} · fingerprint ${finding.fingerprint}`),
      pathPicture(path),
      targetList(finding),
      el("ol", { class: "steps" }, ...path.map((at, column) => step(at, column + 1))),
    ];
  };

  const ofFact = (finding) => [
    el("h2", {}, finding.start >= 0 ? name(finding.start) : el("span", { class: "name" }, finding.resource || finding.title)),
    el("p", { class: "meta" }, el("span", { class: `word ${finding.severity}` }, finding.severity), ` ${finding.code}: ${finding.title} · fingerprint ${finding.fingerprint}`),
    items("What it rests on", finding.evidence),
    items("Functions", finding.functions),
    finding.start >= 0 ? aroundPicture(finding.start) : null,
  ];

  const choose = (at, edge) => {
    chosen = at;
    chosenEdge = edge;
    const parts = edge >= 0 ? ofPath(findings[at]) : ofFact(findings[at]);
    $("detail").replaceChildren(...parts.filter((part) => part !== null));
    $("detail").scrollTop = 0;
    for (const button of document.querySelectorAll(".finding")) {
      if (Number(button.dataset.finding) === at) button.setAttribute("aria-current", "true"); else button.removeAttribute("aria-current");
    }
    history.replaceState(null, "", `#${findings[at].fingerprint}`);
  };

  // A way in the picture belongs to some finding.
  const chooseEdge = (edge) => {
    const at = findings.findIndex((finding) => finding.edges.includes(edge));
    if (at >= 0) { choose(at, edge); $("detail").focus(); }
  };

  // ---- keys

  on(document, "keydown", (event) => {
    const buttons = [...document.querySelectorAll(".finding")], at = buttons.indexOf(document.activeElement);
    const typing = document.activeElement instanceof HTMLInputElement;
    const go = (to) => { const button = buttons[Math.max(0, Math.min(buttons.length - 1, to))]; if (button) { event.preventDefault(); button.focus(); } };
    if (event.key === "/" && !typing) { event.preventDefault(); $("search").focus(); }
    else if (event.key === "Escape" && document.activeElement === $("search")) { $("search").value = ""; list(); }
    else if (event.key === "ArrowDown" && document.activeElement === $("search")) go(0);
    else if (at < 0) return;
    else if (event.key === "ArrowDown") go(at + 1);
    else if (event.key === "ArrowUp" && at === 0) $("search").focus();
    else if (event.key === "ArrowUp") go(at - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(buttons.length - 1);
  });

  // ---- the page

  const partial = data.ways > edges.length ? ` · ${edges.length.toLocaleString("en-US")} of them on this page` : "";
  $("summary").textContent = clean(`${data.source} · ${plural(data.accounts.length, "account", "accounts")} · ${plural(nodes.length, "principal", "principals")} · ${plural(data.ways, "way", "ways")} to become another${partial}`);
  if (data.notChecked.length) {
    $("unchecked").hidden = false;
    $("unchecked").querySelector("summary").textContent = `Not checked: ${data.notChecked.length}`;
    $("unchecked").querySelector("ul").append(...data.notChecked.map((text) => el("li", {}, text)));
  }
  on($("search"), "input", list);
  const linked = findings.findIndex((finding) => `#${finding.fingerprint}` === location.hash);
  if (findings.length) choose(Math.max(0, linked), edgeFor(Math.max(0, linked)));
  else $("detail").append(el("h2", {}, "No findings"), el("p", {}, "Nobody here can become somebody else."));
  list();
})();
