/* wagtail-zoom: adds "your time", countdowns, copying and the mark of today. Without it the page
   is complete. Sentences come with the script tag, so that this file is the same in every language. */
(() => {
  "use strict";
  const own = document.currentScript;
  let w = {};
  try { w = JSON.parse((own && own.dataset.wzWords) || "{}"); } catch { /* words stay English */ }
  w = Object.assign({
    yours: "In your time, %(city)s: %(time)s", short: "%(time)s for you", same: "This is your time too.",
    span: "%(start)s to %(end)s", cities: "",
    next: "the next day for you", before: "the day before for you", tomorrow: "tomorrow for you", yesterday: "yesterday for you",
    days: ["day", "days"], hours: ["hour", "hours"], minutes: ["minute", "minutes"], seconds: ["second", "seconds"],
    starts: "Starts in %(time)s.", started: "It has started.", copied: "Copied", today: ", today"
  }, w);
  const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (all, key) => values[key] ?? all);
  const lang = document.documentElement.lang || undefined;
  const format = (options) => {
    try { return new Intl.DateTimeFormat(lang, options); } catch { return new Intl.DateTimeFormat(undefined, options); }
  };
  const pad = (number) => String(number).padStart(2, "0");

  /* The visitor's place: "Europe/Kiev" is Kyiv; a zone without a place is its distance from UTC. */
  const zone = format({}).resolvedOptions().timeZone || "";
  const cities = new Map(w.cities.split(";").map((pair) => pair.split("=")));
  const name = zone.includes("/") && !zone.startsWith("Etc/") ? zone.split("/").pop().replace(/_/g, " ") : "";
  const offset = (date) => -date.getTimezoneOffset();
  const place = (date) => {
    if (name) return cities.get(name) || name;
    const minutes = offset(date), size = Math.abs(minutes);
    return minutes ? "UTC" + (minutes < 0 ? "-" : "+") + pad(Math.floor(size / 60)) + ":" + pad(size % 60) : "UTC";
  };
  const day = (date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 864e5;

  /* The wall clock of the event stands in the text itself: 2026-11-26T18:30+01:00 */
  const wallDay = (text) => {
    const [year, month, date] = text.slice(0, 10).split("-").map(Number);
    return Date.UTC(year, month - 1, date) / 864e5;
  };
  const wallOffset = (text) => text.slice(16) === "Z" ? 0
    : (text[16] === "-" ? -1 : 1) * (60 * text.slice(17, 19) + +text.slice(20, 22));

  /* "7:00 to 8:00 PM": what both have at their end is said once, and the line stays a line. */
  const opening = (clock, start, end) => {
    const parts = clock.formatToParts(start), last = parts.at(-1);
    const same = last.type === "dayPeriod" && clock.formatToParts(end).at(-1).value === last.value;
    return (same ? parts.slice(0, -1).map((part) => part.value).join("") : clock.format(start)).trim();
  };

  const said = new WeakSet();

  /* Writes the visitor's time into a line; false where it is the time of the event, which each
     block says once. */
  const yours = (line) => {
    const texts = [line.dataset.wzStart, line.dataset.wzEnd].filter(Boolean), times = texts.map((text) => new Date(text));
    if (!times.length || times.some(isNaN)) return true;
    if (texts.every((text, index) => wallOffset(text) === offset(times[index]))) {
      const box = line.closest(".wz") || document.body;
      if ("wzAlone" in line.dataset && !said.has(box)) {
        said.add(box);
        line.textContent = w.same;
      }
      return false;
    }
    const [start, end] = times, there = texts.map(wallDay), here = times.map(day), short = line.dataset.wzShort;
    /* In the hours in which the clocks change a time of day may be there twice. */
    const changes = times.some((time) => [-3, 3].some((hours) => offset(new Date(+time + hours * 36e5)) !== offset(time)));
    const clock = format({
      ...(line.dataset.wzYours === "12"
        ? { hour: "numeric", minute: "2-digit", hourCycle: "h12" }
        : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
      ...(changes && { timeZoneName: "short" })
    });
    const date = format(short === "weekday" ? { weekday: "short" } : { weekday: "short", day: "numeric", month: "short" });
    const dated = (time) => date.format(time) + ", " + clock.format(time);
    let time;
    if (here[0] !== here.at(-1)) time = fill(w.span, { start: dated(start), end: dated(end) });
    else {
      time = end ? fill(w.span, { start: opening(clock, start, end), end: clock.format(end) }) : clock.format(start);
      if ([...there, ...here].some((number) => number !== there[0])) time = date.format(start) + ", " + time;
      if (here[0] !== there[0] && !short) {
        const today = there[0] === day(new Date());
        time += ", " + (here[0] > there[0] ? (today ? w.tomorrow : w.next) : (today ? w.yesterday : w.before));
      }
    }
    line.textContent = fill(short ? w.short : w.yours, { city: place(start), time });
    return true;
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
        box.remove();
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
        : [...(days ? [[days, w.days]] : []), [hours, w.hours], ...(days < 100 ? [[minutes, w.minutes]] : [])];
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

  /* Today by the clock of the block: 2026-11-26 */
  const todayIn = (zone) => {
    const options = { year: "numeric", month: "2-digit", day: "2-digit" };
    let clock;
    try { clock = new Intl.DateTimeFormat("en", { ...options, timeZone: zone }); } catch { clock = new Intl.DateTimeFormat("en", options); }
    const parts = Object.fromEntries(clock.formatToParts(new Date()).map((part) => [part.type, part.value]));
    return [parts.year, parts.month, parts.day].join("-");
  };
  const today = () => {
    for (const box of document.querySelectorAll("[data-wz-zone]")) {
      const iso = todayIn(box.dataset.wzZone || undefined);
      for (const cell of box.querySelectorAll("[data-wz-day]")) {
        if (cell.dataset.wzDay === iso) cell.setAttribute("aria-current", "date");
        else cell.removeAttribute("aria-current");
      }
      for (const mark of box.querySelectorAll("[data-wz-today]")) {
        mark.textContent = mark.dataset.wzToday === iso ? w.today : "";
      }
    }
  };

  /* The lines are reserved so that nothing moves on the screen. Where nothing moves there, because
     nothing has been painted yet or they are below it, only those that are needed are kept. */
  const hasPaint = () => {
    try {
      return !PerformanceObserver.supportedEntryTypes.includes("paint") || performance.getEntriesByType("paint").length > 0;
    } catch { return true; }
  };
  const release = (root) => {
    const painted = hasPaint();
    [...root.querySelectorAll("[data-wz-yours]")]
      .filter((line) => !painted || line.getBoundingClientRect().top > innerHeight)
      .forEach((line) => { line.style.minBlockSize = "0"; });
  };

  const add = (root) => {
    root.querySelectorAll("[data-wz-yours]").forEach(yours);
    root.querySelectorAll("[data-wz-all]").forEach((note) => {
      const lines = [...note.closest(".wz").querySelectorAll("[data-wz-yours]")];
      if (lines.length && !lines.some(yours)) note.textContent = w.same;
    });
    root.querySelectorAll("[data-wz-countdown]").forEach(countdown);
    root.querySelectorAll("[data-wz-copy]").forEach(copy);
    release(root);
    today();
  };
  add(document);
  /* The answer to a form that was sent in place. */
  document.addEventListener("wz:added", (event) => add(event.target));
})();
