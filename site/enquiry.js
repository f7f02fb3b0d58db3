// Errors in place, a draft, one post.
(() => {
  // Ends with the tab: it is about health, and devices are shared.
  const KEY = "enquiry-draft";
  const stored = (use) => { try { return use(sessionStorage); } catch { return null; } };
  const forget = () => stored((store) => store.removeItem(KEY));

  // The reference in the thank-you page's address.
  const shown = document.querySelector("[data-reference]");
  const reference = new URLSearchParams(location.search).get("reference");
  if (shown && /^[A-Z0-9]{1,8}-[0-9A-HJKMNP-TV-Z]{5}$/.test(reference)) {
    shown.textContent = reference;
    shown.parentNode.hidden = false;
    forget();
  }

  const form = document.getElementById("enquiry");
  // An older copy lacks the script's words: it is sent without it.
  const words = form?.dataset;
  if (!words?.title) return;
  const { email, send, submission } = form.elements;
  const BY = "aria-describedby";
  let asked = "", busy;

  const save = () => {
    const pairs = [...new FormData(form)].filter(([name]) => !/^(consent|extra_|email_|altcha)/.test(name));
    stored((store) => store.setItem(KEY, JSON.stringify(pairs)));
  };
  const restore = (pairs) => [...form.elements].forEach((it) => {
    const values = pairs.flatMap(([name, value]) => (name === it.name ? value : []));
    if (/radio|checkbox/.test(it.type)) it.checked = values.includes(it.value);
    else if (values[0]) it.value = values[0];
  });

  const open = (it) => it.closest("details")?.setAttribute("open", "");
  const make = (tag, given, ...parts) => {
    const it = document.createElement(tag);
    Object.entries(given).forEach((pair) => it.setAttribute(...pair));
    it.append(...parts);
    return it;
  };

  const sending = (on) => {
    busy = on;
    send.setAttribute("aria-disabled", on);
    send.nextElementSibling.textContent = on ? words.sending : "";
  };

  const clear = () => {
    form.querySelectorAll("#summary, .error, button:not(#send)").forEach((it) => it.remove());
    form.querySelectorAll("[aria-invalid]").forEach((it) => it.removeAttribute("aria-invalid"));
    form.querySelectorAll(`[${BY}$=-error]`).forEach((it) => it.setAttribute(BY, it.getAttribute(BY).replace(/ ?\w+-error$/, "")));
  };

  const summary = (heading, ...parts) => {
    const box = { id: "summary", class: "summary", tabindex: -1, "aria-labelledby": "summary-title" };
    form.prepend(make("section", box, make("h2", { id: "summary-title" }, heading), ...parts));
    document.title = words.error + document.title.replace(words.error, "");
    form.firstChild.focus();
  };

  const refused = ({ title, detail, phone }) => summary(title, make("p", {}, detail),
    phone ? make("p", {}, `${words.call} `, make("a", { href: `tel:${phone.replace(/[^+\d]/g, "")}` }, phone), ".") : "",
    make("p", {}, words.kept));

  // No submit button: Enter presses the first of those.
  const take = (address) => {
    const it = make("button", { type: "button", class: "button button-quiet" }, words.take.replace("{}", () => address));
    it.onclick = () => { email.value = address; form.requestSubmit(); };
    return it;
  };

  // Puts an error at its field; gives its link.
  const mark = ({ pointer, detail, suggestion }) => {
    const name = pointer.slice(2);
    const id = `${name}-error`;
    const field = document.getElementById(`${name}-field`);
    if (!field) return;
    open(field);
    const input = field.querySelector("input, textarea, .options");
    input.before(make("p", { class: "error", id }, make("span", { class: "unseen" }, words.error), detail));
    if (suggestion) input.before(take(suggestion));
    const it = field.matches("fieldset") ? field : field.querySelector("input, textarea");
    it.setAttribute(BY, `${it.getAttribute(BY) || ""} ${id}`.trim());
    if (it.matches("input, textarea, [role]")) it.setAttribute("aria-invalid", true);
    return make("a", { href: `#${name}` }, detail);
  };

  const faulty = ({ errors }) => {
    const links = errors.map(mark);
    // This page lacks the field: the desk's tells.
    if (links.includes(undefined)) return form.submit();
    const { suggestion } = errors.find((it) => it.suggestion) || {};
    if (suggestion) asked = email.value;
    if (suggestion && !errors[1]) {
      summary(words.check, make("p", {}, links[0]), take(suggestion),
        make("p", {}, email.validity.valid ? words.keep.replace("{}", () => asked) : ""));
    } else summary(words.problem, make("ul", {}, ...links.map((it) => make("li", {}, it))));
  };

  form.onsubmit = async (event) => {
    event.preventDefault();
    if (busy) return;
    asked = event.submitter?.value || asked;
    send.value = "";
    if (asked) {
      form.querySelector("input[name=email_confirmed]")?.remove();
      form.append(make("input", { type: "hidden", name: "email_confirmed", value: asked }));
    }
    save();
    if (!navigator.onLine) {
      clear();
      return refused({ title: words.offline, detail: words.connect });
    }
    sending(true);
    let json;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
      json = await answer.json();
      if (answer.status === 201) {
        const next = new URL(json.next, form.action);
        if (!/^https?:/.test(next)) throw 0;
        forget();
        return location.assign(next);
      }
    } catch {}
    sending(false);
    clear();
    // Not the desk's answer.
    if (!json?.detail) json = words;
    (json.errors ? faulty : refused)(json);
  };

  form.addEventListener("input", save);
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) sending(false);
    // The draft or the browser brought answers back.
    for (const it of form.elements) if (it.checked !== it.defaultChecked || it.value !== it.defaultValue) open(it);
  });

  const draft = stored((store) => JSON.parse(store.getItem(KEY)));
  if (draft && !("filled" in words)) restore(draft);
  // A blob's address ends in a UUID.
  submission.value ||= crypto.randomUUID?.() || URL.createObjectURL(new Blob()).slice(-36);
  document.getElementById("summary")?.focus();
})();
