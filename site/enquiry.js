// Makes the form kinder: faults in place, a draft, no double enquiries. Whatever fails in here ends in the plain post.
(() => {
  // The draft outlives a reload and a lost connection, but not the tab: it is about health, and devices are shared.
  const KEY = "enquiry-draft";
  const stored = (use) => { try { return use(sessionStorage); } catch { return null; } };
  const forget = () => stored((store) => store.removeItem(KEY));

  // The thank-you page shows the reference from its address, if it looks like one.
  const shown = document.querySelector("[data-reference]");
  const reference = new URLSearchParams(location.search).get("reference");
  if (shown && /^[A-Z0-9]{1,8}-[0-9A-HJKMNP-TV-Z]{5}$/.test(reference)) {
    shown.textContent = reference;
    shown.closest("[hidden]")?.removeAttribute("hidden");
    forget();
  }

  const form = document.getElementById("enquiry");
  if (!form) return;
  const { email, send, submission } = form.elements;
  const title = document.title.replace(/^Error: /, "");
  const kept = ({ name }) => name && !/^(consent|extra_|email_|token)/.test(name);
  const BY = "aria-describedby";
  let asked = "";
  let busy = false;

  const save = () => stored((store) => store.setItem(KEY, JSON.stringify([...new FormData(form)].filter(([name]) => kept({ name })))));
  const restore = (pairs) => [...form.elements].filter(kept).forEach((control) => {
    const values = pairs.filter(([name]) => name === control.name).map(([, value]) => value);
    if (/radio|checkbox/.test(control.type)) control.checked = values.includes(control.value);
    else control.value = values[0] || control.value;
  });

  const make = (tag, attributes, ...children) => {
    const it = document.createElement(tag);
    Object.entries(attributes).forEach((pair) => it.setAttribute(...pair));
    it.append(...children);
    return it;
  };
  const paragraph = (...children) => make("p", {}, ...children);

  const sending = (on) => {
    busy = on;
    send.setAttribute("aria-disabled", on);
    send.nextElementSibling.textContent = on ? "Sending your enquiry…" : "";
  };

  const clear = () => {
    form.querySelectorAll("#summary, .error, button:not(#send)").forEach((it) => it.remove());
    form.querySelectorAll("[aria-invalid]").forEach((it) => it.removeAttribute("aria-invalid"));
    form.querySelectorAll(`[${BY}$=-error]`).forEach((it) => it.setAttribute(BY, it.getAttribute(BY).replace(/ ?\w+-error$/, "")));
  };

  const summary = (heading, style, ...children) => {
    const box = { id: "summary", class: `summary ${style}`, tabindex: -1, role: "group", "aria-labelledby": "summary-title" };
    form.prepend(make("div", box, make("h2", { id: "summary-title" }, heading), ...children));
    document.title = `Error: ${title}`;
    form.firstChild.focus();
  };

  const refused = ({ title, detail, phone }) => summary(title, "", paragraph(detail),
    phone ? paragraph("Phone: ", make("a", { href: `tel:${phone.replace(/[^+\d]/g, "")}` }, phone)) : "",
    paragraph("Nothing is lost: everything you typed is in the form below."));

  // No submit button: the Enter key presses the first of those.
  const take = (address) => {
    const button = make("button", { type: "button", class: "button button-quiet" }, `Yes, send with ${address}`);
    button.onclick = () => {
      email.value = address;
      form.requestSubmit();
    };
    return button;
  };

  // Puts a fault at its field; gives the link to it.
  const mark = ({ pointer, detail, suggestion }) => {
    const name = pointer.slice(2);
    const id = `${name}-error`;
    const field = document.getElementById(`${name}-field`);
    if (!field) return detail;
    const input = field.querySelector(":scope > :is(input, textarea, .options)");
    input.before(make("p", { class: "error", id }, make("span", { class: "unseen" }, "Error: "), detail));
    if (suggestion) input.before(take(suggestion));
    const described = field.matches("fieldset") ? field : field.querySelector("input, textarea");
    described.setAttribute(BY, `${described.getAttribute(BY) || ""} ${id}`.trim());
    if (described.matches("input, textarea, [role]")) described.setAttribute("aria-invalid", true);
    return make("a", { href: `#${name}` }, detail);
  };

  const faulty = (errors) => {
    const links = errors.map(mark);
    const suggestion = errors.find((error) => error.suggestion)?.suggestion;
    if (suggestion) asked = email.value;
    if (suggestion && !errors[1]) {
      summary("Check your email address", "summary-question", paragraph(links[0]), take(suggestion),
        paragraph(`If ${asked} is right, send the form again as it is.`));
    } else summary("There is a problem", "", make("ul", {}, ...links.map((link) => make("li", {}, link))));
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
      refused({ title: "You are offline", detail: "Connect to the internet and send the form again." });
      return;
    }
    sending(true);
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, credentials: "omit",
      });
      const json = await answer.json();
      if (answer.status === 201) {
        const next = new URL(json.next, form.action);
        if (!/^https?:/.test(next)) throw next;
        forget();
        location.assign(next);
        return;
      }
      if (!json.detail) throw json;
      sending(false);
      clear();
      if (json.errors?.length) faulty(json.errors);
      else refused(json);
    } catch {
      form.submit();
      setTimeout(sending, 10000, false);
    }
  };

  form.addEventListener("input", save);
  addEventListener("pageshow", ({ persisted }) => persisted && sending(false));

  const draft = stored((store) => JSON.parse(store.getItem(KEY)));
  if (draft && !("filled" in form.dataset)) restore(draft);
  // A blob's address ends in a UUID too, where randomUUID is not to be had.
  submission.value ||= crypto.randomUUID?.() || URL.createObjectURL(new Blob()).slice(-36);
  document.getElementById("summary")?.focus();
})();
