/* wagtail-zoom: adds "your time", countdowns, copying and the mark of today. Without it the page
   is complete. Sentences come with the script tag, so that this file is the same in every language. */
(() => {
  "use strict";
  const own = document.currentScript;
  let w = {};
  try { w = JSON.parse((own && own.dataset.wzWords) || "{}"); } catch { /* words stay English */ }
  w = Object.assign({
    yours: "In your time, %(city)s: %(time)s", same: "This is your time too.", span: "%(start)s to %(end)s",
    next: "the next day for you", before: "the day before for you", tomorrow: "tomorrow for you", yesterday: "yesterday for you",
    days: ["day", "days"], hours: ["hour", "hours"], minutes: ["minute", "minutes"], seconds: ["second", "seconds"],
    starts: "Starts in %(time)s.", started: "It has started.", copied: "Copied", today: ", today"
  }, w);
  const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (all, key) => values[key] ?? all);
  const lang = document.documentElement.lang || undefined;
  const format = (options) => {
    try { return new Intl.DateTimeFormat(lang, options); } catch { return new Intl.DateTimeFormat(undefined, options); }
  };
  const zone = format({}).resolvedOptions().timeZone || "";
  const city = zone.split("/").pop().replace(/_/g, " ");
  const day = (date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 864e5;

  /* The wall clock of the event stands in the attribute itself: 2026-11-26T18:30+01:00 */
  const wall = (text) => {
    const [year, month, date] = text.slice(0, 10).split("-").map(Number);
    return Date.UTC(year, month - 1, date) / 864e5;
  };

  /* "7:00 to 8:00 PM": what both have at their end is said once, and the line stays a line. */
  const opening = (clock, start, end) => {
    const parts = clock.formatToParts(start), last = parts.at(-1);
    const same = last.type === "dayPeriod" && clock.formatToParts(end).at(-1).value === last.value;
    return (same ? parts.slice(0, -1).map((part) => part.value).join("") : clock.format(start)).trim();
  };

  const yours = (line) => {
    const box = line.closest("p.wz-yours") === line ? line.parentElement : line.closest("li, dd, div");
    const times = [...box.querySelectorAll("time[datetime*=T]")].filter(
      (time) => line.compareDocumentPosition(time) & Node.DOCUMENT_POSITION_PRECEDING);
    if (!times.length) return;
    const [first, last] = [times.at(-2) || times[0], times.at(-1)];
    const start = new Date(first.dateTime), end = new Date(last.dateTime);
    if (isNaN(start)) return;
    const offset = first.dateTime.slice(16) === "Z" ? 0 : (first.dateTime[16] === "-" ? 1 : -1)
      * (60 * first.dateTime.slice(17, 19) + +first.dateTime.slice(20, 22));
    if (offset === start.getTimezoneOffset()) { line.textContent = w.same; return; }
    const clock = format(line.dataset.wzYours === "12"
      ? { hour: "numeric", minute: "2-digit", hourCycle: "h12" }
      : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    let time = first === last ? clock.format(start) : fill(w.span, { start: opening(clock, start, end), end: clock.format(end) });
    const there = wall(first.dateTime), here = day(start);
    if (there !== here) {
      const today = there === day(new Date());
      const words = here > there ? (today ? w.tomorrow : w.next) : (today ? w.yesterday : w.before);
      time = format({ weekday: "short", day: "numeric", month: "short" }).format(start) + ", " + time + ", " + words;
    }
    line.textContent = fill(w.yours, { city, time });
  };

  const unit = (count, words) => words[count === 1 ? 0 : 1];
  const countdown = (box) => {
    const until = new Date(box.dataset.wzCountdown), status = box.nextElementSibling;
    let said = "";
    const say = (text) => { if (status && text !== said) { said = status.textContent = text; } };
    const draw = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (isNaN(left)) return;
      if (left <= 0) {
        say(w.started);
        /* Once: a page that a cache keeps as it was must not be fetched over and over. */
        const key = "wz" + box.dataset.wzCountdown + location.pathname;
        try {
          if (left > -300 && !sessionStorage.getItem(key)) {
            sessionStorage.setItem(key, "1");
            setTimeout(() => location.reload(), 1500);
          }
        } catch { /* no storage, no reload */ }
        return;
      }
      const days = Math.floor(left / 86400), hours = Math.floor(left / 3600) % 24, minutes = Math.floor(left / 60) % 60;
      const parts = left < 3600
        ? [[minutes, w.minutes], [left % 60, w.seconds]]
        : [...(days ? [[days, w.days]] : []), [hours, w.hours], [minutes, w.minutes]];
      box.replaceChildren(...parts.map(([count, words], index) => {
        const part = document.createElement("span"), digits = document.createElement("b"), name = document.createElement("i");
        digits.textContent = index ? String(count).padStart(2, "0") : count;
        name.textContent = unit(count, words);
        part.append(digits, name);
        return part;
      }));
      for (const [edge, count, words] of [[600, 10, w.minutes], [3600, 1, w.hours], [86400, 1, w.days]]) {
        if (left <= edge && left > edge - 60) say(fill(w.starts, { time: count + " " + unit(count, words) }));
      }
      setTimeout(draw, left <= 3660 ? 1000 : 1000 * (left % 60 || 60));
    };
    draw();
  };

  const copy = (button) => {
    const source = document.getElementById(button.dataset.wzCopy);
    if (!source || !navigator.clipboard) return;
    button.hidden = false;
    const status = document.createElement("span");
    status.className = "wz-meta";
    status.setAttribute("role", "status");
    button.after(status);
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(source.textContent); } catch { return; }
      status.textContent = w.copied;
      setTimeout(() => { status.textContent = ""; }, 2000);
    });
  };

  const today = () => {
    const now = new Date();
    const iso = [now.getFullYear(), String(now.getMonth() + 1).padStart(2, "0"), String(now.getDate()).padStart(2, "0")].join("-");
    for (const cell of document.querySelectorAll("[data-wz-day]")) {
      if (cell.dataset.wzDay === iso) cell.setAttribute("aria-current", "date");
      else cell.removeAttribute("aria-current");
    }
    for (const mark of document.querySelectorAll("[data-wz-today]")) {
      if (mark.dataset.wzToday === iso) mark.textContent = w.today;
    }
  };

  const add = (root) => {
    root.querySelectorAll("[data-wz-yours]").forEach(yours);
    root.querySelectorAll("[data-wz-countdown]").forEach(countdown);
    root.querySelectorAll("[data-wz-copy]").forEach(copy);
    today();
  };
  add(document);
  /* The answer to a form that was sent in place. */
  document.addEventListener("wz:added", (event) => add(event.target));
})();
