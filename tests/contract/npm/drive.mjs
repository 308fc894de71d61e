// SPDX-License-Identifier: MIT
// The official SDK against the sandbox: what works here was not written by us on both ends.
// Reads CLOUDFLARE_BASE_URL, CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN as the SDK does, and
// THROTTLED_BASE_URL, a sandbox that allows three requests.
import assert from "node:assert/strict";
import { test } from "node:test";
import Cloudflare from "cloudflare";

const account_id = process.env.CLOUDFLARE_ACCOUNT_ID;
const client = new Cloudflare({ maxRetries: 0 });
const widgets = client.turnstile.widgets;
const origin = new URL(process.env.CLOUDFLARE_BASE_URL).origin;
const acme = { account_id, name: "acme login", domains: ["acme.example"], mode: "managed" };

async function refused(promise, type, status, code) {
  const error = await promise.then(
    () => assert.fail("was not refused"),
    (error) => error,
  );
  assert.equal(error.constructor, type);
  assert.ok(error instanceof Cloudflare.APIError);
  assert.equal(error.status, status);
  assert.equal(error.errors[0].code, code);
  assert.match(error.headers.get("cf-ray"), /^[0-9a-f]{16}-[A-Z]{3}$/);
  return error;
}

async function siteverify(fields) {
  const answer = await fetch(`${origin}/turnstile/v0/siteverify`, {
    method: "POST",
    body: fields instanceof URLSearchParams ? fields : JSON.stringify(fields),
    headers: fields instanceof URLSearchParams ? {} : { "content-type": "application/json" },
  });
  assert.equal(answer.status, 200);
  return answer.json();
}

async function mint(fields) {
  const answer = await fetch(`${origin}/sandbox/tokens`, {
    method: "POST",
    body: JSON.stringify(fields),
    headers: { "content-type": "application/json" },
  });
  assert.equal(answer.status, 200);
  return (await answer.json()).result.token;
}

test("create, get, update, delete", async () => {
  const made = await widgets.create({ ...acme, clearance_level: "interactive" });
  assert.equal(made.name, acme.name);
  assert.equal(made.clearance_level, "interactive");
  assert.deepEqual(await widgets.get(made.sitekey, { account_id }), made);

  const domains = ["z.acme.example", "a.acme.example"];
  const updated = await widgets.update(made.sitekey, { ...acme, name: "acme shop", domains });
  assert.equal(updated.name, "acme shop");
  assert.deepEqual(updated.domains, [...domains].sort());
  assert.equal(updated.secret, made.secret);
  assert.deepEqual(await widgets.get(made.sitekey, { account_id }), updated);

  assert.deepEqual(await widgets.delete(made.sitekey, { account_id }), updated);
  await refused(widgets.get(made.sitekey, { account_id }), Cloudflare.NotFoundError, 404, 10404);
});

test("list, over all pages", async () => {
  const made = [];
  for (let number = 0; number < 23; number++) {
    made.push((await widgets.create({ ...acme, name: `page ${number}` })).sitekey);
  }
  const query = { account_id, per_page: 5, order: "created_on", direction: "asc" };
  const seen = [];
  for await (const widget of widgets.list({ ...query, filter: "name:PAGE" })) {
    assert.equal(widget.secret, undefined);
    seen.push(widget.sitekey);
  }
  assert.deepEqual(seen, made);

  const page = await widgets.list({ ...query, filter: "name:page", page: 5 });
  assert.deepEqual(page.result.map((widget) => widget.sitekey), made.slice(20));
  assert.equal(page.result_info.total_count, 23);
  assert.equal((await page.getNextPage()).result.length, 0);

  const [first] = (await widgets.list({ account_id, filter: `sitekey:${made[7]}` })).result;
  assert.equal(first.sitekey, made[7]);
});

test("rotate, both ways, as siteverify sees it", async () => {
  const { sitekey, secret } = await widgets.create(acme);
  const verdict = async (secret) =>
    siteverify({ secret, response: await mint({ sitekey, hostname: "acme.example" }) });

  const now = await widgets.rotateSecret(sitekey, { account_id, invalidate_immediately: true });
  assert.notEqual(now.secret, secret);
  assert.deepEqual((await verdict(secret))["error-codes"], ["invalid-input-secret"]);
  assert.equal((await verdict(now.secret)).success, true);

  const later = await widgets.rotateSecret(sitekey, { account_id });
  assert.notEqual(later.secret, now.secret);
  assert.equal((await verdict(now.secret)).success, true);
  assert.equal((await verdict(later.secret)).success, true);
  await refused(
    widgets.rotateSecret(sitekey, { account_id }),
    Cloudflare.BadRequestError,
    400,
    10400,
  );
});

test("siteverify, as a form and as JSON", async () => {
  const { sitekey, secret } = await widgets.create(acme);
  const response = await mint({ sitekey, hostname: "shop.acme.example", action: "login" });
  const verdict = await siteverify(new URLSearchParams({ secret, response }));
  assert.equal(verdict.success, true);
  assert.equal(verdict.hostname, "shop.acme.example");
  assert.equal(verdict.action, "login");
  const again = await siteverify({ secret, response });
  assert.deepEqual(again["error-codes"], ["timeout-or-duplicate"]);
});

test("each refusal is the class that callers catch", async () => {
  const nobody = "0x4AAAAAAAAAAAAAAAAAAAAAA";
  const bad = { ...acme, mode: "non_interactive" };
  await refused(widgets.create(bad), Cloudflare.BadRequestError, 400, 10400);
  await refused(widgets.list({ account_id, per_page: 4 }), Cloudflare.BadRequestError, 400, 10400);
  const unentitled = widgets.create({ ...acme, offlabel: true });
  await refused(unentitled, Cloudflare.PermissionDeniedError, 403, 10403);

  const stranger = new Cloudflare({ apiToken: "another-token", maxRetries: 0 }).turnstile.widgets;
  await refused(stranger.get(nobody, { account_id }), Cloudflare.AuthenticationError, 401, 10000);

  const elsewhere = account_id.split("").reverse().join("");
  const denied = widgets.get(nobody, { account_id: elsewhere });
  await refused(denied, Cloudflare.PermissionDeniedError, 403, 10000);

  await refused(widgets.get(nobody, { account_id }), Cloudflare.NotFoundError, 404, 10404);
  await refused(widgets.update(nobody, acme), Cloudflare.NotFoundError, 404, 10404);
  await refused(widgets.delete(nobody, { account_id }), Cloudflare.NotFoundError, 404, 10404);
  await refused(widgets.rotateSecret(nobody, { account_id }), Cloudflare.NotFoundError, 404, 10404);
  await refused(widgets.list({ account_id: "acme" }), Cloudflare.NotFoundError, 404, 7003);
});

test("the rate limit", async () => {
  const baseURL = process.env.THROTTLED_BASE_URL;
  const throttled = new Cloudflare({ baseURL, maxRetries: 0 }).turnstile.widgets;
  for (let number = 0; number < 3; number++) {
    const { response } = await throttled.list({ account_id }).withResponse();
    assert.equal(response.headers.get("ratelimit").split(";")[1], `r=${2 - number}`);
  }
  const error = await refused(
    throttled.list({ account_id }),
    Cloudflare.RateLimitError,
    429,
    971,
  );
  const wait = Number(error.headers.get("retry-after"));
  assert.ok(wait >= 1 && wait <= 60);
});

test("the global key", async () => {
  const key = { apiToken: null, apiEmail: "ops@acme.example" };
  const options = { ...key, apiKey: process.env.CLOUDFLARE_API_TOKEN, maxRetries: 0 };
  const page = await new Cloudflare(options).turnstile.widgets.list({ account_id });
  assert.ok(page.result_info.total_count >= 0);
});
