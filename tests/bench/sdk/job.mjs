// SPDX-License-Identifier: MIT
// job.mjs get|edit|list COUNT IN_FLIGHT: the jobs as a user of the official SDK would write them.
import assert from "node:assert/strict";
import Cloudflare from "cloudflare";

const [kind, count, inFlight] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const account_id = process.env.CLOUDFLARE_ACCOUNT_ID;
const widgets = new Cloudflare({ baseURL: process.env.CLOUDFLARE_BASE_URL }).turnstile.widgets;
const sitekey = (number) => `0x4${String(number).padStart(21, "0")}`;
let domains = 0;

const jobs = {
  async get(number) {
    const widget = await widgets.get(sitekey(number), { account_id });
    domains += widget.domains.length;
  },
  async edit(number) {
    const { name, mode, domains: old } = await widgets.get(sitekey(number), { account_id });
    const changed = { account_id, name, mode, domains: [...old, "new.acme.example"] };
    const widget = await widgets.update(sitekey(number), changed);
    domains += widget.domains.length - 1;
  },
};

if (kind === "list") {
  for await (const widget of widgets.list({ account_id, per_page: 1000 })) {
    domains += widget.domains.length;
  }
} else {
  let next = 1;
  const work = async () => {
    while (next <= count) await jobs[kind](next++);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}
assert.equal(domains, 3 * count);
