// The desk and the browser, and what the tests do with them again and again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import fs from "node:fs";

const require = createRequire(`${process.env.ENQUIRY_DESK_BROWSER}/`);
const { chromium } = require("playwright-core");
const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
export const VALIDATOR = `${process.env.ENQUIRY_DESK_BROWSER}/node_modules/vnu-jar/build/dist/vnu.jar`;

// ALTCHA's own widget, as a site's owner puts it beside the form.
export const WIDGET = fs.readFileSync(`${process.env.ENQUIRY_DESK_BROWSER}/node_modules/altcha/dist/main/altcha.min.js`, "utf8");

// Starts `cargo local` on a free port, with these settings; gives its address and a way to stop it.
export async function startDesk(settings = {}) {
  const env = { ...process.env, ...settings };
  const desk = spawn("cargo", ["local", "--memory", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"], detached: true, env });
  const stop = () => process.kill(-desk.pid, "SIGINT");
  // It has a group of its own, so that it ends with these tests only when they say so.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => (stop(), process.exit(1)));
  for await (const line of createInterface({ input: desk.stdout })) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (url) return { url, stop };
  }
  throw new Error("the desk did not start");
}

export const startBrowser = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
  });

// A visitor: one window of their own, and what they do in it. Errors on the console fail the test, unless it expects them.
export class Visitor {
  static async arrive(browser, url, { script = true, width = 1024, scheme = "light", forced = "none", plain = false, within } = {}) {
    const context = within ?? await browser.newContext({ baseURL: url, javaScriptEnabled: script, reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: scheme, forcedColors: forced, reducedMotion: "reduce" });
    // What has cookies that are still needed is left as it is.
    const visitor = new Visitor(within ? page : context, page);
    // A page whose script never comes is the page without the script, but can be looked into.
    if (plain) await page.route("**/enquiry.js", (route) => route.abort());
    page.setDefaultTimeout(10_000);
    page.on("console", (message) => message.type() === "error" && visitor.complaints.push(message.text()));
    page.on("pageerror", (error) => visitor.complaints.push(String(error)));
    return visitor;
  }

  constructor(closes, page) {
    Object.assign(this, { closes, context: page.context(), page, complaints: [] });
  }

  // Everything that a form can hold, with an address of its own.
  async fillIn({ email, message = "It began in spring.\nStairs are hard." }) {
    const { page } = this;
    await page.fill("#name", "Zoë O'Brien");
    await page.fill("#email", email);
    await page.fill("#phone", "07700 900982");
    await page.getByLabel("Text", { exact: true }).check();
    await page.getByLabel("Treat pain or an injury").check();
    await this.tellMore();
    await page.getByLabel("Lower back").check();
    await page.getByLabel("Neck").check();
    await page.getByLabel("Posture, or sitting at a desk").check();
    await page.locator("#recent_injury-no").check();
    await page.locator("#warmth").check();
    await page.getByLabel("Relaxing massage").check();
    await page.fill("#times", "Tuesday mornings");
    await page.fill("#message", message);
    await page.check("#consent");
  }

  // What the browser itself fills in from a saved address, by the names of the fields. It fills what it takes for a part of an address, whatever
  // `autocomplete` says, and also where no one can see it.
  async autofill({ email, phone }) {
    const client = await this.context.newCDPSession(this.page);
    await client.send("DOM.enable");
    const { root } = await client.send("DOM.getDocument", { depth: 0 });
    const { nodeId } = await client.send("DOM.querySelector", { nodeId: root.nodeId, selector: "#name" });
    const { node } = await client.send("DOM.describeNode", { nodeId });
    const saved = {
      NAME_FULL: "Zoë O'Brien", EMAIL_ADDRESS: email, PHONE_HOME_WHOLE_NUMBER: phone, COMPANY_NAME: "O'Brien Ltd",
      ADDRESS_HOME_LINE1: "1 High Street", ADDRESS_HOME_CITY: "Exampleton", ADDRESS_HOME_ZIP: "CM1 1AA", ADDRESS_HOME_COUNTRY: "GB",
    };
    const address = { fields: Object.entries(saved).map(([name, value]) => ({ name, value })) };
    // The browser reads a form a moment after it has come.
    for (let tries = 0; ; tries += 1) {
      try {
        await client.send("Autofill.trigger", { fieldId: node.backendNodeId, address });
        break;
      } catch (error) {
        if (tries === 50) throw error;
        await this.page.waitForTimeout(100);
      }
    }
    const filled = () => this.page.locator(":autofill").evaluateAll((fields) => fields.map((field) => field.name));
    for (let tries = 0; tries < 50 && (await filled()).length === 0; tries += 1) await this.page.waitForTimeout(100);
    return filled();
  }

  more() {
    return this.page.locator("#more").evaluate((more) => more.open);
  }

  async tellMore() {
    if (!(await this.more())) await this.page.getByText("Tell me more").click();
  }

  // From the top of the page to the button with the keyboard alone: what was met, and how many keys beside the typed text. Where a
  // choice is made or a part opened, a key is named.
  async walk({ typed, keys }) {
    const met = [];
    let pressed = 0;
    const press = (key) => (pressed += 1, this.page.keyboard.press(key));
    while (met.length < 60 && met.at(-1) !== "send") {
      await press("Tab");
      const at = await this.page.evaluate(() => document.activeElement.id || document.activeElement.localName);
      met.push(at);
      if (typed[at]) await this.page.keyboard.type(typed[at]);
      if (keys[at]) await press(keys[at]);
    }
    await press("Enter");
    return { met, pressed };
  }

  // What the form holds, by field.
  holds() {
    return this.page.evaluate(() => {
      const held = {};
      for (const [name, value] of new FormData(document.getElementById("enquiry"))) held[name] = held[name] ? `${held[name]},${value}` : value;
      return held;
    });
  }

  async keeps(email, extra = {}) {
    const held = await this.holds();
    const expected = {
      name: "Zoë O'Brien", email, phone: "07700 900982", contact_by: "text", area: "lower-back,neck", cause: "posture", goal: "treat",
      recent_injury: "no", warmth: "yes", treatment: "relaxing", times: "Tuesday mornings",
      message: "It began in spring.\nStairs are hard.", ...extra,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(held[name], value, name);
  }

  send() {
    return this.page.locator("#send").click();
  }

  async hasArrived() {
    await this.page.waitForURL("**/thank-you?reference=*");
    const reference = (await this.page.locator("[data-reference]").textContent()).trim();
    assert.match(reference, /^[A-Z]{2,4}-[0-9A-Z]{5}$/);
    return reference;
  }

  focused() {
    return this.page.evaluate(() => document.activeElement.id);
  }

  async fitsInWidth(where) {
    const over = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${where} is ${over}px too wide`);
  }

  async isAccessible(where) {
    await this.page.evaluate(AXE);
    const { violations } = await this.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
    assert.deepEqual(found, [], where);
  }

  async leave({ complaints = [] } = {}) {
    await this.closes.close();
    const unexpected = this.complaints.filter((words) => !complaints.some((expected) => words.includes(expected)));
    assert.deepEqual(unexpected, []);
  }
}
