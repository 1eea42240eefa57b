// Looks at pages of Muster in a real browser: at the sizes, in the colours and in the languages that people have. It ends with
// 1 and says what is wrong when a page has a fault of accessibility, breaks its own policy, asks another host for anything,
// writes an error, is wider than its window, or has something that the keyboard does not reach or does not show.
//
//   node check.mjs [--out FOLDER] [--press SELECTOR [--fill SELECTOR=TEXT]… [--until PATH]] [NAME=]URL…
//
// With --out it writes screenshots. With --press it then fills in fields and presses what the selector finds on each page,
// once, and looks at the page that follows too, or at the one with the path to which that leads. With MUSTER_TOKEN in the
// environment it signs in first, on the host of the first page. CHROMIUM names the browser's program.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const sizes = { narrow: { width: 360, height: 740 }, wide: { width: 1280, height: 800 } };
const narrowest = 320; // what WCAG 1.4.10 asks for

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, press: { type: 'string' }, fill: { type: 'string', multiple: true }, until: { type: 'string' } },
});
if (positionals.length === 0) {
  console.error('usage: node check.mjs [--out FOLDER] [--press SELECTOR [--fill SELECTOR=TEXT]… [--until PATH]] [NAME=]URL…');
  process.exit(2);
}
const pages = positionals.map((text) => {
  const [, name, url] = /^(?:([a-z0-9-]+)=)?(.*)$/s.exec(text);
  const parsed = new URL(url);
  return { name: name ?? (parsed.pathname.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '').slice(0, 40) || 'start'), url: parsed };
});
if (values.out) mkdirSync(values.out, { recursive: true });

const faults = [];
let at; // what is being looked at
const fault = (what) => faults.push(`${at}: ${what}`);
let looked = 0;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  const storageState = process.env.MUSTER_TOKEN ? await signIn(pages[0].url.origin, process.env.MUSTER_TOKEN) : undefined;
  for (const size of Object.keys(sizes)) {
    for (const colorScheme of ['light', 'dark']) {
      const tab = await open({ viewport: sizes[size], colorScheme, storageState });
      for (const page of pages) {
        for (const language of ['en', 'ko']) {
          await tab.setViewportSize(sizes[size]);
          await look(tab, page, language, [page.name, size, colorScheme, language].join('-'));
        }
      }
      await tab.context().close();
    }
  }
  for (const page of values.press ? pages : []) {
    const tab = await open({ viewport: sizes.narrow, storageState });
    await look(tab, page, 'ko', `${page.name}-pressed`, press);
    await tab.context().close();
  }
} finally {
  await browser.close();
}
for (const each of faults) console.error(each);
console.log(`${looked} looks at ${pages.length} pages, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);

// signIn signs in with a token, as a person does, and returns what the browser remembers of it.
async function signIn(origin, token) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${origin}/login`);
  await page.fill('#token', token);
  await page.press('#token', 'Enter');
  await page.waitForURL((url) => url.pathname !== '/login');
  const state = await context.storageState();
  await context.close();
  return state;
}

// open opens a tab of a browser of its own, which notes what pages do that they must not.
async function open(options) {
  const context = await browser.newContext(options);
  const tab = await context.newPage();
  await tab.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`policy violated: ${e.violatedDirective} ${e.blockedURI}`));
  });
  tab.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (!pages.some(({ url }) => url.origin === origin)) fault(`asks another host: ${request.url()}`);
  });
  tab.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    if (why !== 'net::ERR_ABORTED') fault(`not loaded: ${request.url()} ${why}`); // the browser went on to the next page
  });
  tab.on('pageerror', (error) => fault(`script error: ${error.message}`));
  tab.on('console', (message) => {
    // That a page says no is its status, and no fault.
    const refusal = message.text().startsWith('Failed to load resource') && message.location().url === tab.url();
    if (['error', 'warning'].includes(message.type()) && !refusal) fault(`console: ${message.text()}`);
  });
  return tab;
}

// look opens one page, does something there if it is to, and notes all that is wrong.
async function look(tab, { url }, language, label, act) {
  at = label;
  looked++;
  const asked = new URL(url);
  asked.searchParams.set('lang', language);
  await tab.goto(asked.href);
  if (act) await act(tab);
  const said = await tab.getAttribute('html', 'lang');
  if (said !== language) fault(`is in ${said}`);
  if (values.out) await tab.screenshot({ path: join(values.out, `${label}.png`), fullPage: true });
  await accessible(tab);
  await reachable(tab);
  await fits(tab);
}

// press does what a person does on a page to come to the next one.
async function press(tab) {
  for (const each of values.fill ?? []) {
    const [, field, text] = /^(.*?)=(.*)$/s.exec(each);
    const kind = await tab.locator(field).evaluate((e) => e.type);
    await (kind === 'select-one' ? tab.selectOption(field, text) : kind === 'radio' ? tab.check(field) : tab.fill(field, text));
  }
  const next = values.until ? tab.waitForURL((url) => url.pathname === values.until) : tab.waitForEvent('load');
  await Promise.all([next, tab.click(values.press)]);
}

async function accessible(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() =>
    window.axe.run(document, { preload: false, resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } }),
  );
  for (const violation of violations) {
    for (const node of violation.nodes) fault(`${violation.impact}: ${violation.id}: ${node.html}: ${node.failureSummary}`);
  }
}

// reachable walks through a page with the tabulator: everything that can be used has its turn, in order, and shows it.
async function reachable(tab) {
  const all = 'a[href], button, input:not([type=hidden]), textarea, select, summary, [tabindex="0"]';
  await tab.evaluate((selector) => {
    // What is folded away has no turn, and the choices of a group have one together.
    window.turns = [...document.querySelectorAll(selector)].filter((e) => {
      if (!e.checkVisibility()) return false;
      if (e.type !== 'radio') return true;
      const group = [...e.form.elements[e.name]];
      return e === (group.find((other) => other.checked) ?? group[0]);
    });
  }, all);
  const count = await tab.evaluate(() => window.turns.length);
  await tab.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
  });
  // A date and a time have parts, each with a turn of its own.
  const inside = (n) =>
    tab.evaluate((n) => n >= 0 && document.activeElement.type === 'datetime-local' && document.activeElement === window.turns[n], n);
  for (let n = 0; n < count; n++) {
    await tab.keyboard.press('Tab');
    for (let part = 0; part < 10 && (await inside(n - 1)); part++) await tab.keyboard.press('Tab');
    const [at, shown, what] = await tab.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
      return [window.turns.indexOf(e), shown, e.outerHTML.slice(0, 120)];
    });
    if (at !== n) fault(`turn ${n + 1} of the keyboard is at ${at + 1}: ${what}`);
    if (!shown) fault(`the focus does not show: ${what}`);
  }
}

async function fits(tab) {
  for (const width of [tab.viewportSize().width, narrowest]) {
    await tab.setViewportSize({ width, height: 740 });
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) fault(`is ${wide} pixels wide in a window of ${width}`);
  }
}
