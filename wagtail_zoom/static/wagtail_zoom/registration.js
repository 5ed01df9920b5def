/* wagtail-zoom: sends a registration in place. Without it the form is an ordinary one. */
(() => {
  "use strict";
  if (window.wagtailZoomForms) { window.wagtailZoomForms(); return; }
  const focus = (box) => {
    const target = box.querySelector(".wz-summary, h1, h2, h3, h4");
    if (!target) return;
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
    if (form.dataset.wzReady || form.hasAttribute("data-wz-preview")) return;
    form.dataset.wzReady = "1";
    const began = Date.now();
    every(form);
    form.addEventListener("submit", async (event) => {
      if (form.dataset.wzPlain) return;
      event.preventDefault();
      if (form.getAttribute("aria-busy") === "true") return;
      const body = new URLSearchParams(new FormData(form));
      if (!body.has("wz_ok")) body.set("wz_ms", String(Date.now() - began));
      form.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(form.action, { method: "POST", body, credentials: "omit", headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const found = page.querySelector("[data-wz-answer]");
        const place = form.closest(".wz");
        if (!found || !place) throw new Error("no answer");
        place.replaceWith(found);
        window.wagtailZoomForms();
        found.dispatchEvent(new CustomEvent("wz:added", { bubbles: true }));
        focus(found);
      } catch {
        /* On any failure the ordinary way. */
        form.dataset.wzPlain = "1";
        form.removeAttribute("aria-busy");
        form.submit();
      }
    });
  };
  window.wagtailZoomForms = () => document.querySelectorAll("form[data-wz-form]").forEach(ready);
  window.wagtailZoomForms();
})();
