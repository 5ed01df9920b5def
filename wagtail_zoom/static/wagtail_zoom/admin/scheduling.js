/* wagtail-zoom: shows the fields that belong to a choice, and says when the meeting takes place.
   A form can stand on a page or in the chooser, which loads this file again. */
(() => {
  "use strict";

  if (window.wagtailZoomScheduling) return;
  window.wagtailZoomScheduling = true;

  const SELECTOR = "form[data-wza-schedule]";
  const UNSENT = ["csrfmiddlewaretoken", "passcode", "seen", "key", "topic", "agenda"];
  const DELAY = 300;
  const timers = new WeakMap();
  const requests = new WeakMap();

  const field = (form, name) => form.querySelector(`[name="${form.dataset.wzaSchedule}${name}"]`);
  const value = (form, name) => new FormData(form).get(form.dataset.wzaSchedule + name) || "";
  const show = (element, isShown) => {
    if (element) element.hidden = !isShown;
  };
  const wrapper = (form, name) => {
    const element = field(form, name);
    return element && element.closest(".w-field__wrapper");
  };

  function update(form) {
    const repeats = value(form, "repeats");
    form.querySelectorAll("[data-wza-when]").forEach((part) => {
      show(part, part.dataset.wzaWhen.split(" ").includes(repeats));
    });
    show(wrapper(form, "month_day"), value(form, "month_by") === "day");
    show(wrapper(form, "month_week"), value(form, "month_by") === "weekday");
    show(wrapper(form, "month_weekday"), value(form, "month_by") === "weekday");
    show(wrapper(form, "until"), value(form, "ends") === "until");
    show(wrapper(form, "count"), value(form, "ends") === "count");
    show(form.querySelector("[data-wza-own]"), value(form, "security") === "own");
    const presets = form.querySelector("[data-wza-presets]");
    if (!presets) return;
    presets.hidden = false;
    presets.querySelectorAll("button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.value === value(form, "duration")));
    });
  }

  /* When it takes place, in words; an older answer never replaces a newer one. */
  async function say(form) {
    const said = form.querySelector("[data-wza-say]");
    if (!said) return;
    const own = (requests.get(form) || 0) + 1;
    requests.set(form, own);
    const params = new URLSearchParams();
    new FormData(form).forEach((text, name) => {
      const plain = name.slice(name.startsWith(form.dataset.wzaSchedule) ? form.dataset.wzaSchedule.length : 0);
      if (!UNSENT.includes(plain)) params.append(plain, text);
    });
    const response = await fetch(`${said.dataset.wzaSay}?${params}`, { credentials: "same-origin" });
    if (!response.ok || response.redirected) return;
    const html = await response.text();
    if (requests.get(form) === own) said.innerHTML = html;
  }

  /* The templates of the host; the field is hidden where there are none. */
  async function offerTemplates(form) {
    const part = form.querySelector("[data-wza-templates]");
    const host = value(form, "host");
    if (!part || !host) return;
    const select = part.querySelector("select");
    const chosen = select.value;
    const url = `${part.dataset.wzaTemplates}?${new URLSearchParams({ host })}`;
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok || response.redirected || value(form, "host") !== host) return;
    const { templates } = await response.json();
    select.length = 1;
    templates.forEach(([id, name]) => select.add(new Option(name, id, false, id === chosen)));
    part.hidden = !templates.length;
  }

  function changed(event) {
    const form = event.target.closest(SELECTOR);
    if (!form) return;
    update(form);
    if (event.type === "change" && event.target === field(form, "host")) {
      offerTemplates(form).catch(() => {});
    }
    window.clearTimeout(timers.get(form));
    timers.set(form, window.setTimeout(() => say(form).catch(() => {}), DELAY));
  }

  function press(event) {
    const button = event.target.closest("[data-wza-presets] button");
    if (!button) return;
    const minutes = document.getElementById(button.parentElement.dataset.wzaPresets);
    minutes.value = button.value;
    minutes.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function prepare() {
    document.querySelectorAll(`${SELECTOR}:not([data-wza-ready])`).forEach((form) => {
      form.dataset.wzaReady = "";
      const topic = field(form, "topic");
      const title = document.querySelector("#id_title");
      if (form.dataset.wzaSchedule && topic && title && !topic.value) topic.value = title.value;
      update(form);
      offerTemplates(form).catch(() => {});
    });
  }

  document.addEventListener("change", changed);
  document.addEventListener("input", changed);
  document.addEventListener("click", press);
  new MutationObserver(prepare).observe(document.documentElement, { childList: true, subtree: true });
  prepare();
})();
