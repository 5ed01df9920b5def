/* wagtail-zoom: sends a registration in place, and shows that a form is being sent. Without it the
   forms are ordinary ones. */
(() => {
  "use strict";
  if (window.wagtailZoomForms) { window.wagtailZoomForms(); return; }
  const HEADINGS = "h1, h2, h3, h4, h5, h6";
  const level = (heading) => Number(heading.getAttribute("aria-level") || heading.tagName[1]);
  const mark = (form, isSending) => {
    form.toggleAttribute("data-wz-busy", isSending);
    form.querySelectorAll("[type=submit]").forEach((button) => button.setAttribute("aria-disabled", String(isSending)));
    const note = form.querySelector("[data-wz-sending]");
    if (note) note.textContent = isSending ? note.dataset.wzSending : "";
  };
  /* The form of an answer keeps the section around it: its anchor, its heading and their level. */
  const show = (form, answer) => {
    const section = form.closest(".wz");
    const part = form.matches(".wz-form") && answer.querySelector(".wz-form, .wz-note");
    const first = section.querySelector(HEADINGS), shift = (first ? level(first) : 2) - 1;
    const place = part ? form : section, found = part || answer;
    if (!part) found.id = section.id;
    found.querySelectorAll(".wz-links a").forEach((link) => { if (link.pathname === location.pathname) link.remove(); });
    found.querySelectorAll(HEADINGS).forEach((heading) => heading.setAttribute("aria-level", Math.min(6, level(heading) + shift)));
    place.replaceWith(found);
    window.wagtailZoomForms();
    found.dispatchEvent(new CustomEvent("wz:added", { bubbles: true }));
    const target = found.querySelector(".wz-summary") || found.querySelector(HEADINGS) || found;
    target.tabIndex = -1;
    target.focus();
  };
  const every = (form) => {
    const all = form.querySelector("[data-wz-every]");
    if (!all) return;
    const others = [...form.elements].filter((one) => one !== all && one.name === all.name);
    all.addEventListener("change", () => others.forEach((one) => { one.checked = all.checked; }));
    others.forEach((one) => one.addEventListener("change", () => { all.checked = others.every((each) => each.checked); }));
  };
  const ready = (form) => {
    if (form.dataset.wzReady) return;
    form.dataset.wzReady = "1";
    const began = Date.now();
    every(form);
    form.addEventListener("submit", async (event) => {
      if (form.hasAttribute("data-wz-busy")) { event.preventDefault(); return; }
      mark(form, true);
      if (!form.hasAttribute("data-wz-form")) return;
      event.preventDefault();
      const body = new URLSearchParams(new FormData(form));
      if (!body.has("wz_ok")) body.set("wz_ms", String(Date.now() - began));
      try {
        const answer = await fetch(form.action, { method: "POST", body, credentials: "omit", headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        show(form, page.querySelector("[data-wz-answer]"));
      } catch {
        /* On any failure the ordinary way. */
        form.submit();
      }
    });
  };
  /* A page that is shown again, after "back", sends again. */
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-wz-busy]").forEach((form) => mark(form, false));
  });
  window.wagtailZoomForms = () => document.querySelectorAll(".wz form[method=post]").forEach(ready);
  window.wagtailZoomForms();
})();
