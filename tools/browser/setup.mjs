// A new practice on a phone: from a desk that holds none to an open form, then a price, a holiday and a question changed, and the next
// enquiry, which shows all three.
import assert from "node:assert/strict";

const CODE = /^\s*(\d{8})\s*$/m;
const NEW = { PRACTICE_NAME: "Quiet Hands", PRACTICE_PHONE: "01632 960123", TIME_ZONE: "Europe/London" };
const QUESTION = "Is a parking space needed?";
const PRICE = "£49";
const day = (ahead) => new Date(Date.now() + ahead * 86_400_000);

export function setupTest({ test, startDesk, browser, Visitor }) {
  test("desk, at phone width: a new practice is set up, a price, a holiday and a question are changed, and the next enquiry shows all three", async () => {
    const desk = await startDesk(NEW);
    try {
      await setUp({ desk, visitor: await Visitor.arrive(browser(), desk.url, { width: 375 }) });
    } finally {
      desk.stop();
    }
  });
}

async function setUp({ desk, visitor }) {
  const { page } = visitor;
  const outbox = async () => (await fetch(`${desk.url}/outbox.json`)).json();
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  let pages = 0;
  // Each page that she meets.
  async function looks() {
    const name = `setup-${(pages += 1)}`;
    await page.screenshot({ path: `screenshots/${name}.png`, fullPage: true });
    await visitor.fitsInWidth(name);
    await visitor.isAccessible(name);
  }

  const closed = await page.goto("/");
  assert.equal(closed.status(), 503);
  await page.getByText("01632 960123").first().waitFor();
  await page.goto("/desk");
  await press("Email me a code");
  await page.locator("#code").waitFor();
  const [code] = (await outbox()).slice(-1);
  await page.fill("#code", CODE.exec(code.text)[1]);
  await press("Sign in");

  // From page to page.
  await page.locator('a[href$="?setup=yes"]').click();
  assert.equal(await page.inputValue('[name="practice.name"]'), NEW.PRACTICE_NAME);
  await page.fill('[name="practice.address"]', "1 Example Street, Exampletown");
  for (const step of [1, 2, 3, 4]) {
    await page.getByText(`Step ${step} of 4`).waitFor();
    await looks();
    await press("Save and continue");
  }
  await page.getByText("your form is open").waitFor();
  await looks();
  await page.getByRole("link", { name: "See your form" }).click();
  await page.locator("#enquiry").waitFor();
  await looks();
  assert.equal(await page.getByText(PRICE).count() + (await page.getByText(QUESTION).count()), 0);

  // What changes later on.
  async function change(section, fill) {
    await page.goto("/desk");
    await page.getByRole("link", { name: "Practice", exact: true }).click();
    await page.locator(`a[href="/desk/practice/${section}"]`).click();
    await fill(page.locator("details.block"));
    await looks();
    await press("Preview");
    await page.getByText("Nothing has been saved yet").waitFor();
    for (const email of await page.locator("iframe").all()) await email.contentFrame().getByText(NEW.PRACTICE_NAME).first().waitFor();
    await looks();
    await press("Save");
    await page.locator(".done").waitFor();
  }
  const opened = async (block) => {
    if (!(await block.evaluate((it) => it.open))) await block.locator("summary").click();
    return (name) => block.locator(`[name$=".${name}"]`);
  };
  await change("treatments", async (blocks) => {
    const field = await opened(blocks.first());
    await field("price").fill(PRICE);
  });
  await change("away", async (blocks) => {
    const field = await opened(blocks.last());
    await field("name").fill("A long rest");
    await field("from").fill(day(0).toISOString().slice(0, 10));
    await field("to").fill(day(20).toISOString().slice(0, 10));
  });
  await change("questions", async (blocks) => {
    const field = await opened(blocks.last());
    await field("label").fill(QUESTION);
    await field("kind").selectOption("yes-no");
    await field("section").selectOption("visit");
  });

  await page.goto("/");
  await page.fill("#name", "Zoë O’Brien");
  await page.fill("#email", "zoe@example.com");
  await page.getByLabel("Treat pain or an injury").check();
  await visitor.tellMore();
  await page.getByText(PRICE).first().waitFor();
  const asked = page.getByRole("radiogroup", { name: QUESTION });
  await asked.getByLabel("Yes").check();
  const [yes, no] = await Promise.all(["Yes", "No"].map((label) => asked.getByLabel(label).boundingBox()));
  assert.equal(yes.y, no.y, "yes and no stand side by side");
  await page.check("#consent");
  await looks();
  await press("Send enquiry");
  const reference = await visitor.hasArrived();
  const about = async () => (await outbox()).filter((it) => it.subject !== undefined && JSON.stringify(it).includes(reference));
  for (let tries = 0; tries < 200 && (await about()).length < 2; tries += 1) await new Promise((done) => setTimeout(done, 50));
  const emails = await about();
  const [client] = emails.filter((it) => it.to.some((to) => to.includes("zoe@")));
  const [hers] = emails.filter((it) => it !== client);
  assert.match(client.text, new RegExp(PRICE));
  assert.match(hers.text.replace(/\s+/g, " "), new RegExp(QUESTION.replace("?", "\\?")));
  // An answer is promised for a day after the holiday.
  const promised = /(\d{1,2}) (January|February|March|April|May|June|July|August|September|October|November|December)/.exec(client.text);
  assert.ok(promised, client.text);
  const after = Array.from({ length: 60 }, (_, days) => days + 21).map((ahead) => day(ahead).toLocaleDateString("en-GB", { day: "numeric", month: "long", timeZone: "Europe/London" }));
  assert.ok(after.includes(promised[0]), `${promised[0]} is in the holiday`);
  await visitor.leave({ complaints: ["Failed to load resource"] });
}
