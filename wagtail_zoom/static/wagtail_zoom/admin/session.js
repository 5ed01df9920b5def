/* wagtail-zoom, owner's forms: a login that ended loses nothing that was entered. */
(() => {
  "use strict";

  const note = document.querySelector("[data-wza-session]");
  if (!note) return;
  const PATIENCE = 5000;
  let checked = null;

  /* Whether the user is logged in; the forms get the token of that login. */
  async function isLoggedIn() {
    try {
      const answer = await fetch(note.dataset.wzaSession, {
        credentials: "same-origin",
        headers: { "X-Requested-With": "XMLHttpRequest" },
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (answer.status === 403) return false;
      if (answer.ok && !answer.redirected) {
        const { token } = await answer.json();
        document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((input) => {
          input.value = token;
        });
      }
    } catch {
      /* The button works as without this script. */
    }
    return true;
  }

  function show() {
    note.append(note.querySelector("template").content.cloneNode(true));
    note.scrollIntoView({ block: "center" });
  }

  function hide() {
    [...note.children].filter((each) => each.tagName !== "TEMPLATE").forEach((each) => each.remove());
  }

  document.addEventListener(
    "click",
    async (event) => {
      const button = event.target.closest && event.target.closest("button[type=submit]");
      if (!button || button === checked || !button.form || button.form.method !== "post") return;
      if (button.formTarget || !button.closest("main, [role=dialog]")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (button.hasAttribute("aria-busy")) return;
      button.setAttribute("aria-busy", "true");
      const mayGo = await isLoggedIn();
      button.removeAttribute("aria-busy");
      hide();
      if (!mayGo) {
        show();
        return;
      }
      checked = button;
      button.click();
      checked = null;
    },
    true,
  );
})();
