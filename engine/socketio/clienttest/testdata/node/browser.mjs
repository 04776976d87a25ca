// Drives a headless Chromium for the Go tests; see lines.mjs for how requests travel.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "./lines.mjs";

const executablePath =
  process.env.CHROMIUM || ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const pages = new Map();
let browser;
let last = 0;

async function launch() {
  browser ??= chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--ignore-certificate-errors"] });
  return browser;
}

// standIn answers for Socket.IO's CDN with the file of the npm package, so that no test needs the public network.
function standIn(route) {
  const [, version, asked] = new URL(route.request().url()).pathname.match(/^\/(\d+\.\d+)\.\d+\/([\w.]+)$/) ?? [];
  const file = [asked, "socket.io.min.js", "socket.io.js"] // version 2 has no other
    .map((name) => fileURLToPath(new URL(`node_modules/socket.io-client-${version}/dist/${name}`, import.meta.url)))
    .find(existsSync);
  if (!version || !file) return route.abort();
  const headers = { "Content-Type": "text/javascript", "Access-Control-Allow-Origin": "*" };
  return route.fulfill({ headers, body: readFileSync(file) });
}

function get(p) {
  const entry = pages.get(p);
  if (!entry) throw new Error(`no page ${p}`);
  return entry;
}

// collect keeps what went wrong on a page: errors on the console, uncaught exceptions.
function collect(page) {
  const faults = [];
  page.on("console", (m) => m.type() === "error" && faults.push(m.text()));
  page.on("pageerror", (fault) => faults.push(String(fault)));
  return faults;
}

serve(
  {
    // open loads a URL in a tab of its own profile, or beside the page `beside` in the same one.
    async open({ url, beside, cdn, options = {}, timeout }) {
      const context = beside ? get(beside).page.context() : await (await launch()).newContext(options);
      if (!beside) {
        await context.route("https://cdn.socket.io/**", cdn === "blocked" ? (r) => r.abort() : standIn);
        await context.route(/^https:\/\/(fonts\.googleapis\.com|cdn\.jsdelivr\.net)\//, (r) => r.abort()); // the admin UI's fonts
      }
      const page = await context.newPage();
      page.setDefaultTimeout(timeout);
      pages.set(++last, { page, faults: collect(page) });
      await page.goto(url);
      return last;
    },
    fill: ({ p, selector, text }) => get(p).page.fill(selector, text),
    press: ({ p, selector, key }) => get(p).page.press(selector, key),
    // key presses a key wherever the focus is.
    key: ({ p, key }) => get(p).page.keyboard.press(key),
    // aria returns what screen readers are told, in Playwright's notation.
    aria: ({ p, selector }) => get(p).page.locator(selector).ariaSnapshot(),
    reload: async ({ p }) => void (await get(p).page.reload()),
    click: ({ p, selector }) => get(p).page.click(selector),
    // waitText waits until some element that the selector names contains the text.
    async waitText({ p, selector, text }) {
      await get(p).page.locator(selector, { hasText: text }).first().waitFor();
    },
    texts: ({ p, selector }) => get(p).page.locator(selector).allInnerTexts(),
    evaluate: ({ p, expression }) => get(p).page.evaluate(expression),
    offline: ({ p, offline }) => get(p).page.context().setOffline(offline),
    faults: ({ p }) => get(p).faults,
    async screenshot({ p, path }) {
      await get(p).page.screenshot({ path });
    },
    close: ({ p }) => get(p).page.close(),
  },
  async () => (await browser)?.close(),
);
