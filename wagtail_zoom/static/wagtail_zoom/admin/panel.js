/* wagtail-zoom, owner's side: watches a run, searches hosts, adds up counts. */
(() => {
  "use strict";

  const EVERY = 2000;
  const SLOW = 10000;

  /* A run under way: fetch the card again until it no longer says that it is running. */
  const live = document.querySelector("[data-wza-live]");
  const voice = document.querySelector("[data-wza-voice]");

  const running = () => live && live.querySelector("[data-wza-running]");

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
        const counted = live.querySelector("[data-wza-numbers-now]");
        const numbers = document.querySelector("[data-wza-numbers]");
        if (counted && numbers) numbers.innerHTML = counted.innerHTML;
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

  if (search && ticked && others) {
    const box = search.querySelector("input");
    let timer = 0;
    let asked = 0;

    const look = async () => {
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
        }
      } catch {
        /* The list stays as it is. */
      }
    };

    search.hidden = false;
    box.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(look, 250);
    });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }

  /* What Zoom has for the hosts that are ticked, beside each kind. */
  const totals = document.querySelectorAll("[data-wza-total]");
  if (totals.length && ticked) {
    const words = new Map([...totals].map((place) => [place, place.textContent]));
    document.addEventListener("change", (event) => {
      if (!event.target.matches('input[name="hosts"]')) return;
      totals.forEach((place) => {
        let sum = 0;
        document.querySelectorAll('input[name="hosts"]:checked').forEach((input) => {
          sum += Number(input.dataset[place.dataset.wzaTotal] || 0);
        });
        const text = words.get(place);
        if (/^\d/.test(text)) place.textContent = text.replace(/^\d+/, String(sum));
      });
    });
  }
})();
