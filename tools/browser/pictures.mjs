// The pictures of the README. Started by tools/pictures, which installs what they need.
import fs from "node:fs";
import path from "node:path";
import { startBrowser, startDesk, Visitor } from "./desk.mjs";

const [folder] = process.argv.slice(2);
const WIDTH = 375;
const HEIGHT = 760;
const CLIENTS = [
  { name: "Amara Okafor", area: ["neck", "shoulders"], cause: "stress", goal: "relax", warmth: "yes", message: "I’d love an hour of quiet after a long few months." },
  { name: "Ben Li", area: ["lower-back"], goal: "treat", contact_by: "phone", times: "Weekday evenings" },
  { name: "Ewa Nowak", goal: "not-sure", message: "Do you see people who are pregnant?" },
  {
    name: "Zoë Brontë", area: ["lower-back", "neck"], cause: "posture", goal: "treat", warmth: "not-sure", contact_by: "phone", times: "Tuesday mornings, or any day after 5:30pm",
    message: "My back has been stiff since we moved house.\n\nIs there parking near you?",
  },
];

const desk = await startDesk();
const browser = await startBrowser();
const outbox = async () => (await fetch(`${desk.url}/outbox.json`)).json();
async function emails(count, about) {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = (await outbox()).filter(about);
    if (found.length >= count) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("the emails did not come");
}

// WebP is a third of PNG here; only the protocol itself makes it.
async function picture(page, name) {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setDeviceMetricsOverride", { width: WIDTH, height: HEIGHT, deviceScaleFactor: 2, mobile: true });
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 80 });
  const file = path.join(folder, `${name}.webp`);
  fs.writeFileSync(file, Buffer.from(data, "base64"));
  console.log(`${file}: ${Math.round(fs.statSync(file).size / 1024)} KiB`);
}

try {
  // A morning in the practice's week, whatever the time is here.
  await fetch(`${desk.url}/outbox/clock`, { method: "POST", body: new URLSearchParams({ jump: "morning" }), redirect: "manual" });
  let reference;
  for (const client of CLIENTS) {
    const email = `${client.name.split(" ")[0].toLowerCase().normalize("NFD").replace(/[^a-z]/g, "")}@example.com`;
    const body = JSON.stringify({ phone: "07700 900982", consent: "yes", ...client, email });
    const answer = await fetch(`${desk.url}/enquiries`, { method: "POST", headers: { accept: "application/json", "content-type": "application/json" }, body });
    if (answer.status !== 201) throw new Error(await answer.text());
    ({ reference } = await answer.json());
    await emails(2, (it) => JSON.stringify(it).includes(reference));
  }
  const visitor = await Visitor.arrive(browser, desk.url, { script: false, width: WIDTH });
  const { page } = visitor;
  for (const email of await emails(2, (it) => JSON.stringify(it).includes(reference))) {
    await page.setContent(email.html);
    await picture(page, email.to.some((to) => to.includes("zoe@")) ? "client" : "therapist");
  }
  await page.goto("/desk");
  const asked = (await outbox()).length;
  await page.locator("form button").first().click();
  await page.locator("#code").waitFor();
  const [code] = (await emails(asked + 1, () => true)).slice(asked);
  await page.fill("#code", /^\s*(\d{8})\s*$/m.exec(code.text)[1]);
  await page.locator("form:has(#code) button").first().click();
  await page.goto("/desk");
  await picture(page, "desk");
  await visitor.leave();
} finally {
  await browser.close();
  desk.stop();
}
