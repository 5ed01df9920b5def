/* wagtail-zoom, owner's side: watches a run, searches hosts, says what would show. */
(() => {
  "use strict";

  const EVERY = 2000;
  const SLOW = 10000;

  /* A run under way: fetch the card again until it no longer says that it is running. */
  const live = document.querySelector("[data-wza-live]");
  const voice = document.querySelector("[data-wza-voice]");

  const running = () => live && live.querySelector("[data-wza-running]");

  /* What stands elsewhere on the page comes along with the card; who is on a button stays there. */
  function renew(fresh) {
    const part = document.querySelector(`[data-wza-part="${fresh.dataset.wzaNow}"]`);
    if (!part) return;
    const there = part.contains(document.activeElement) && document.activeElement.textContent;
    part.innerHTML = fresh.innerHTML;
    if (!there) return;
    const same = [...part.querySelectorAll("a, button")].find((each) => each.textContent === there);
    if (same) same.focus();
  }

  async function refresh() {
    if (document.hidden) return window.setTimeout(refresh, EVERY);
    let wait = EVERY;
    try {
      const answer = await fetch(live.dataset.wzaLive, { credentials: "same-origin" });
      if (answer.redirected || answer.status === 403 || answer.status === 404) return undefined;
      if (answer.ok) {
        const html = await answer.text();
        const focused = live.contains(document.activeElement) && document.activeElement.id;
        const heading = live.querySelector("h2");
        const before = heading ? heading.textContent.trim() : "";
        live.innerHTML = html;
        if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
        live.querySelectorAll("[data-wza-now]").forEach(renew);
        const now = live.querySelector("h2").textContent.trim();
        const said = live.querySelector("[data-wza-say]");
        if (voice && now !== before) voice.textContent = `${now}. ${said ? said.textContent : ""}`;
      } else {
        wait = SLOW;
      }
    } catch {
      wait = SLOW;
    }
    return running() ? window.setTimeout(refresh, wait) : undefined;
  }

  if (running()) window.setTimeout(refresh, EVERY);

  /* A link to the other tab of this very page. */
  window.addEventListener("hashchange", () => {
    const tab = document.querySelector(`[role="tab"][href="${CSS.escape(location.hash)}"]`);
    if (tab && tab.getAttribute("aria-selected") !== "true") tab.click();
  });

  /* Hosts by name: what is ticked stays in the form, only the others are replaced. */
  const search = document.querySelector("[data-wza-search]");
  const ticked = document.querySelector("[data-wza-ticked]");
  const others = document.querySelector("[data-wza-others]");
  const hostsNote = document.querySelector("[data-wza-hosts]");
  const FEW = 5;
  let look = () => {};

  if (search && ticked && others) {
    const box = search.querySelector("input");
    let timer = 0;
    let asked = 0;

    look = async () => {
      asked += 1;
      const mine = asked;
      others.querySelectorAll("input:checked").forEach((input) => {
        ticked.append(input.closest("li"));
      });
      const query = new URLSearchParams({ q: box.value });
      ticked.querySelectorAll("input").forEach((input) => query.append("without", input.value));
      try {
        const answer = await fetch(`${search.dataset.wzaSearch}?${query}`, {
          credentials: "same-origin",
        });
        if (answer.ok && !answer.redirected && mine === asked) {
          others.innerHTML = await answer.text();
          /* Hosts of before a reconnection arrive ticked: what visitors would see changes. */
          if (others.querySelector("input:checked")) {
            others.dispatchEvent(new Event("change", { bubbles: true }));
          }
        }
      } catch {
        /* The list stays as it is. */
      }
    };

    search.hidden = Number(hostsNote.dataset.wzaHosts) <= FEW;
    box.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(look, 250);
    });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }

  /* How many hosts there are and are ticked. Just after connecting, more of them arrive. */
  function count(hosts) {
    if (!hostsNote) return;
    if (hostsNote.textContent !== hosts.summary) hostsNote.textContent = hosts.summary;
    const lost = document.querySelector("[data-wza-lost]");
    if (lost) {
      lost.textContent = hosts.lost;
      lost.hidden = !hosts.lost;
    }
    if (hostsNote.dataset.wzaHosts === String(hosts.count)) return;
    hostsNote.dataset.wzaHosts = hosts.count;
    if (search) search.hidden = hosts.count <= FEW;
    look();
  }

  /* What visitors would see with the choices as they stand: asked for after each change. */
  const outlook = document.querySelector("[data-wza-outlook]");
  const choices = document.getElementById("tab-choices");
  if (outlook && choices) {
    const form = choices.closest("form");
    let timer = 0;
    let asked = 0;
    let waiting = false;

    const ask = async (tries) => {
      asked += 1;
      const mine = asked;
      try {
        const answer = await fetch(outlook.dataset.wzaOutlook, {
          method: "POST",
          body: new FormData(form),
          credentials: "same-origin",
        });
        if (!answer.ok || answer.redirected || mine !== asked) return;
        const found = await answer.json();
        if (outlook.textContent !== found.sentence) outlook.textContent = found.sentence;
        document.querySelectorAll("[data-wza-side]").forEach((place) => {
          place.textContent = found.sides[place.dataset.wzaSide];
        });
        count(found.hosts);
        waiting = found.hosts.waiting;
        if ((found.counting || waiting) && tries > 0) {
          timer = window.setTimeout(ask, EVERY, tries - 1);
          return;
        }
      } catch {
        /* The counts stay as they are. */
      }
      if (waiting && mine === asked) timer = window.setTimeout(ask, SLOW, 0);
    };

    const soon = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, 300, 15);
    };
    choices.addEventListener("change", soon);
    choices.addEventListener("input", soon);
    form.addEventListener("reset", soon);
    soon();
  }
})();
