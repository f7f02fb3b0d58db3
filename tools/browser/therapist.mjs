// What the therapist and her clients do past the form: the desk, the pages that links in emails open, and the client's own page.
// None of them has a script. `arrive`, `outbox` and the rest come from test.mjs.
import assert from "node:assert/strict";

const PHONE = { width: 375, height: 800 };
const CODE = /^\s*(\d{8})\s*$/m;

// A browser of the therapist's, which keeps its cookies; each page that it opens is a visitor's.
class Therapist {
  constructor({ arrive, browser, url, script }) {
    Object.assign(this, { arrive, browser, url, script });
  }

  async context() {
    this.kept ??= await this.browser.newContext({ baseURL: this.url, javaScriptEnabled: this.script, viewport: PHONE, reducedMotion: "reduce" });
    return this.kept;
  }

  async visit(options = {}) {
    return this.arrive({ ...options, within: await this.context() });
  }
}

export function therapistTests({ test, arrive, browser, desk, states, newestEmail, emailsAbout }) {
  // They sign in once each: of strangers, two codes an hour are asked for.
  const made = {};
  const therapist = (script) => (made[script] ??= new Therapist({ arrive, browser: browser(), url: desk().url, script }));
  let serial = 0;

  // An enquiry, past the form, with the links of its emails once these are there.
  async function enquire(fields = {}) {
    const email = `client-${(serial += 1)}@example.com`;
    const body = JSON.stringify({ name: "Zoë O’Brien", email, phone: "07700 900982", goal: "treat", area: ["neck"], consent: "yes", message: "It began in spring.", ...fields });
    const answer = await fetch(`${desk().url}/enquiries`, { method: "POST", headers: { accept: "application/json", "content-type": "application/json" }, body });
    assert.equal(answer.status, 201, await answer.clone().text());
    const { reference } = await answer.json();
    const suspect = /https?:/.test(fields.message ?? "");
    const emails = await emailsAbout(reference, suspect ? 1 : 2);
    const link = (part) => emails.map((it) => new RegExp(`/${part}/[^\\s)]+`).exec(it.text.replace(/\n/g, " "))?.[0]).find(Boolean);
    return { reference, email, act: link("desk/act"), mine: link("mine") };
  }

  async function signIn(page) {
    const asked = (await (await fetch(`${desk().url}/outbox.json`)).json()).length;
    await page.getByRole("button", { name: "Email me a code" }).first().click();
    await page.locator("#code").waitFor();
    const { text } = await newestEmail("sign_in", asked);
    await page.fill("#code", CODE.exec(text)[1]);
    await page.getByRole("button", { name: "Sign in" }).click();
  }

  // A page of the desk, signed in where it must be.
  async function open(page, path) {
    await page.goto(path);
    if (await page.getByRole("button", { name: "Email me a code" }).count()) await signIn(page);
  }

  test("desk, without JavaScript: signed in, an enquiry is read, marked, undone, noted, found, and its person looked up and erased; signed out", async () => {
    const { reference, email } = await enquire();
    const spam = await enquire({ name: "Ada Offer", message: "Buy at https://a.example https://b.example https://c.example https://d.example" });
    const visitor = await therapist(false).visit();
    const { page } = visitor;
    const says = (words) => page.locator(".done").getByText(words).waitFor();
    const press = (name) => page.getByRole("button", { name, exact: true }).click();
    await page.goto("/desk");
    assert.equal(await page.locator("input:not([type=hidden])").count(), 0, "there is no field for an address");
    await signIn(page);
    await page.getByRole("heading", { name: "Waiting for an answer" }).waitFor();

    await page.locator(`a[href="/desk/enquiries/${reference}"]`).click();
    await page.getByText("It began in spring.").waitFor();
    await press("Booked");
    await says("Marked as booked.");
    await press("Undo");
    await says("Undone.");
    await page.fill("#note", "Prefers mornings");
    await press("Save");
    await says("The note is saved.");
    assert.equal(await page.locator("#note").inputValue(), "Prefers mornings");
    await page.goto("/desk");
    await page.locator(`form[action="/desk/enquiries/${reference}/mark"] button`).click();
    await says("Marked as answered.");

    await page.goto("/desk");
    await page.getByText(/looks? like spam/).click();
    await page.locator(`a[href="/desk/enquiries/${spam.reference}"]`).click();
    await press("Not spam: send the reply");
    await says("Marked as a real enquiry.");
    await emailsAbout(spam.reference, 2);

    await page.getByRole("link", { name: "Enquiries" }).click();
    await page.fill("#search", reference);
    await press("Search");
    await page.waitForURL(`**/desk/enquiries/${reference}`);
    await page.getByRole("link", { name: "People" }).click();
    await page.fill("#email", email);
    await press("Look up");
    const [file] = await Promise.all([page.waitForEvent("download"), press("Download JSON")]);
    assert.match(file.suggestedFilename(), /^enquiries-of-one-person\.json$/);
    await press("Show what would be erased");
    await page.getByText(`enquiry ${reference}`).waitFor();
    await press("Erase");
    await page.getByRole("heading", { name: "Erased" }).waitFor();
    const gone = await page.goto(`/desk/enquiries/${reference}`);
    assert.equal(gone.status(), 404);
    await page.goto("/desk");
    await press("Sign out");
    await page.getByRole("heading", { name: "Sign in to your desk" }).waitFor();
    await page.goto("/desk/enquiries");
    await page.getByRole("heading", { name: "Please sign in" }).waitFor();
    await visitor.leave({ complaints: ["Failed to load resource"] });
  });

  test("desk, without JavaScript: a link of an email marks without signing in, and a client deletes, keeps and disowns", async () => {
    const { reference, act, mine } = await enquire();
    const visitor = await arrive({ script: false, width: 375 });
    const { page } = visitor;
    await page.goto(act);
    await page.getByRole("button", { name: "Answered" }).click();
    // The email was sent a moment ago.
    await page.getByRole("button", { name: "Answered" }).click();
    await page.locator(".done").getByText("Marked as answered.").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("heading", { name: /^Have you answered|^Answered already/ }).waitFor();

    await page.goto(mine);
    assert.doesNotMatch(await page.content(), /O’Brien|spring/, "nothing that was typed");
    await page.getByRole("link", { name: "Delete my enquiry" }).click();
    await page.getByRole("button", { name: "Delete my enquiry" }).click();
    await page.getByRole("link", { name: "Select the box" }).waitFor();
    await page.check("#sure");
    await page.getByRole("button", { name: "Delete my enquiry" }).click();
    await page.getByText("You’ve deleted this enquiry.").waitFor();
    await page.getByRole("button", { name: "Keep my enquiry" }).click();
    await page.getByRole("link", { name: "I didn’t send this" }).click();
    await page.check("#sure");
    await page.getByRole("button", { name: /^Tell / }).click();
    await page.getByText("telling me that you didn’t send this enquiry").waitFor();
    assert.match(page.url(), new RegExp(`/mine/${reference}`));
    await visitor.leave({ complaints: ["Failed to load resource"] });
  });

  // One enquiry of each sort, for the pages below.
  let sorts;
  const some = () => (sorts ??= (async () => ({
    plain: await enquire(),
    // As long as a name, a message and a reference can make a line.
    long: await enquire({ name: "W".repeat(100), message: `${"x".repeat(300)}\n\nIs there parking?`, times: "Any day after 5.30pm" }),
    suspect: await enquire({ name: "Ada Offer", message: "Buy at https://a.example https://b.example https://c.example https://d.example" }),
    bare: await enquire({ phone: "" }),
  }))());

  const at = (path) => async (page) => open(page, typeof path === "string" ? path : path(await some()));
  const pages = {
    "desk-waiting": at("/desk"),
    "desk-enquiry": at(({ long }) => `/desk/enquiries/${long.reference}`),
    "desk-enquiry-done": at(({ bare }) => `/desk/enquiries/${bare.reference}?done=stands`),
    "desk-suspect": at(({ suspect }) => `/desk/enquiries/${suspect.reference}`),
    "desk-enquiries": at("/desk/enquiries"),
    "desk-files": at("/desk/files"),
    "desk-people": at("/desk/people"),
    "desk-person": async (page) => {
      await at("/desk/people")(page);
      await page.fill("#email", (await some()).long.email);
      await page.getByRole("button", { name: "Look up" }).click();
      await page.getByRole("heading", { name: "If they ask for their data" }).waitFor();
    },
    "desk-erase": at(({ plain }) => `/desk/enquiries/${plain.reference}/erase`),
    "desk-browsers": at("/desk/browsers"),
    "desk-not-found": at("/desk/enquiries/BB-22222"),
  };
  for (const [name, to] of Object.entries(pages)) states[name] = { to, arrive: (options) => therapist(true).visit(options) };
  states["desk-sign-in"] = { to: (page) => page.goto("/desk") };
  states["desk-code"] = { to: (page) => page.goto("/desk/code") };
  states["desk-code-wrong"] = {
    to: async (page) => {
      await page.goto("/desk/code");
      await page.fill("#code", "1");
      await page.getByRole("button", { name: "Sign in" }).click();
    },
  };
  states["desk-act"] = { to: async (page) => page.goto((await some()).long.act) };
  states["mine"] = { to: async (page) => page.goto((await some()).plain.mine) };
  states["mine-disown"] = { to: async (page) => page.goto(`${(await some()).plain.mine}&do=disown`) };
  states["mine-not-ticked"] = {
    to: async (page) => {
      await page.goto(`${(await some()).plain.mine}&do=withdraw`);
      await page.getByRole("button", { name: "Delete my enquiry" }).click();
    },
  };
  states["mine-gone"] = { to: (page) => page.goto("/mine/BB-7KQ4M?s=x") };

  const here = Object.keys(states).filter((name) => /^(desk|mine)/.test(name));
  test("desk: every target is large enough, no input makes a phone zoom, and the keyboard goes down the page with its focus in sight", async () => {
    for (const name of here) {
      const visitor = await (states[name].arrive ?? arrive)({ width: 375 });
      const { page } = visitor;
      await states[name].to(page);
      await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
      const small = await page.evaluate(() => {
        const shown = [...document.querySelectorAll("a, button, summary, select, textarea, input:not([type=hidden])")].filter((it) => !it.matches(".skip"));
        const low = shown.filter((it) => {
          // A box and the words beside it are one target.
          const { width, height } = (it.closest(".option") ?? it).getBoundingClientRect();
          // A link within a sentence may be as low as its line.
          return !it.matches("p:not(.after) > a:not(.line):not(.button)") && (width < 24 || height < 24);
        });
        const fine = shown.filter((it) => it.matches("input:not([type=checkbox]), textarea, select") && parseFloat(getComputedStyle(it).fontSize) < 16);
        return [...low, ...fine].map((it) => it.outerHTML.slice(0, 90));
      });
      assert.deepEqual(small, [], name);

      // From the top, where the page itself begins elsewhere.
      await page.locator(".skip").focus();
      const focusable = await page.locator("a, button, summary, select, textarea, input:not([type=hidden])").count();
      const met = [];
      for (let step = 0; step < focusable; step += 1) {
        if (step > 0) await page.keyboard.press("Tab");
        met.push(await page.evaluate(() => {
          const it = document.activeElement;
          const { top, left } = it.getBoundingClientRect();
          // The ring of a box is around its row.
          const { outlineStyle, outlineWidth } = getComputedStyle(it.closest(".option") ?? it);
          return { what: it.outerHTML.slice(0, 60), skip: it.matches(".skip"), top: Math.round(top + scrollY), left: Math.round(left), ring: outlineStyle !== "none" && outlineWidth !== "0px" };
        }));
      }
      assert.equal(new Set(met.map(({ what, top, left }) => `${what} ${top} ${left}`)).size, focusable, `${name}: each is met once`);
      assert.deepEqual(met.filter(({ ring }) => !ring).map(({ what }) => what), [], `${name}: focus can be seen`);
      const up = met.filter((it, index) => index > 1 && it.top < met[index - 1].top - 24 && !met[index - 1].skip);
      assert.deepEqual(up, [], `${name}: nothing leads up the page`);
      await visitor.leave({ complaints: ["Failed to load resource"] });
    }
  });
}
