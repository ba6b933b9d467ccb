# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Style and script of the evidence page. PRIVATE to the collection.

Text in Python because that is all Ansible sends along with a module. The page allows exactly these two by their hashes.
"""

from __future__ import annotations

STYLE = r"""
:root {
  color-scheme: light dark;
  --bg: #f4f6f8; --card: #fff; --ink: #17202b; --muted: #55606e; --line: #dde2e8; --soft: #eef1f5;
  --accent: #0a5bb5; --good: #18713f; --warn: #8a5a00; --bad: #b3251e; --dim: #5a6573;
  --good-bg: #e3f3ea; --warn-bg: #fbf0d9; --bad-bg: #fbe6e4; --dim-bg: #e9edf1;
  --open: #c65d21; --shut: #2c7d74; --unsure: #98a3b0; --hero: #12263f; --hero-ink: #fff; --hero-muted: #c3d0e0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0e131a; --card: #161d26; --ink: #e7ecf2; --muted: #a3afbd; --line: #2a3441; --soft: #1d2631;
    --accent: #82b9ff; --good: #63d49c; --warn: #f0bb5e; --bad: #ff8f86; --dim: #a9b4c1;
    --good-bg: #14321f; --warn-bg: #38290c; --bad-bg: #421a18; --dim-bg: #242e3a;
    --open: #e8834a; --shut: #45a89d; --unsure: #6b7887; --hero: #101b2a; --hero-ink: #f3f7fb; --hero-muted: #a9b9cc;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 3.5rem; }
body {
  margin: 0; background: var(--bg); color: var(--ink); line-height: 1.5;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
h1, h2, h3, p, ul, ol, dl, dd, figure, table { margin: 0; padding: 0; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; z-index: 9; background: var(--card); padding: .5rem 1rem; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.wrap { max-width: 1180px; margin: 0 auto; padding: 0 1.25rem; }
.hero { background: var(--hero); color: var(--hero-ink); padding: 1.75rem 0 3.5rem; }
.hero .wrap { display: flex; gap: 2rem; justify-content: space-between; align-items: flex-start; }
.hero h1 { font-size: 1.7rem; line-height: 1.2; letter-spacing: -.01em; }
.hero p { color: var(--hero-muted); margin-top: .4rem; max-width: 46rem; }
.clock { text-align: right; flex: 0 0 16rem; }
.clock b { display: block; font-size: 2.6rem; line-height: 1; font-variant-numeric: tabular-nums; }
.clock span { color: var(--hero-muted); font-size: .85rem; }
.tiles {
  display: grid; grid-template-columns: repeat(4, 1fr); gap: .75rem; margin-top: -2.25rem;
  list-style: none;
}
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .85rem 1rem; }
.tiles b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--muted); font-size: .85rem; display: block; }
.tiles .bad { border-left: 5px solid var(--bad); }
.tiles .warn { border-left: 5px solid var(--warn); }
.tiles .good { border-left: 5px solid var(--good); }
nav { position: sticky; top: 0; z-index: 5; background: var(--bg); margin-top: 1rem; }
nav { border-bottom: 1px solid var(--line); }
nav ul { display: flex; gap: .25rem; list-style: none; overflow-x: auto; scrollbar-width: none; }
nav a {
  display: block; padding: .6rem .7rem; white-space: nowrap; text-decoration: none; color: var(--muted);
  font-size: .9rem;
}
nav a:hover { color: var(--accent); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
section { padding: 1.25rem; margin: 1.1rem 0; }
section > h2 { font-size: 1.2rem; line-height: 1.3; margin-bottom: .6rem; }
section > h2 + p { color: var(--muted); margin: -.4rem 0 .9rem; max-width: 56rem; }
h3 { font-size: 1rem; margin: 1rem 0 .4rem; }
.badge {
  display: inline-block; border-radius: 99px; padding: .05rem .6rem; font-size: .82rem; white-space: nowrap;
  background: var(--dim-bg); color: var(--dim);
}
.badge.good { background: var(--good-bg); color: var(--good); }
.badge.warn { background: var(--warn-bg); color: var(--warn); }
.badge.bad { background: var(--bad-bg); color: var(--bad); font-weight: 600; }
.cells { display: flex; flex-wrap: wrap; gap: 4px; list-style: none; margin: .25rem 0 1rem; }
.cells a {
  display: grid; place-items: center; width: 26px; height: 26px; border-radius: 5px; text-decoration: none;
  font-size: .8rem; font-weight: 700; background: var(--dim-bg); color: var(--dim); border: 1px solid transparent;
}
.cells .good { background: var(--good-bg); color: var(--good); }
.cells .warn { background: var(--warn-bg); color: var(--warn); border-color: var(--warn); }
.cells .bad { background: var(--bad); color: var(--card); }
.legend { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; list-style: none; }
.legend { font-size: .85rem; color: var(--muted); }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 3px; }
.legend i { margin-right: .4rem; vertical-align: -1px; }
.i-open { background: var(--open); } .i-shut { background: var(--shut); } .i-unsure { background: var(--unsure); }
.scroll { overflow-x: auto; margin: 0 -1.25rem; padding: 0 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--muted); font-size: .85rem; padding-bottom: .3rem; }
th, td { text-align: left; padding: .45rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--muted); font-weight: 600; font-size: .82rem; vertical-align: bottom; }
tbody th { font-weight: 600; min-width: 10rem; overflow-wrap: anywhere; }
td { overflow-wrap: anywhere; min-width: 7rem; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; min-width: 3.5rem; overflow-wrap: normal; }
td.k { white-space: nowrap; overflow-wrap: normal; min-width: 0; }
td.w { min-width: 10rem; }
#boxes tbody th { min-width: 13rem; }
button, input, select {
  font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: .35rem .7rem;
}
button { cursor: pointer; }
button:hover { border-color: var(--accent); }
th button { border: 0; padding: 0; background: none; font-weight: 600; color: inherit; text-align: inherit; }
th[aria-sort] button { color: var(--ink); }
th[aria-sort="ascending"] button::after { content: " \2191"; }
th[aria-sort="descending"] button::after { content: " \2193"; }
button.open { border: 0; background: none; padding: 0; text-align: left; font-weight: 600; }
button.open { color: var(--accent); overflow-wrap: anywhere; }
button.open::before { content: "\25B8"; display: inline-block; width: 1.1em; }
button.open[aria-expanded="true"]::before { content: "\25BE"; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .5rem 0 .8rem; }
.tools input { flex: 1 1 16rem; min-width: 0; border-color: var(--muted); }
.chip[aria-pressed="true"] { background: var(--accent); border-color: var(--accent); color: var(--card); }
.js tr.more:not(.shown), .js .short tr.later { display: none; }
tr.more > td { background: var(--soft); padding: .9rem 1rem 1.1rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); }
.facts { gap: .3rem 1.5rem; font-size: .9rem; }
.facts dt { color: var(--muted); font-size: .8rem; }
.facts dd { overflow-wrap: anywhere; }
.plain { padding-left: 1.1rem; }
.list { list-style: none; display: grid; gap: .45rem; }
.list li { display: flex; gap: .6rem; align-items: baseline; overflow-wrap: anywhere; }
.list .badge { flex: none; min-width: 5.7rem; text-align: center; }
.bar { display: block; width: 100%; height: 1.15rem; border-radius: 6px; background: var(--dim-bg); }
.thin { height: .6rem; border-radius: 4px; }
.area { display: block; width: 100%; height: 190px; background: var(--soft); border-radius: 8px; }
.f-open { fill: var(--open); } .f-shut { fill: var(--shut); } .f-unsure { fill: var(--unsure); }
.f-accent { fill: var(--accent); }
.s-line { fill: none; stroke: var(--ink); stroke-width: 2; vector-effect: non-scaling-stroke; }
.axis { display: flex; justify-content: space-between; color: var(--muted); font-size: .8rem; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.25rem; }
.panel { border: 1px solid var(--line); border-radius: 10px; padding: 1rem; }
.panel h3 { margin-top: 0; }
.big { display: flex; gap: 1.5rem; margin: .6rem 0; }
.big b { display: block; font-size: 1.8rem; line-height: 1.1; font-variant-numeric: tabular-nums; }
.big span { color: var(--muted); font-size: .85rem; }
.gates { list-style: none; display: grid; gap: .4rem; font-size: .9rem; }
.gates li { display: grid; grid-template-columns: 11rem 1fr 4.5rem 11rem; gap: .1rem .8rem; align-items: center; }
.gates .n { text-align: right; font-variant-numeric: tabular-nums; }
.gates .since { color: var(--muted); font-size: .82rem; }
details > summary { cursor: pointer; color: var(--accent); margin: .6rem 0; }
pre {
  background: var(--soft); border-radius: 8px; padding: .7rem .9rem; margin: .3rem 0 0;
  overflow: auto; max-height: 20rem;
  font: .85rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace;
}
footer { color: var(--muted); font-size: .85rem; padding: .5rem 0 2.5rem; }
footer p { margin-bottom: .4rem; }
.no-js { background: var(--warn-bg); color: var(--warn); padding: .5rem .8rem; border-radius: 8px; }
.js .no-js { display: none; }
@media (max-width: 640px) {
  body { font-size: 16px; }
  .hero .wrap { display: block; }
  .hero h1 { font-size: 1.4rem; }
  .clock { text-align: left; margin-top: 1rem; }
  .clock b { font-size: 2rem; display: inline; }
  .tiles { grid-template-columns: 1fr 1fr; }
  section { padding: 1rem; border-radius: 10px; }
  .scroll { margin: 0 -1rem; padding: 0 1rem; }
  .wrap { padding: 0 .8rem; }
  .gates li { grid-template-columns: 1fr auto; }
  .gates svg { grid-row: 2; grid-column: 1 / -1; }
  .gates .since { grid-column: 1 / -1; }
  tbody th, #boxes tbody th, td, td.w, td.n { min-width: 0; }
  table.stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.stack, table.stack tbody, table.stack tr, table.stack th, table.stack td { display: block; }
  table.stack tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
  table.stack th, table.stack td { border: 0; padding: .1rem 0; text-align: left; white-space: normal; }
  table.stack td[data-l]::before { content: attr(data-l) ": "; color: var(--muted); font-size: .85rem; }
  table.stack td:empty { display: none; }
  .js table.stack tr.more:not(.shown) { display: none; }
  table.stack tr.more > td { padding: .8rem; border-radius: 8px; }
}
@media print {
  :root {
    --bg: #fff; --card: #fff; --ink: #000; --muted: #444; --line: #bbb; --soft: #f4f4f4; --hero: #fff;
    --hero-ink: #000; --hero-muted: #444; --accent: #000;
    --good: #18713f; --warn: #8a5a00; --bad: #b3251e; --dim: #444;
    --good-bg: #e3f3ea; --warn-bg: #fbf0d9; --bad-bg: #fbe6e4; --dim-bg: #e9edf1;
    --open: #c65d21; --shut: #2c7d74; --unsure: #98a3b0;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  @page { margin: 14mm; }
  body { font-size: 10pt; }
  nav, .tools, .skip, #more, #tenants-more { display: none; }
  .hero { padding: 0 0 1rem; border-bottom: 2px solid #000; }
  .tiles { margin-top: 1rem; grid-template-columns: repeat(4, 1fr); }
  .wrap { max-width: none; padding: 0; }
  section { border: 0; padding: 0; margin: 1.2rem 0; }
  .scroll { overflow: visible; margin: 0; padding: 0; }
  h2, h3 { break-after: avoid; }
  tr.row, li, .panel { break-inside: avoid; }
  thead { display: table-header-group; }
  .js .short tr.row.later { display: table-row; }
}
"""

SCRIPT = r"""
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const el = (id) => document.getElementById(id);
  const make = (name, text, className) => {
    const node = document.createElement(name);
    if (text !== undefined && text !== null) node.textContent = String(text);
    if (className) node.className = className;
    return node;
  };
  const number = (value) => value.toLocaleString("en");
  const DAY = 86400000;
  const day = (value) => new Date(value * DAY).toISOString().slice(0, 10);

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });

  // The page may be opened days after it was made.
  const clock = el("days");
  if (clock) {
    const left = Math.ceil((Date.parse(clock.dataset.until + "T23:59:59Z") - Date.now()) / DAY) - 1;
    const age = Math.floor((Date.now() - Date.parse(clock.dataset.read)) / DAY);
    if (age > 0 && left >= 0) {
      clock.textContent = number(left);
      el("age").textContent = " from today; the evidence is " + age + (age === 1 ? " day old" : " days old");
    }
  }

  // The table of tenants: details, search, order.
  const tenants = el("tenants");
  const pairs = tenants
    ? [...tenants.tBodies[0].querySelectorAll("tr.row")].map((row) => [row, row.nextElementSibling])
    : [];
  const toggle = (row, shown) => {
    row.nextElementSibling.classList.toggle("shown", shown);
    row.querySelector("button.open").setAttribute("aria-expanded", String(shown));
  };
  const rest = el("tenants-more");
  const showAll = () => {
    tenants.classList.remove("short");
    if (rest) rest.hidden = true;
  };
  const openTarget = () => {
    const row = location.hash.startsWith("#t-") && document.getElementById(location.hash.slice(1));
    if (!row) return;
    row.hidden = row.nextElementSibling.hidden = false;
    showAll();
    toggle(row, true);
    row.scrollIntoView({block: "start"});
    row.querySelector("button.open").focus({preventScroll: true});
  };
  if (tenants) {
    tenants.addEventListener("click", (event) => {
      const opener = event.target.closest("button.open");
      if (opener) toggle(opener.closest("tr"), opener.getAttribute("aria-expanded") !== "true");
      const sorter = event.target.closest("thead button");
      if (sorter) sortTenants(sorter.closest("th"));
    });
    addEventListener("hashchange", openTarget);
    if (rest) rest.addEventListener("click", showAll);
  }
  const sortTenants = (head) => {
    showAll();
    const column = [...head.parentNode.children].indexOf(head);
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.children[column].dataset.v ?? row.children[column].textContent;
    const order = (a, b) => key(a[0]).localeCompare(key(b[0]), "en", {numeric: true}) * (down ? -1 : 1);
    tenants.tBodies[0].append(...pairs.sort(order).flat());
  };
  const wanted = el("tenant-search");
  if (wanted) {
    wanted.addEventListener("input", () => {
      const words = wanted.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      showAll();
      for (const [row, more] of pairs) {
        const text = row.textContent.toLowerCase();
        const fits = words.every((word) => text.includes(word));
        row.hidden = !fits;
        more.hidden = !fits;
        shown += fits;
      }
      el("tenant-count").textContent = number(shown) + " of " + number(pairs.length) + " tenants";
    });
  }

  // The mailboxes: columns of text, unpacked into rows once.
  const table = el("boxes");
  const data = table && JSON.parse(el("data").textContent);
  const rows = [];
  if (data) {
    data.tenants.forEach((packed, index) => {
      const names = packed.a ? packed.a.split("\n") : [];
      let entry = -1;
      let used = -1;
      names.forEach((name, at) => {
        const listed = packed.s[at] !== "-";
        const seen = packed.w[at] === "u";
        entry += listed;
        used += seen;
        const address = name.includes("@") ? name : name + "@" + packed.d;
        rows.push({
          tenant: index, address, override: packed.o[at], basic: packed.b[at], oauth: packed.q[at],
          state: packed.s[at].toLowerCase(), unused: "nXGS".includes(packed.s[at]),
          closed: data.closed[packed.c[at]], seen: seen ? packed.u[used] : null, use: packed.w[at],
          owner: listed ? data.texts[packed.p[entry]] : "", reason: listed ? data.texts[packed.r[entry]] : "",
          ticket: listed ? data.texts[packed.k[entry]] : "", expires: listed ? packed.e[entry] : null,
        });
      });
    });
  }
  const URGENCY = "xgs-nc";
  const urgency = (row) => URGENCY.indexOf(row.state) + (row.state === "-" && row.override !== "e" ? 3 : 0);
  rows.sort((a, b) => urgency(a) - urgency(b) || (a.expires ?? 1e6) - (b.expires ?? 1e6));
  const OVERRIDE = {e: "enabled", d: "disabled", i: "inherits", "-": "not read"};
  const VERDICT = {a: "works", b: "blocked", u: "unknown", "-": ""};
  const STATE = {
    x: ["expired", "bad"], g: ["mailbox gone", "bad"], s: ["expires soon", "warn"], n: ["not seen in use", "warn"],
    c: ["current", "good"], "-": ["not listed", "dim"],
  };
  const USE = {u: "used", n: "not seen", "?": "unknown", "-": ""};
  const FILTERS = {
    all: () => true,
    can: (row) => row.basic === "a" || row.oauth === "a",
    listed: (row) => row.state !== "-",
    expired: (row) => row.state === "x" || row.state === "g",
    soon: (row) => row.state === "s",
    unused: (row) => row.unused,
    stray: (row) => row.state === "-" && row.override === "e",
    flag: (row) => row.override === "i" && (row.basic === "a" || row.oauth === "a"),
    basic: (row) => row.basic === "a" && row.use === "u",
  };
  let filter = "all";
  let found = [];
  let shown = 0;
  const STEP = 100;
  const cell = (row, label, text, className) => {
    const node = make("td", text, className);
    node.dataset.l = label;
    row.append(node);
    return node;
  };
  const draw = (row) => {
    const line = make("tr");
    const head = make("th");
    head.scope = "row";
    const at = row.address.lastIndexOf("@") + 1;
    head.append(row.address.slice(0, at), make("wbr"), row.address.slice(at));
    line.append(head);
    cell(line, "Tenant", data.tenants[row.tenant].n);
    cell(line, "Own setting", OVERRIDE[row.override], "k");
    const works = "Basic " + (VERDICT[row.basic] || "not judged") + ", OAuth " + (VERDICT[row.oauth] || "not judged");
    cell(line, "SMTP AUTH", row.closed ? works + " (" + row.closed + ")" : works, "w");
    const state = cell(line, "Exception", null, "k");
    state.append(make("span", STATE[row.state][0], "badge " + STATE[row.state][1]));
    cell(line, "Expires", row.expires === null ? (row.state === "-" ? "" : "never") : day(row.expires), "k");
    cell(line, "Owner", [row.owner, row.ticket].filter(Boolean).join(", "));
    cell(line, "Reason", row.reason, "w");
    cell(line, "Last seen", row.seen === null ? USE[row.use] : day(row.seen), "k");
    return line;
  };
  const more = (start) => {
    const part = found.slice(shown, shown + STEP).map(draw);
    table.tBodies[0].append(...part);
    shown += part.length;
    el("more").hidden = shown >= found.length;
    const noun = found.length === 1 ? " mailbox" : " mailboxes, " + number(shown) + " shown";
    el("box-count").textContent = number(found.length) + noun;
    if (!start && part.length) {
      part[0].tabIndex = -1;
      part[0].focus();
    }
  };
  const search = el("box-search");
  const refresh = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const test = FILTERS[filter];
    const text = (row) =>
      [row.address, data.tenants[row.tenant].n, row.owner, row.reason, row.ticket].join(" ").toLowerCase();
    found = rows.filter((row) => test(row) && (!words.length || words.every((word) => text(row).includes(word))));
    shown = 0;
    table.tBodies[0].replaceChildren();
    more(true);
  };
  const choose = (name) => {
    filter = name;
    for (const chip of document.querySelectorAll(".chip")) {
      chip.setAttribute("aria-pressed", String(chip.value === name));
    }
    refresh();
  };
  if (data) {
    let waiting = 0;
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(refresh, 120);
    });
    for (const chip of document.querySelectorAll(".chip")) {
      const count = rows.filter(FILTERS[chip.value]).length;
      chip.append(" ", make("span", number(count)));
      chip.addEventListener("click", () => choose(chip.value));
    }
    // A figure elsewhere on the page leads to the mailboxes behind it.
    for (const link of document.querySelectorAll("a[data-filter]")) {
      link.addEventListener("click", () => choose(link.dataset.filter));
    }
    el("more").addEventListener("click", () => more(false));
    refresh();
  }
  openTarget();
  root.dataset.ready = String(Math.round(performance.now()));
})();
"""
