// What a browser with scripts adds. Every page works without this file.
(() => {
  "use strict";

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const language = document.documentElement.lang;

  // Errors: go to the summary, and from its links to the fields.
  const summary = one(".error-summary");
  if (summary) summary.focus();
  for (const link of all(".error-summary a")) {
    link.addEventListener("click", (event) => {
      const field = document.getElementById(link.hash.slice(1));
      if (!field) return;
      event.preventDefault();
      (field.closest(".field") ?? field).scrollIntoView();
      field.focus({ preventScroll: true });
    });
  }

  // A form that only has to be sent on.
  const sent = one("form[data-send]");
  if (sent) sent.submit();

  // Show and hide a password. It is hidden again before it is sent.
  for (const button of all("[data-reveal]")) {
    const input = document.getElementById(button.dataset.reveal);
    const show = (shown) => {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? button.dataset.hide : button.dataset.show;
      button.setAttribute("aria-label", shown ? button.dataset.hideLabel : button.dataset.showLabel);
      button.nextElementSibling.textContent = shown ? button.dataset.shown : button.dataset.hidden;
    };
    button.hidden = false;
    input.spellcheck = false;
    input.autocapitalize = "none";
    button.addEventListener("click", () => show(input.type === "password"));
    input.form.addEventListener("submit", () => show(false));
  }

  // Rules of a new password: tick what is met.
  for (const input of all("[data-rules]")) {
    const rule = one('[data-rule="length"]', document.getElementById(input.dataset.rules));
    const least = Number(input.dataset.minLength);
    input.addEventListener("input", () => rule.classList.toggle("met", [...input.value].length >= least));
  }

  // Codes: spaces and hyphens that came with a paste do no harm.
  for (const input of all(".code")) {
    input.addEventListener("input", () => {
      const plain = input.value.replace(/[\s-]/g, "");
      if (plain !== input.value) input.value = plain;
    });
  }

  // Copy and save what is shown once.
  const shown = (id) => {
    const items = all("li", document.getElementById(id));
    return items.length ? items.map((item) => item.textContent).join("\n") : document.getElementById(id).textContent;
  };
  for (const button of all("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(shown(button.dataset.copy));
      const name = button.textContent;
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = name; }, 2000);
    });
  }
  for (const button of all("[data-download]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const file = document.createElement("a");
      file.href = URL.createObjectURL(new Blob([`${shown(button.dataset.download)}\n`], { type: "text/plain" }));
      file.download = button.dataset.file;
      file.click();
      URL.revokeObjectURL(file.href);
    });
  }

  // Count down until a code may be sent again.
  for (const note of all("[data-countdown]")) {
    const button = one("[data-resend]", note.closest("form"));
    const seconds = one("[data-seconds]", note);
    const end = Date.now() + Number(note.dataset.countdown) * 1000;
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      button.hidden = left > 0;
      note.hidden = left <= 0;
      seconds.textContent = left;
      if (left > 0) setTimeout(tick, 250);
    };
    tick();
  }

  // Instants in the reader's own time zone.
  const localTimes = (root) => {
    for (const time of all("time[datetime]", root)) {
      const date = new Date(time.dateTime);
      if (Number.isNaN(date.getTime()) || !time.dateTime.includes("T")) continue;
      time.title = time.textContent;
      time.textContent = date.toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
    }
  };
  localTimes(document);

  // A time that an operator types is of the reader's own time zone, too.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const hidden of all("[data-utc-offset]")) {
    const input = document.getElementById(hidden.dataset.utcOffset);
    for (const name of all("[data-time-zone]")) name.textContent = zone;
    if (input.value && hidden.value === "0") {
      const at = new Date(`${input.value}Z`);
      input.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
    }
    const set = () => {
      const date = input.value ? new Date(input.value) : new Date();
      hidden.value = -date.getTimezoneOffset();
    };
    set();
    input.addEventListener("input", () => {
      set();
      document.getElementById(input.dataset.chooses).checked = true;
    });
  }

  // Search while somebody types: the same page, of which the results are taken.
  for (const form of all("[data-search]")) {
    const results = document.getElementById(form.dataset.search);
    const input = one("[type=search]", form);
    let timer = 0;
    let asking = null;
    const search = async () => {
      asking?.abort();
      asking = new AbortController();
      const url = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
      results.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(url, { signal: asking.signal, headers: { accept: "text/html" } });
        if (!answer.ok || answer.redirected) return form.submit();
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const found = page.getElementById(results.id);
        if (!found) return form.submit();
        localTimes(found);
        const focused = results.contains(document.activeElement);
        results.replaceChildren(...found.childNodes);
        if (focused) one("a", results)?.focus();
        const status = `${results.id}-status`;
        document.getElementById(status).textContent = page.getElementById(status).textContent;
        history.replaceState(null, "", url);
      } catch (error) {
        if (error.name === "AbortError") return;
      }
      results.removeAttribute("aria-busy");
    };
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(search, 250);
    });
    for (const select of all("select", form)) select.addEventListener("change", search);
    form.addEventListener("submit", () => clearTimeout(timer));
  }

  // Shortcuts of user management: single keys, which can be turned off.
  const help = document.getElementById("shortcuts");
  const keyed = all("[data-key]").length > 0;
  if (keyed) {
    const store = "countersign-shortcuts";
    const enabled = () => { try { return localStorage.getItem(store) !== "off"; } catch { return true; } };
    const show = () => {
      one("#shortcuts-on", help).checked = enabled();
      help.showModal();
    };
    if (help) {
      one("#shortcuts-on", help).addEventListener("change", (event) => {
        try { localStorage.setItem(store, event.target.checked ? "on" : "off"); } catch { /* it stays on */ }
      });
    }
    for (const button of all("[data-shortcuts]")) {
      button.hidden = false;
      button.addEventListener("click", show);
    }
    const move = (step) => {
      const links = all("[data-rows] .row-link");
      const at = links.indexOf(document.activeElement);
      links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
    };
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest?.("input, select, textarea, dialog");
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !enabled()) return;
      if (typing) {
        if (event.key === "Escape" && event.target.type === "search") event.preventDefault(), event.target.blur();
        return;
      }
      // With a Korean keyboard, `j` comes as `ㅓ`: then the place of the key counts.
      const key = event.key.length === 1 && event.key > "\u007f" ? event.code.slice(-1).toLowerCase() : event.key;
      if (key === "?" && help) return event.preventDefault(), show();
      if (key === "j" || key === "k") return event.preventDefault(), move(key === "j" ? 1 : -1);
      const target = all("[data-key]").find((element) => element.dataset.key === key);
      if (!target) return;
      event.preventDefault();
      if (target.matches("input")) target.select(), target.focus();
      else target.click();
    });
  }

  // Ask before what cannot be taken back.
  let confirmed = null;
  const dialog = document.createElement("dialog");
  const ask = (text, label, danger) => new Promise((resolve) => {
    const paragraph = document.createElement("p");
    paragraph.id = "dialog-text";
    paragraph.textContent = text;
    const form = document.createElement("form");
    form.method = "dialog";
    form.className = "buttons";
    const choice = (value, name, classes) => {
      const button = document.createElement("button");
      button.value = value;
      button.textContent = name;
      button.className = classes;
      return button;
    };
    form.append(
      choice("no", document.body.dataset.cancel, "button"),
      choice("yes", label, danger ? "button primary danger" : "button primary"),
    );
    dialog.replaceChildren(paragraph, form);
    dialog.setAttribute("aria-labelledby", "dialog-text");
    dialog.returnValue = "no";
    if (!dialog.isConnected) document.body.append(dialog);
    // The event comes after the closing: it may be of the time before it was opened again.
    dialog.onclose = () => dialog.open || resolve(dialog.returnValue === "yes");
    dialog.showModal();
  });

  // Sending: confirm first, then show that it is under way, and send once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    if (event.defaultPrevented || form.method !== "post") return;
    const question = button?.dataset.confirm;
    if (question && confirmed !== button) {
      event.preventDefault();
      ask(question, button.textContent.trim(), button.classList.contains("danger")).then((yes) => {
        if (!yes) return button.focus();
        confirmed = button;
        form.requestSubmit(button);
        confirmed = null;
      });
      return;
    }
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "true";
    button?.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of all("[data-sent]")) delete form.dataset.sent;
    for (const button of all("[aria-busy]")) button.removeAttribute("aria-busy");
  });

  // The token of a link stands behind `#`, so that no server and no scanner sees it.
  const link = one("[data-link-token]");
  if (link && location.hash.length > 1) {
    const input = one("[name=link_token]", link);
    input.value = location.hash.slice(1);
    input.closest(".field").hidden = true;
    history.replaceState(null, "", location.pathname + location.search);
    one("[type=submit]", link).focus();
  }

  // Passkeys: the button, and the browser's own list in the field of the sign-in.
  const publicKey = window.PublicKeyCredential;
  let waiting = null;
  const passkey = async (form, conditional) => {
    waiting?.abort();
    waiting = new AbortController();
    const failed = one("[data-passkey-failed]", form);
    failed.hidden = true;
    const options = JSON.parse(form.dataset.options);
    const request = { signal: waiting.signal };
    if (conditional) request.mediation = "conditional";
    try {
      const plain = options.publicKey ?? options;
      const credential = form.dataset.passkey === "create"
        ? await navigator.credentials.create({ ...request, publicKey: publicKey.parseCreationOptionsFromJSON(plain) })
        : await navigator.credentials.get({ ...request, publicKey: publicKey.parseRequestOptionsFromJSON(plain) });
      one("[name=credential]", form).value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      if (conditional || error.name === "AbortError") return;
      failed.hidden = false;
      for (const button of all("[aria-busy]", form)) button.removeAttribute("aria-busy");
    }
  };
  for (const form of all("[data-passkey]")) {
    if (!publicKey?.parseRequestOptionsFromJSON) continue;
    form.hidden = false;
    for (const other of all("[data-no-passkey]")) other.hidden = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      passkey(form, false);
    });
    if ("conditional" in form.dataset && publicKey.isConditionalMediationAvailable) {
      publicKey.isConditionalMediationAvailable().then((able) => able && passkey(form, true));
    }
  }
})();
