// Looks at HTML parts in Chromium for tools/emails/check.py: axe-core, the network, the width, and a screenshot. Prints what it saw as JSON.
import fs from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.ENQUIRY_DESK_BROWSER}/`);
const { chromium } = require("playwright-core");
const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const { pages, screenshots } = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));

// A client that strips <style> shows the light colours on both schemes.
const LOOKS = [
  { width: 375, scheme: "light" },
  { width: 375, scheme: "dark" },
  { width: 800, scheme: "light" },
  { width: 800, scheme: "dark" },
  { width: 375, scheme: "light", stripped: true },
  { width: 320, scheme: "light", stripped: true },
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});
const seen = [];
for (const { width, scheme, stripped } of LOOKS) {
  const how = `${width}-${scheme}${stripped ? "-stripped" : ""}`;
  const context = await browser.newContext({ viewport: { width, height: 720 }, colorScheme: scheme });
  const page = await context.newPage();
  let requests = [];
  await page.route("**", (route) => {
    requests.push(route.request().url());
    return route.abort();
  });
  for (const [name, file] of Object.entries(pages)) {
    requests = [];
    let html = fs.readFileSync(file, "utf8");
    if (stripped) html = html.replace(/<style>[^]*?<\/style>/g, "");
    // A document of its own address, so that what it asks for is seen.
    await page.goto("about:blank");
    await page.setContent(html, { waitUntil: "load" });
    const tooWide = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.scrollingElement;
      return scrollWidth > clientWidth ? scrollWidth : 0;
    });
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => window.axe.run(document));
    seen.push({
      name, how, requests, tooWide,
      violations: violations.map((it) => `${it.id}: ${it.help}: ${it.nodes[0].html.slice(0, 200)}`),
    });
    if (!stripped && name !== "bad") await page.screenshot({ path: `${screenshots}/${name}-${how}.png`, fullPage: true });
  }
  await context.close();
}
await browser.close();
console.log(JSON.stringify(seen));
