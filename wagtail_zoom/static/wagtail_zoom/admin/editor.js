/* wagtail-zoom, page editor: what visitors would not see, below each block and before publishing. */
(() => {
  "use strict";

  const DELAY = 400;
  const PATIENCE = 5000;
  const LONGEST = 70;
  const CHECKED = ["kind", "period", "first", "last", "hosts", "tags"];

  /* Blocks and fields that are checked, by the name of their part of the form. */
  const watched = new Map();
  let timer = 0;
  let requests = 0;

  const isPresent = ({ container }) =>
    container.isConnected && !container.closest('[data-streamfield-child][aria-hidden="true"]');

  async function check(publishing) {
    const present = [...watched].filter(([, block]) => isPresent(block));
    if (!present.length) return "";
    requests += 1;
    const request = requests;
    const body = new FormData();
    body.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
    if (publishing) body.append("publish", "1");
    const options = present.map(([key, block]) => ({ key, ...block.read() }));
    body.append("blocks", JSON.stringify(options));
    try {
      const response = await fetch(present[0][1].url, {
        method: "POST",
        body,
        credentials: "same-origin",
        headers: { "X-Requested-With": "XMLHttpRequest" },
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (!response.ok || response.redirected) return "";
      const answer = await response.json();
      if (request === requests) {
        present.forEach(([key, block]) => show(block, answer.blocks[key] || {}));
      }
      return answer.dialog;
    } catch {
      return ""; /* The editor works without these notes. */
    }
  }

  function soon() {
    window.clearTimeout(timer);
    timer = window.setTimeout(check, DELAY, false);
  }

  function show(block, { html = "", warning = "" }) {
    if (block.html !== html) {
      block.html = html;
      block.slot.innerHTML = html;
    }
    const panel = block.container.closest("[data-panel]");
    const heading = panel && panel.querySelector("[data-panel-heading]");
    if (!heading) return;
    const mark = heading.querySelector("[data-wza-mark]");
    if (mark) mark.remove();
    const icon = block.slot.querySelector(".icon-warning");
    if (!warning || !icon) return;
    const fresh = document.createElement("span");
    fresh.dataset.wzaMark = "";
    fresh.className = "wza-warn";
    const words = document.createElement("span");
    words.className = "w-sr-only";
    words.textContent = warning;
    fresh.append(icon.cloneNode(true), words);
    heading.prepend(fresh);
  }

  /* Wagtail names a panel when it is opened or closed only, the minimap not even then. */
  function rename({ container, name }) {
    const panel = container.closest("[data-panel]");
    const text = panel && panel.querySelector("[data-panel-heading-text]");
    if (!text || !name || text.textContent === name()) return;
    text.textContent = name();
    document.dispatchEvent(new CustomEvent("wagtail:panel-init"));
  }

  function watch(key, block) {
    block.slot = document.createElement("div");
    block.slot.setAttribute("aria-live", "polite");
    block.slot.addEventListener("click", (event) => act(event, block));
    block.container.append(block.slot);
    block.container.addEventListener("input", soon);
    block.container.addEventListener("change", soon);
    block.container.addEventListener("change", () => rename(block));
    watched.set(key, block);
    soon();
  }

  /* The ways out of a warning. */
  function act(event, { container }) {
    const button = event.target.closest("button");
    if (!button) return;
    if ("wzaChoose" in button.dataset) {
      container.querySelector(".chooser:not(.blank) [data-chooser-action-choose]").click();
    } else if (button.dataset.wzaField) {
      const field = container.querySelector(
        `[data-contentpath="${CSS.escape(button.dataset.wzaField)}"] input`,
      );
      field.value = button.dataset.wzaValue;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
      field.dispatchEvent(new Event("beforematch", { bubbles: true }));
      field.focus();
    }
  }

  /* Publishing: the blocks are checked again, and warnings are shown in a dialog. */
  let confirmed = null;

  function ask(html, button) {
    const holder = document.createElement("div");
    holder.innerHTML = html;
    const dialog = holder.querySelector("template").content.firstElementChild;
    document.body.append(dialog);
    const close = () => dialog.dispatchEvent(new CustomEvent("w-dialog:hide"));
    dialog.addEventListener("w-dialog:hidden", () => dialog.remove());
    dialog.addEventListener("w-dialog:ready", () => {
      dialog.dispatchEvent(new CustomEvent("w-dialog:show"));
    });
    dialog.addEventListener("click", (event) => {
      const pressed = event.target.closest("[data-wza-back], [data-wza-publish]");
      if (!pressed) return;
      close();
      if ("wzaPublish" in pressed.dataset) publish(button);
      else go(watched.get(pressed.dataset.wzaBack));
    });
  }

  function go(block) {
    if (!block) return;
    block.container.dispatchEvent(new Event("beforematch", { bubbles: true }));
    block.slot.scrollIntoView({ block: "center" });
    const first = block.slot.querySelector("button, a");
    if (first) first.focus({ preventScroll: true });
  }

  function publish(button) {
    confirmed = button;
    button.click();
    confirmed = null;
  }

  document.addEventListener(
    "click",
    async (event) => {
      const button = event.target.closest && event.target.closest('[name="action-publish"]');
      if (!button || button === confirmed || ![...watched.values()].some(isPresent)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (button.hasAttribute("aria-busy")) return;
      button.setAttribute("aria-busy", "true");
      const html = await check(true);
      button.removeAttribute("aria-busy");
      if (html) ask(html, button);
      else publish(button);
    },
    true,
  );

  /* The chooser, where search and filters leave nothing: all entries again. */
  document.addEventListener("click", (event) => {
    if (!event.target.closest || !event.target.closest("[data-wza-show-all]")) return;
    const form = document.querySelector("form[data-chooser-modal-search]");
    form.querySelectorAll("input:not([type=hidden]), select").forEach((field) => {
      field.value = "";
    });
    form.requestSubmit();
    form.querySelector("input:not([type=hidden])").focus();
  });

  /* A field of a page type that holds one item. */
  function watchFields() {
    document.querySelectorAll("[data-wza-check]").forEach((panel) => {
      const input = panel.querySelector(".chooser ~ input");
      if (!input || watched.has(input.name)) return;
      watch(input.name, {
        url: panel.dataset.wzaCheck,
        container: panel.querySelector(".w-panel__content") || panel,
        read: () => ({
          usage: "meeting",
          label: panel.dataset.wzaLabel,
          items: input.value ? [input.value] : [],
        }),
      });
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watchFields);
  else watchFields();

  if (!window.wagtailStreamField) return;

  /* What names a block where it is collapsed, and in the minimap. */
  function nameOf({ labels, labelFormats, labelEmpty }, child, options = {}) {
    /* The empty choice of a select has a text, too. */
    const textOf = (name) =>
      child(name) && child(name).getValue() ? String(child(name).getTextLabel() || "") : "";
    const parts = labels.filter(child).map((name) => {
      const text = textOf(name);
      const format = labelFormats[name] || labelFormats[`${name}=${child(name).getValue()}`];
      if (!format || !text) return text;
      const values = [...format.matchAll(/{(\w+)}/g)].map((match) => textOf(match[1]));
      return values.some(Boolean) ? format.replace(/{\w+}/g, () => values.shift()).trim() : text;
    });
    const name = parts.filter(Boolean).join(" · ") || labelEmpty;
    const longest = options.maxLength || Infinity;
    return name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
  }

  /* Blocks in streams. */
  class ZoomBlockDefinition extends window.wagtailStreamField.blocks.StructBlockDefinition {
    render(placeholder, prefix, initialState, initialError) {
      const block = super.render(placeholder, prefix, initialState, initialError);
      const { zoom, label, labelFormat } = this.meta;
      const child = (name) => block.childBlocks[name];
      if (labelFormat === undefined) {
        block.getTextLabel = (options) => nameOf(zoom, child, options);
        /* As a child of a project's block, it has a panel of its own. */
        if (block.layout) {
          block.layout.getTextLabel = block.getTextLabel;
          if (block.layout.collapsedLabel) block.layout.setCollapsedLabelText();
        }
      }
      watch(prefix, {
        name: () => block.getTextLabel({ maxLength: LONGEST }),
        url: zoom.url,
        container: block.container[0],
        read: () => {
          const values = { usage: zoom.usage, label };
          CHECKED.filter(child).forEach((name) => {
            values[name] = child(name).getValue();
          });
          const items = ["item", "items"].filter(child).map((name) => child(name).getValue());
          values.items = items.flat().filter(Boolean);
          return values;
        },
      });
      return block;
    }
  }

  window.telepath.register("wagtail_zoom.blocks.ZoomBlock", ZoomBlockDefinition);
})();
