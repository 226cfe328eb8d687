// Shows one page at a time, narrows the list, puts it in another order. It keeps nothing and sends nothing; without
// it every page stands below the list, and the links lead there.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");
  document.addEventListener("DOMContentLoaded", () => {
    const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
    const cards = new Map(all(".card").map((card) => [card.id, card]));
    const rows = all("tr[data-card]").map((row) => ({ row, home: row.parentNode, card: row.dataset.card }));
    const blocks = all("tbody[data-block]");
    const asked = all("[data-ask]");
    const order = document.querySelector("[data-order]");
    const told = document.querySelector("[data-told]");
    const title = document.title;
    const camel = (name) => name.replace(/[-_](.)/g, (_, letter) => letter.toUpperCase());
    let open = null;
    let shown = rows;

    const narrow = () => {
      const wanted = asked.filter((one) => one.value !== "").map((one) => [camel(one.dataset.ask), one.value]);
      const answers = (row, [name, value]) => ` ${row.dataset[name]} `.includes(` ${value} `);
      shown = rows.filter((one) => wanted.every((question) => answers(one.row, question)));
      const kept = new Set(shown);
      for (const one of rows) one.row.hidden = !kept.has(one);
      const homes = new Set(shown.map((one) => one.row.parentNode));
      for (const block of blocks) block.hidden = !homes.has(block);
      told.textContent = `${shown.length} of ${rows.length} people shown`;
    };

    const arrange = () => {
      const by = order.value;
      const name = camel(by.replace("-", ""));
      const turn = by.startsWith("-") ? -1 : 1;
      const first = (one) => Number.parseInt(one.row.dataset[name], 10);
      rows.sort((one, other) => (by && turn * (first(one) - first(other))) || one.place - other.place);
      if (by) blocks[0].append(...rows.map((one) => one.row));
      else for (const block of blocks) block.append(...rows.filter((one) => one.home === block).map((one) => one.row));
      root.classList.toggle("sorted", by !== "");
      narrow();
    };

    // On paper the pages of those who are not shown stay away.
    const leaveOut = () => {
      const kept = new Set(shown.map((one) => one.card));
      for (const [name, card] of cards) card.classList.toggle("out", !kept.has(name));
    };

    const steps = (card) => {
      const order = [...new Set(shown.map((one) => one.card))];
      const at = order.indexOf(card.id);
      for (const link of all("[data-step]", card)) {
        const next = at < 0 ? undefined : order[at + Number(link.dataset.step)];
        link.hidden = next === undefined;
        if (next !== undefined) link.hash = next;
      }
    };

    const follow = () => {
      const name = decodeURIComponent(location.hash.slice(1));
      const card = cards.get(name) || null;
      if (open && name === "content") return; // the link that skips the top: it leads to the page that is open
      const before = open;
      if (before) before.classList.remove("open");
      open = card;
      root.classList.toggle("one", card !== null);
      document.title = card ? `${card.querySelector("h2").textContent}. ${title}` : title;
      if (card) {
        card.classList.add("open");
        steps(card);
        window.scrollTo(0, 0);
        card.querySelector("h2").focus({ preventScroll: true });
      } else if (before) {
        const row = rows.find((one) => one.card === before.id && !one.row.hidden);
        const target = name === "list" || name === "" ? row && row.row.querySelector("a") : document.getElementById(name);
        if (target) {
          target.scrollIntoView({ block: "center" });
          target.focus({ preventScroll: true });
        }
      }
    };

    rows.forEach((one, place) => { one.place = place; });
    if (order && rows.length) {
      all("[data-finder]").forEach((finder) => { finder.hidden = false; });
      asked.forEach((one) => { one.value = ""; one.addEventListener("change", narrow); });
      order.value = "";
      order.addEventListener("change", arrange);
      document.querySelector("[data-everybody]").addEventListener("click", () => {
        for (const one of [...asked, order]) one.value = "";
        arrange();
      });
    }
    window.addEventListener("beforeprint", leaveOut);
    window.addEventListener("hashchange", follow);
    if (cards.size) follow();
  });
})();
