// The browser tests. Started by tools/browser-test, which installs what they need.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { therapistTests } from "./therapist.mjs";
import { setupTest } from "./setup.mjs";
import { weekTest } from "./week.mjs";
import { startBrowser, startDesk, VALIDATOR, Visitor, WIDGET } from "./desk.mjs";

const wanted = process.argv[2] ?? "";
const tests = [];
const test = (name, run) => name.includes(wanted) && tests.push({ name, run });

let desk;
// Another desk, which asks for a proof of work.
let proving;
let browser;
let serial = 0;
const arrive = ({ at = desk, ...options } = {}) => Visitor.arrive(browser, at.url, options);
const address = () => `zoe-${(serial += 1)}@example.com`;
const emails = async () => (await Promise.all([desk, proving].map(async ({ url }) => (await fetch(`${url}/outbox.json`)).json()))).flat();
const HTTP_ERROR = "Failed to load resource";

// The emails that have to do with an address, once they are all there: the therapist's email may take a moment.
async function emailsAbout(client, count) {
  const about = async () => (await emails()).filter((email) => JSON.stringify(email).includes(client));
  for (let tries = 0; tries < 100 && (await about()).length < count; tries += 1) await new Promise((done) => setTimeout(done, 100));
  return about();
}

// One enquiry is two emails: one to the therapist, one to the client. A third would be a second enquiry.
async function arrivedOnce(client) {
  await emailsAbout(client, 2);
  const later = await emailsAbout(client, 2);
  assert.equal(later.length, 2, `${later.length} emails about one enquiry`);
  return later;
}

test("the browser's own autofill fills in name, email address and number, and neither the honeypot nor a text", async () => {
  for (const path of ["/", "/site/"]) {
    const visitor = await arrive();
    const { page } = visitor;
    const email = address();
    await page.goto(path);
    assert.deepEqual(await visitor.autofill({ email, phone: "07700 900982" }), ["name", "email", "phone"], path);
    const held = await visitor.holds();
    assert.deepEqual([held.name, held.email, held.extra_detail, held.message, held.times], ["Zoë O'Brien", email, "", "", ""], path);
    await page.getByLabel("Treat pain or an injury").check();
    await page.check("#consent");
    await visitor.send();
    await visitor.hasArrived();
    // What fills in the honeypot gets no reply.
    await arrivedOnce(email);
    await visitor.leave();
  }
  // With a name that means something, it would be filled in: that is what the test sees.
  const visitor = await arrive();
  await visitor.page.route("**/", async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replaceAll("extra_detail", "company").replace("Leave this empty", "Company");
    await route.fulfill({ response, body });
  });
  await visitor.page.goto("/");
  assert.ok((await visitor.autofill({ email: address(), phone: "07700 900982" })).includes("company"));
  await visitor.leave();
});

for (const script of [true, false]) {
  const how = script ? "with JavaScript" : "without JavaScript";

  test(`${how}, a form that is filled in arrives`, async () => {
    const visitor = await arrive({ script });
    const email = address();
    await visitor.page.goto("/");
    await visitor.fillIn({ email });
    await visitor.send();
    const reference = await visitor.hasArrived();
    assert.ok((await arrivedOnce(email)).every((it) => JSON.stringify(it).includes(reference)));
    await visitor.leave();
  });

  test(`${how}, errors are shown with a focused summary, and everything is kept`, async () => {
    const visitor = await arrive({ script });
    const { page } = visitor;
    const email = address();
    await page.goto("/");
    await visitor.fillIn({ email });
    await page.fill("#name", "");
    await page.fill("#phone", "12");
    await page.uncheck("#consent");
    await visitor.send();
    await page.locator("#summary").waitFor();
    assert.match(await page.title(), /^Error: /);
    assert.equal(await visitor.focused(), "summary");
    assert.deepEqual(await page.locator("#summary a").evaluateAll((links) => links.map((link) => link.getAttribute("href"))), ["#name", "#phone", "#consent"]);
    await visitor.keeps(email, { name: "", phone: "12", consent: undefined });
    for (const id of ["name", "phone", "consent"]) {
      const field = page.locator(`#${id}`);
      assert.equal(await field.getAttribute("aria-invalid"), "true");
      const described = (await field.getAttribute("aria-describedby")).split(" ");
      assert.ok(described.includes(`${id}-error`) && (await page.locator(`#${id}-error`).isVisible()), id);
    }
    await page.locator("#summary a").first().press("Enter");
    assert.equal(await visitor.focused(), "name");
    const top = await page.locator("label[for=name]").evaluate((label) => label.getBoundingClientRect().top);
    assert.ok(top >= 0, "the label of the field is in sight");
    await page.keyboard.type("Zoë O'Brien");
    await page.fill("#phone", "07700 900982");
    await page.check("#consent");
    await visitor.send();
    await visitor.hasArrived();
    await arrivedOnce(email);
    await visitor.leave({ complaints: [HTTP_ERROR] });
  });

  test(`${how}, one tap takes the suggested address, and nothing that was changed meanwhile is lost`, async () => {
    const visitor = await arrive({ script });
    const { page } = visitor;
    const name = address().split("@")[0];
    await page.goto("/");
    await visitor.fillIn({ email: `${name}@gmial.com` });
    await visitor.send();
    await page.locator("#summary").getByText(`Did you mean ${name}@gmail.com?`).waitFor();
    assert.equal(await visitor.focused(), "summary");
    await page.fill("#message", "Changed meanwhile");
    await page.locator("#summary button").click();
    await visitor.hasArrived();
    const all = await arrivedOnce(`${name}@gmail.com`);
    assert.ok(all.some((email) => email.text.includes("Changed meanwhile")));
    await visitor.leave({ complaints: [HTTP_ERROR] });
  });

  test(`${how}, sending again keeps the address that was typed, with the Enter key too`, async () => {
    for (const again of ["click", "Enter"]) {
      const visitor = await arrive({ script });
      const { page } = visitor;
      const email = `${address().split("@")[0]}@gmial.com`;
      await page.goto("/");
      await visitor.fillIn({ email });
      await visitor.send();
      await page.locator("#summary").waitFor();
      if (again === "click") await visitor.send();
      else await page.locator("#name").press("Enter");
      await visitor.hasArrived();
      await arrivedOnce(email);
      await visitor.leave({ complaints: [HTTP_ERROR] });
    }
  });

  test(`${how}, a double click is one enquiry`, async () => {
    const visitor = await arrive({ script });
    const { page } = visitor;
    const email = address();
    let posts = 0;
    await page.route("**/enquiries", async (route) => {
      posts += 1;
      await new Promise((done) => setTimeout(done, 300));
      await route.continue().catch(() => {});
    });
    await page.goto("/");
    await visitor.fillIn({ email });
    await page.locator("#send").dblclick({ noWaitAfter: true });
    await visitor.hasArrived();
    await arrivedOnce(email);
    if (script) assert.equal(posts, 1, "the second click is ignored");
    await visitor.leave();
  });

  test(`${how}, the back button keeps what was typed`, async () => {
    const visitor = await arrive({ script });
    const email = address();
    await visitor.page.goto("/");
    await visitor.fillIn({ email });
    await visitor.page.goto("/thank-you");
    await visitor.page.goBack();
    await visitor.keeps(email);
    if (script) assert.equal(await visitor.more(), true);
    await visitor.leave();
  });

  test(`${how}, the keyboard alone is enough, and never meets the honeypot`, async () => {
    const least = { typed: { name: "Zoë" }, keys: { goal: "Space", consent: "Space" } };
    const all = {
      typed: { ...least.typed, phone: "07700 900982", times: "Any day", message: "None" },
      keys: { ...least.keys, contact_by: "ArrowDown", summary: "Enter", area: "Space", cause: "Space", recent_injury: "Space", warmth: "Space", treatment: "ArrowDown" },
    };
    const first = ["name", "email", "phone", "contact_by", "goal", "message", "summary"];
    const more = ["area", "cause", "recent_injury", "warmth", "treatment", "times"];
    for (const [what, { typed, keys }, order] of [
      ["the shortest enquiry", least, [...first, "consent", "send"]],
      ["one that tells everything", all, [...first, ...more, "consent", "send"]],
    ]) {
      const visitor = await arrive({ script });
      const { page } = visitor;
      const email = address();
      await page.goto("/");
      const { met, pressed } = await visitor.walk({ typed: { ...typed, email }, keys });
      await visitor.hasArrived();
      assert.deepEqual(met.filter((id) => order.includes(id)), order);
      assert.ok(!met.includes("extra_detail"));
      console.log(`        ${what}: ${pressed} keys beside what is typed`);
      await page.goto("/");
      await page.locator("#send").focus();
      const ring = await page.locator("#send").evaluate((button) => getComputedStyle(button).outlineStyle);
      assert.notEqual(ring, "none", "focus can be seen");
      await arrivedOnce(email);
      await visitor.leave();
    }
  });

  test(`${how}, an error behind "Tell me more" opens it, and the summary leads there`, async () => {
    const visitor = await arrive({ script, width: 375 });
    const { page } = visitor;
    await page.goto("/");
    assert.equal(await visitor.more(), false);
    await visitor.tellMore();
    await page.fill("#times", "x".repeat(501));
    await page.getByText("Tell me more").click();
    assert.equal(await visitor.more(), false);
    await visitor.send();
    await page.locator("#summary").waitFor();
    assert.equal(await visitor.more(), true);
    await page.locator("#summary a[href='#times']").press("Enter");
    assert.equal(await visitor.focused(), "times");
    assert.ok(await page.locator("#times-error").isVisible());
    await visitor.leave({ complaints: [HTTP_ERROR] });
  });

  test(`${how}, what stands behind "Tell me more" is found, linked to and printed`, async () => {
    const visitor = await arrive({ script });
    const { page } = visitor;
    // As the browser's own search does, a link to a text opens what holds it.
    for (const to of ["/#times", "/#:~:text=Stress%20or%20worry"]) {
      await page.goto("about:blank");
      await page.goto(to);
      await page.waitForFunction(() => document.getElementById("more").open);
    }
    await page.goto("about:blank");
    await page.goto("/");
    assert.equal(await visitor.more(), false);
    const seen = () => page.locator("#times").evaluate((it) => it.checkVisibility({ contentVisibilityAuto: true }));
    assert.equal(await seen(), false);
    await page.emulateMedia({ media: "print" });
    assert.equal(await seen(), true);
    await visitor.leave();
  });
}

test("on a phone, all that must be answered is seen on two screens", async () => {
  const visitor = await arrive({ width: 375 });
  await visitor.page.goto("/");
  const { y, height } = await visitor.page.locator("#send").boundingBox();
  console.log(`        the button ends at ${y + height} pixels`);
  assert.ok(y + height <= 1_600, `${y + height} pixels`);
  await visitor.leave();
});

test("the script shows errors as the server does", async () => {
  const seen = [];
  for (const plain of [true, false]) {
    const visitor = await arrive({ plain });
    await visitor.page.goto("/");
    await visitor.page.fill("#email", "zoe@gmial.com");
    await visitor.page.getByLabel("Phone", { exact: true }).check();
    await visitor.send();
    await visitor.page.locator("#summary").waitFor();
    seen.push(await visitor.page.evaluate(() => {
      const shown = ["#summary", "#summary *", ".error", ".error + button", "[aria-invalid]"].flatMap((selector) => [...document.querySelectorAll(selector)]);
      return shown.map((it) => `${it.localName} ${it.id} ${it.className} ${it.getAttribute("href")} ${it.getAttribute("aria-describedby")} ${it.textContent.replace(/\s+/g, "")}`);
    }));
    await visitor.leave({ complaints: [HTTP_ERROR, "enquiry.js"] });
  }
  assert.deepEqual(seen[1], seen[0]);
});

// What comes back when it is not the desk that answers: its gateway, something in between, or nothing.
const FOREIGN = {
  "the gateway's throttle": (route) => route.fulfill({ status: 429, contentType: "application/json", body: '{"message":"Too Many Requests"}' }),
  "the gateway without a function": (route) => route.fulfill({ status: 503, contentType: "application/json", body: '{"message":"Service Unavailable"}' }),
  "a server in between": (route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }),
  "an answer that is no object": (route) => route.fulfill({ status: 500, contentType: "application/json", body: "null" }),
  "a broken connection": (route) => route.abort("internetdisconnected"),
  "a refusal to share": (route) => route.abort("accessdenied"),
};

for (const where of ["/", "/site/"]) {
  test(`when the answer is not the desk's own, the form of ${where} stays, with the number to call, and can be sent again`, async () => {
    for (const [who, answer] of Object.entries(FOREIGN)) {
      const visitor = await arrive();
      const { page } = visitor;
      const email = address();
      await page.goto(where);
      await visitor.fillIn({ email });
      await page.route("**/enquiries", answer, { times: 1 });
      await visitor.send();
      await page.locator("#summary").getByText("Try again in a minute.").waitFor();
      assert.equal(new URL(page.url()).pathname, where, who);
      assert.equal(await visitor.focused(), "summary", who);
      assert.match(await page.locator("#summary a").getAttribute("href"), /^tel:[+\d]+$/, who);
      await visitor.keeps(email, { consent: "yes" });
      await visitor.send();
      await visitor.hasArrived();
      await arrivedOnce(email);
      await visitor.leave({ complaints: [HTTP_ERROR] });
    }
  });
}

test("an answer that is lost on its way is one enquiry all the same, when the form is sent again", async () => {
  const visitor = await arrive();
  const { page } = visitor;
  const email = address();
  let first;
  await page.route("**/enquiries", async (route) => {
    first = await (await route.fetch()).json();
    await route.abort();
  }, { times: 1 });
  await page.goto("/");
  await visitor.fillIn({ email });
  await visitor.send();
  await page.locator("#summary").waitFor();
  await visitor.send();
  assert.equal(await visitor.hasArrived(), first.reference);
  await arrivedOnce(email);
  await visitor.leave({ complaints: [HTTP_ERROR] });
});

const UNAVAILABLE = {
  status: 503, contentType: "application/problem+json",
  body: JSON.stringify({ type: "about:blank", title: "Your enquiry can’t be taken right now", status: 503, detail: "Send the form again in a minute.", phone: "01632 960001" }),
};

test("a form that cannot be taken right now says so in place, with the number to call, and can be sent again", async () => {
  const visitor = await arrive();
  const { page } = visitor;
  const email = address();
  await page.route("**/enquiries", (route) => route.fulfill(UNAVAILABLE), { times: 1 });
  await page.goto("/");
  await visitor.fillIn({ email });
  await visitor.send();
  await page.locator("#summary").getByText("can’t be taken right now").waitFor();
  assert.equal(await visitor.focused(), "summary");
  assert.equal(await page.locator("#summary a").getAttribute("href"), "tel:01632960001");
  await visitor.keeps(email, { consent: "yes" });
  await visitor.send();
  await visitor.hasArrived();
  await arrivedOnce(email);
  await visitor.leave({ complaints: [HTTP_ERROR] });
});

test("offline, the form says so and keeps everything; back online, it arrives", async () => {
  const visitor = await arrive();
  const { page } = visitor;
  const email = address();
  await page.goto("/");
  await visitor.fillIn({ email });
  await visitor.context.setOffline(true);
  await visitor.send();
  await page.locator("#summary").getByText("You are offline").waitFor();
  await visitor.keeps(email, { consent: "yes" });
  await visitor.context.setOffline(false);
  await visitor.send();
  await visitor.hasArrived();
  await arrivedOnce(email);
  await visitor.leave();
});

test("a page with a wording of long ago leads to the desk's own form, with the new one, everything typed and the box unticked", async () => {
  for (const script of [true, false]) {
    const visitor = await arrive({ script });
    const { page } = visitor;
    const email = address();
    await page.route("**/site/", async (route) => {
      const answer = await route.fetch();
      const body = (await answer.text()).replace(/(name="consent_version" value=")[^"]*/, "$11066-10-14");
      await route.fulfill({ response: answer, body });
    });
    await page.goto("/site/");
    await visitor.fillIn({ email });
    await visitor.send();
    await page.waitForURL((url) => url.pathname === "/enquiries");
    await page.locator("#summary").getByText("The wording has changed. Read it and tick the box.").waitFor();
    await visitor.keeps(email, { consent: undefined });
    await page.check("#consent");
    await visitor.send();
    await visitor.hasArrived();
    await arrivedOnce(email);
    await visitor.leave({ complaints: [HTTP_ERROR] });
  }
});

test("the draft outlives a reload without the consent, and is gone once the enquiry has arrived", async () => {
  const visitor = await arrive();
  const { page } = visitor;
  const email = address();
  await page.goto("/");
  await visitor.fillIn({ email });
  const { submission } = await visitor.holds();
  await page.goto("/thank-you");
  await page.goto("/");
  await visitor.keeps(email, { consent: undefined, submission, extra_detail: "" });
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify(sessionStorage)), /consent|extra_detail/);
  await page.check("#consent");
  await visitor.send();
  await visitor.hasArrived();
  assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
  await page.goto("/");
  const held = await visitor.holds();
  assert.equal(held.name, "");
  assert.equal(held.contact_by, "email");
  assert.notEqual(held.submission, submission);
  await visitor.leave();
});

test("the honeypot is out of sight and out of reach", async () => {
  const visitor = await arrive();
  const { page } = visitor;
  await page.goto("/");
  const trap = page.locator("#extra_detail");
  assert.equal(await trap.getAttribute("autocomplete"), "off");
  assert.equal(await trap.getAttribute("tabindex"), "-1");
  const box = await trap.evaluate((input) => input.parentElement.getBoundingClientRect().toJSON());
  assert.ok(box.width <= 1 && box.height <= 1);
  assert.equal(await page.getByRole("textbox", { name: "Leave this empty" }).count(), 0, "screen readers do not meet it");
  await visitor.leave();
});

test("targets are large enough and no input makes a phone zoom", async () => {
  const visitor = await arrive({ width: 375 });
  for (const where of ["/", "/site/"]) {
    await visitor.page.goto(where);
    const small = await visitor.page.evaluate(() => {
      const shown = [...document.querySelectorAll(".option, .button:not([tabindex]), input:not([type=hidden], [type=radio], [type=checkbox], [tabindex]), textarea")];
      const low = shown.filter((it) => it.getBoundingClientRect().height < 44);
      const links = [...document.querySelectorAll(".contacts a")].filter((it) => it.getBoundingClientRect().height < 24);
      const fine = [...document.querySelectorAll("input, textarea")].filter((it) => !/radio|checkbox|hidden/.test(it.type) && parseFloat(getComputedStyle(it).fontSize) < 16);
      return [...low, ...links, ...fine].map((it) => it.outerHTML.slice(0, 80));
    });
    assert.deepEqual(small, []);
  }
  // The whole row of an answer is its target.
  await visitor.page.goto("/");
  const row = visitor.page.locator(".option", { has: visitor.page.locator("#goal-relax") });
  const { width, height } = await row.boundingBox();
  await row.click({ position: { x: width - 4, y: height - 4 } });
  assert.ok(await visitor.page.locator("#goal-relax").isChecked());
  await visitor.leave();
});

test("the example site sends to the desk and shows the reference", async () => {
  for (const script of [true, false]) {
    const visitor = await arrive({ script });
    const email = address();
    await visitor.page.goto("/site/");
    await visitor.fillIn({ email });
    await visitor.send();
    await visitor.hasArrived();
    await arrivedOnce(email);
    await visitor.leave();
  }
});

test("the example's thank-you page shows a reference and nothing else", async () => {
  const visitor = await arrive();
  const shown = visitor.page.locator("[data-reference]");
  await visitor.page.goto("/site/thank-you.html?reference=BB-7KQ4M");
  assert.equal(await shown.textContent(), "BB-7KQ4M");
  assert.ok(await shown.isVisible());
  for (const other of ["", "?reference=", "?reference=Call+0900+123", "?reference=%3Cb%3EBB-7KQ4M", "?reference=BB-7KQ4M%0Ax"]) {
    await visitor.page.goto(`/site/thank-you.html${other}`);
    assert.equal(await shown.textContent(), "");
    assert.ok(!(await shown.isVisible()));
  }
  await visitor.leave();
});

test("a page knows when it was opened; the example site fetches that; a reload brings the older time back with the draft", async () => {
  for (const where of ["/", "/site/"]) {
    const visitor = await arrive();
    const { page } = visitor;
    const email = address();
    const token = async () => {
      await page.waitForFunction(() => document.querySelector("[name=token]").value);
      return (await visitor.holds()).token;
    };
    await page.goto(where);
    const first = await token();
    assert.match(first, /^[\w-]{64}$/);
    await page.reload();
    const second = await token();
    assert.notEqual(second, first, "nothing was typed: a fresh one");
    await visitor.fillIn({ email });
    await page.goto("/thank-you");
    await page.goto(where, { waitUntil: "networkidle" });
    await visitor.keeps(email, { token: second });
    assert.doesNotMatch(await page.evaluate(() => JSON.stringify(sessionStorage)), /altcha/);
    await page.check("#consent");
    await visitor.send();
    await visitor.hasArrived();
    await arrivedOnce(email);
    await visitor.leave();
  }
});

test("without its token the example site sends as before", async () => {
  for (const way of ["**/token.js", "**/token"]) {
    const visitor = await arrive();
    const email = address();
    await visitor.page.route(way, (route) => route.abort());
    await visitor.page.goto("/site/");
    await visitor.fillIn({ email });
    assert.equal((await visitor.holds()).token, "");
    await visitor.send();
    await visitor.hasArrived();
    await arrivedOnce(email);
    await visitor.leave({ complaints: [HTTP_ERROR] });
  }
});

// A suspect enquiry is one email, to the therapist, who sees what it is.
async function arrivedSuspect(email) {
  await emailsAbout(email, 1);
  await new Promise((done) => setTimeout(done, 500));
  const all = await emailsAbout(email, 1);
  assert.equal(all.length, 1, `${all.length} emails about a suspect enquiry`);
  assert.match(all[0].subject, /spam/i, all[0].subject);
}

for (const where of ["/", "/site/"]) {
  test(`where a proof is asked for, ${where} does the work unseen, however soon it is sent, for each enquiry anew`, async () => {
    const visitor = await arrive({ at: proving });
    const { page } = visitor;
    const emails = [address(), address(), address()];
    await page.goto(where);
    await page.waitForFunction(() => document.querySelector("[name=altcha]")?.value);
    const { altcha } = await visitor.holds();
    await visitor.isAccessible(`${where} with a proof`);
    // As a page that comes back from the browser's cache.
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await page.waitForFunction((old) => ![old, ""].includes(document.querySelector("[name=altcha]").value), altcha);
    for (const email of emails) {
      await visitor.fillIn({ email });
      await visitor.send();
      await visitor.hasArrived();
      await arrivedOnce(email);
      await page.goto(where);
    }
    await visitor.leave();
  });

  test(`where a proof is asked for, ${where} waits for slow work and sends once, in the words of the person`, async () => {
    const visitor = await arrive({ at: proving });
    const { page } = visitor;
    const email = address();
    let posts = 0;
    await page.route("**/enquiries", (route) => {
      posts += route.request().method() === "POST";
      return route.continue();
    });
    await page.route("**/altcha", async (route) => {
      await new Promise((done) => setTimeout(done, 2_000));
      await route.continue();
    });
    await page.goto(where);
    if (where !== "/") await page.waitForFunction(() => document.querySelector("[name=altcha]"));
    await visitor.fillIn({ email });
    await page.locator("#send").dblclick({ noWaitAfter: true });
    await page.getByText("Sending your enquiry…").waitFor();
    assert.equal(posts, 0);
    await visitor.hasArrived();
    assert.equal(posts, 1);
    await arrivedOnce(email);
    await visitor.leave();
  });

  test(`where a proof is asked for and cannot be had, ${where} is sent all the same`, async () => {
    for (const way of [{ script: false }, { blocked: "**/proof.js" }, { blocked: "**/altcha" }, { blocked: "**/token" }]) {
      const visitor = await arrive({ at: proving, script: way.script });
      const email = address();
      if (way.blocked) await visitor.page.route(way.blocked, (route) => route.abort());
      // Our own page needs no token of its own.
      if (where === "/" && way.blocked === "**/token") await visitor.page.route("**/proof.js", (route) => route.abort());
      await visitor.page.goto(where);
      await visitor.fillIn({ email });
      await visitor.send();
      await visitor.hasArrived();
      await arrivedSuspect(email);
      await visitor.leave({ complaints: [HTTP_ERROR] });
    }
  });
}

test("ALTCHA's own widget does the work on the example site", async () => {
  const visitor = await arrive({ at: proving });
  const { page } = visitor;
  const email = address();
  await page.route("**/site/altcha.js", (route) => route.fulfill({ contentType: "text/javascript", body: WIDGET }));
  // As site/README.md says.
  await page.route("**/site/", async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text())
      .replace("</head>", '<script src="altcha.js" type="module"></script></head>')
      .replace('<button class="button" id="send"', '<altcha-widget challenge="/altcha" auto="onload"></altcha-widget>$&');
    await route.fulfill({ response: answer, body });
  });
  const scripts = [];
  page.on("request", (request) => scripts.push(new URL(request.url()).pathname));
  await page.goto("/site/");
  await page.waitForFunction(() => document.querySelector("[name=altcha]")?.value);
  await visitor.fillIn({ email });
  await page.locator("altcha-widget").screenshot({ path: "screenshots/widget.png" });
  await visitor.send();
  await visitor.hasArrived();
  await arrivedOnce(email);
  assert.ok(!scripts.includes("/site/proof.js"), "one of the two is enough");
  await visitor.leave();
});

// Every page in every state: how to get there, and how the visitor comes.
const LONG = `${"a-very-long-name-".repeat(3)}without-a-space@gmial.com`;
const STATES = {
  form: { to: (page) => page.goto("/") },
  "form-more": {
    to: async (page) => {
      await page.goto("/");
      await page.getByText("Tell me more").click();
    },
  },
  "form-errors": { to: (page) => empty(page, "/") },
  "form-errors-plain": { plain: true, to: (page) => empty(page, "/") },
  "form-question": { to: (page) => question(page) },
  "form-question-plain": { plain: true, to: (page) => question(page) },
  "form-unavailable": {
    to: async (page) => {
      await page.route("**/enquiries", (route) => route.fulfill(UNAVAILABLE));
      await page.goto("/");
      await page.locator("#send").click();
      await page.locator("#summary").waitFor();
    },
  },
  "form-turned-away": {
    to: async (page) => {
      await page.route("**/enquiries", FOREIGN["the gateway's throttle"]);
      await page.goto("/");
      await page.locator("#send").click();
      await page.locator("#summary").waitFor();
    },
  },
  "form-sending": {
    to: async (page) => {
      await page.route("**/enquiries", () => {});
      await page.goto("/");
      await page.locator("#send").click();
      await page.getByText("Sending your enquiry…").waitFor();
    },
  },
  confirmation: { to: (page) => page.goto("/thank-you?reference=BB-7KQ4M") },
  "confirmation-alone": { to: (page) => page.goto("/thank-you") },
  "not-found": { to: (page) => page.goto("/nowhere") },
  site: { to: (page) => page.goto("/site/") },
  "site-errors": { to: (page) => empty(page, "/site/") },
  "site-thank-you": { to: (page) => page.goto("/site/thank-you.html?reference=BB-7KQ4M") },
};

async function empty(page, where) {
  await page.goto(where);
  await page.locator("#send").click();
  await page.locator("#summary").waitFor();
}

async function question(page) {
  await page.goto("/");
  await page.fill("#name", "Zoë O'Brien");
  await page.fill("#email", LONG);
  await page.getByLabel("Treat pain or an injury").check();
  await page.getByText("Tell me more").click();
  await page.getByLabel("Neck").check();
  await page.check("#consent");
  await page.locator("#send").click();
  await page.locator("#summary").waitFor();
}

const html = fs.mkdtempSync(path.join(os.tmpdir(), "enquiry-desk-html-"));

// The newest email of a kind, once there are more than so many emails.
async function newestEmail(kind, since) {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = (await (await fetch(`${desk.url}/outbox.json`)).json()).filter((it) => it.number > since && JSON.stringify(it.request).includes(`"${kind}"`));
    if (found.length) return found.at(-1);
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`there is no email of the kind ${kind}`);
}

therapistTests({ test, arrive, browser: () => browser, desk: () => desk, states: STATES, newestEmail, emailsAbout });
setupTest({ test, startDesk, browser: () => browser, Visitor });
weekTest({ test, startDesk, browser: () => browser, Visitor });

for (const [name, { to, plain, arrive: come = arrive }] of Object.entries(STATES)) {
  test(`page ${name}: accessible, in both schemes, from 320 pixels on`, async () => {
    for (const scheme of ["light", "dark"]) {
      const visitor = await come({ scheme, plain, width: 375 });
      await to(visitor.page);
      for (const width of [1024, 320, 375]) {
        await visitor.page.setViewportSize({ width, height: 800 });
        await visitor.fitsInWidth(`${name} at ${width}`);
        await visitor.isAccessible(`${name} at ${width}, ${scheme}`);
        if (width !== 320) await visitor.page.screenshot({ path: `screenshots/${name}-${width}-${scheme}.png`, fullPage: true });
      }
      fs.writeFileSync(path.join(html, `${name}.html`), await visitor.page.content());
      await visitor.leave({ complaints: [HTTP_ERROR, "enquiry.js"] });
    }
    const visitor = await come({ forced: "active", plain });
    await to(visitor.page);
    await visitor.page.screenshot({ path: `screenshots/${name}-forced-colors.png`, fullPage: true });
    await visitor.leave({ complaints: [HTTP_ERROR, "enquiry.js"] });
  });
}

test("every page with all that it can say is accessible, and fits a phone", async () => {
  for (const scheme of ["light", "dark"]) {
    const visitor = await arrive({ scheme, width: 375 });
    const { page } = visitor;
    await page.goto("/outbox/pages", { timeout: 60_000 });
    const names = await page.locator("li a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    assert.ok(names.length > 100, `${names.length} pages`);
    for (const to of names) {
      const name = to.split("/").at(-1);
      await page.goto(to);
      await visitor.fitsInWidth(name);
      await visitor.isAccessible(`${name}, ${scheme}`);
      await page.screenshot({ path: `screenshots/pages-${name}-${scheme}.png`, fullPage: true });
      fs.writeFileSync(path.join(html, `pages-${name}.html`), await page.content());
    }
    // Their policy keeps the script out.
    await visitor.leave({ complaints: ["Content Security Policy", "sandboxed"] });
  }
});

test("the Nu validator finds no error, in what the server sends and in what the script makes of it", async () => {
  const browserLike = { accept: "text/html", "content-type": "application/x-www-form-urlencoded" };
  const post = (body) => fetch(`${desk.url}/enquiries`, { method: "POST", headers: browserLike, body });
  const answers = {
    "sent-form": await fetch(`${desk.url}/`), "sent-errors": await post("contact_by=phone"), "sent-refusal": await post("unknown=1"),
    "sent-question": await post("name=Zo%C3%AB&email=zoe%40gmial.com&goal=relax&consent=yes&message=%0A%0Ax"),
    "sent-confirmation": await fetch(`${desk.url}/thank-you?reference=BB-7KQ4M`),
    "sent-site": await fetch(`${desk.url}/site/`), "sent-site-thank-you": await fetch(`${desk.url}/site/thank-you.html`),
  };
  for (const [name, answer] of Object.entries(answers)) fs.writeFileSync(path.join(html, `${name}.html`), await answer.text());
  fs.copyFileSync("site/style.css", path.join(html, "style.css"));
  fs.copyFileSync("templates/pages/desk/desk.css", path.join(html, "desk.css"));
  try {
    execFileSync("java", ["-jar", VALIDATOR, "--errors-only", "--also-check-css", html], { stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    assert.fail(String(error.stderr).replaceAll(`file:${html}/`, ""));
  }
});

fs.mkdirSync("screenshots", { recursive: true });
const failures = [];
try {
  desk = await startDesk();
  proving = await startDesk({ ALTCHA: "true" });
  browser = await startBrowser();
  for (const { name, run } of tests) {
    try {
      await run();
      console.log(`ok      ${name}`);
    } catch (error) {
      failures.push(name);
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
} finally {
  await browser?.close();
  proving?.stop();
  desk?.stop();
  fs.rmSync(html, { recursive: true, force: true });
}
console.log(`${tests.length - failures.length} of ${tests.length} browser tests passed`);
process.exitCode = failures.length || !tests.length ? 1 : 0;
