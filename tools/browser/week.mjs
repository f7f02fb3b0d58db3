// A week of the desk at the width of a phone: twenty enquiries, five suspected, two that bounce, one withdrawn, one repeated. What the
// therapist does most takes three taps at the most, from an email or from the address on her home screen; each tap is counted here.
import assert from "node:assert/strict";

const MOST = 3;
const CODE = /^\s*(\d{8})\s*$/m;
const NAMES = ["Amara Okafor", "Ben Li", "Chloé Martin", "Dev Patel", "Ewa Nowak", "Finn O’Neill", "Grace Adeyemi", "Hugo Silva", "Isla Grant", "Jonas Berg", "Keira Walsh", "Liam Novak", "Mina Sato"];

export function weekTest({ test, startDesk, browser, Visitor }) {
  test("desk, a week at phone width: what is done most takes three taps at the most", async () => {
    const desk = await startDesk();
    try {
      await week({ desk, browser: browser(), Visitor });
    } finally {
      desk.stop();
    }
  });
}

async function week({ desk, browser, Visitor }) {
  const outbox = async () => (await fetch(`${desk.url}/outbox.json`)).json();
  const settle = async (count) => {
    for (let tries = 0; tries < 200 && (await outbox()).length < count; tries += 1) await new Promise((done) => setTimeout(done, 50));
    return outbox();
  };
  const jump = (how) => fetch(`${desk.url}/outbox/clock`, { method: "POST", body: new URLSearchParams({ jump: how }), redirect: "manual" });
  async function enquire(name, fields = {}) {
    const email = fields.email ?? `${name.split(" ")[0].toLowerCase().normalize("NFD").replace(/[^a-z]/g, "")}@example.com`;
    const body = { name, phone: "07700 900982", goal: "treat", area: ["neck"], consent: "yes", message: "It began in spring.", ...fields, email };
    const headers = { accept: "application/json", "content-type": "application/json" };
    const answer = await fetch(`${desk.url}/enquiries`, { method: "POST", headers, body: JSON.stringify(body) });
    assert.equal(answer.status, 201, await answer.clone().text());
    return (await answer.json()).reference;
  }
  const link = async (reference, part) => {
    const texts = (await outbox()).filter((it) => JSON.stringify(it).includes(reference)).map((it) => it.text.replace(/\s+/g, " "));
    return texts.map((it) => new RegExp(`/${part}/[^\\s)]+`).exec(it)?.[0]).find(Boolean);
  };

  // Monday morning.
  await jump("morning");
  while (new Date((await outbox()).at(-1)?.at ?? 0).getUTCDay() !== 1) await jump("morning");
  const began = (await outbox()).length;
  const real = [];
  for (const name of NAMES) real.push(await enquire(name));
  const repeated = await enquire(NAMES[0], { message: "One more thing: is there parking?" });
  for (const name of ["Olek Wolski", "Priya Rao"]) await enquire(name, { email: "bounce@simulator.amazonses.com" });
  const suspected = [];
  for (const n of [1, 2, 3, 4, 5]) suspected.push(await enquire(`Offer ${n}`, { message: `Offer ${n}: we place guest posts with backlinks to your website on 500 sites, from $50. https://a.example https://b.example` }));
  await settle(began + 2 * NAMES.length + 5);
  await new Promise((done) => setTimeout(done, 1_000));

  // One is withdrawn by its client.
  const client = await Visitor.arrive(browser, desk.url, { script: false, width: 375 });
  await client.page.goto(`${await link(real[5], "mine")}&do=withdraw`);
  await client.page.check("#sure");
  await client.page.getByRole("button", { name: "Delete my enquiry" }).click();
  await client.leave();

  const phone = await Visitor.arrive(browser, desk.url, { script: false, width: 375 });
  const { page } = phone;
  const shot = (name) => page.screenshot({ path: `screenshots/week-${name}.png`, fullPage: true });
  const taps = {};
  let task;
  // Opening a link of an email, or the desk from the home screen, is a tap too.
  const tapped = (count = 1) => (taps[task] = (taps[task] ?? 0) + count);
  const open = async (path) => (tapped(), page.goto(path));
  const tap = async (locator) => (tapped(), locator.click());
  const button = (name) => page.getByRole("button", { name, exact: true }).first();
  async function signIn() {
    await page.getByRole("button", { name: "Email me a code" }).first().click();
    await page.locator("#code").waitFor();
    const code = async () => (await outbox()).filter((it) => it.subject === "Your code for the desk").at(-1);
    await page.fill("#code", CODE.exec((await code()).text)[1]);
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  const says = (words) => page.locator(".done").getByText(words).first().waitFor();
  await page.goto("/desk");
  await signIn();
  await shot("waiting");

  task = "read";
  await open(await link(real[1], "desk/enquiries"));
  await page.getByText("It began in spring.").waitFor();
  await shot("enquiry");

  task = "answer";
  await open("/desk");
  assert.match(await page.locator("main .row").first().locator("a[href^='tel:']").getAttribute("href"), /^tel:\+/);
  tapped();

  task = "mark";
  await open(await link(real[2], "desk/act"));
  await tap(button("Answered"));
  if (await page.getByRole("heading", { name: "Answered already?" }).count()) await tap(button("Answered"));
  await says("Marked as answered.");
  await shot("marked-by-link");
  task = "mark on the desk";
  await open("/desk");
  await tap(page.locator(`form[action="/desk/enquiries/${real[3]}/mark"] button`));
  await says("Marked as answered.");

  task = "not spam";
  await open(await link(suspected[0], "desk/enquiries"));
  await shot("suspect");
  await tap(button("Not spam: send the reply"));
  await says("Marked as a real enquiry.");

  task = "find";
  await open("/desk/enquiries");
  await page.fill("#search", "Grace");
  await tap(button("Search"));
  await tap(page.getByRole("link", { name: "Grace Adeyemi" }).first());
  await page.getByRole("heading", { name: "Grace Adeyemi" }).waitFor();

  // Without the sign-in within the hour that both ask for: it has just been.
  task = "export a person";
  await open(`/desk/enquiries/${repeated}`);
  await tap(button("See everything from them"));
  await shot("person");
  const [file] = await Promise.all([page.waitForEvent("download"), tap(button("Download JSON"))]);
  assert.equal(file.suggestedFilename(), "enquiries-of-one-person.json");

  task = "erase a person";
  await open(`/desk/enquiries/${repeated}`);
  await tap(button("Erase this person"));
  await shot("erase");
  await tap(button("Erase"));
  await page.getByRole("heading", { name: "Erased" }).waitFor();
  await shot("erased");
  assert.equal((await page.goto(`/desk/enquiries/${real[0]}`)).status(), 404, "the earlier one of the same person has gone too");

  task = "sign out a lost phone";
  await open("/desk");
  await tap(page.getByRole("link", { name: "Signed-in browsers" }));
  await shot("browsers");
  await tap(page.getByRole("button", { name: /^Sign out .*, this browser$/ }).first());
  await page.getByRole("heading", { name: "Sign in to your desk" }).waitFor();

  // The rest of the week: lists in the morning, reminders, what was withdrawn goes.
  for (const day of ["Tuesday", "Wednesday"]) {
    await jump("morning");
    await page.goto("/desk");
    if (await page.getByRole("button", { name: "Email me a code" }).count()) await signIn();
    await shot(day.toLowerCase());
  }
  assert.equal((await page.goto(`/desk/enquiries/${real[5]}`)).status(), 404, "what was withdrawn has been erased");
  const subjects = (await outbox()).map((it) => it.subject);
  assert.ok(subjects.some((it) => /people are waiting for your answer$/.test(it)), "a morning list has left");
  await jump("week");
  assert.ok((await outbox()).some((it) => /enquiries last week$/.test(it.subject)), "Monday's list has left");
  console.log(`        taps: ${Object.entries(taps).map(([what, count]) => `${what} ${count}`).join(", ")}`);
  const many = Object.entries(taps).filter(([, count]) => count > MOST);
  assert.deepEqual(many, []);
  await phone.leave({ complaints: ["Failed to load resource"] });
}
