import assert from "node:assert/strict";
import { test } from "node:test";

import { health } from "../../../../bot/sandbox/console/page/health.js";

const bot = (state, more = {}) => ({ state, connected: false, exit_code: null, ...more });

test("a bot that is connected is no trouble", () => assert.equal(health(bot("running", { connected: true })).trouble, ""));

test("a bot that runs and is not connected is connecting", () => assert.equal(health(bot("running")).trouble, "callbot is connecting … The page goes on by itself."));

test("a bot that is started again says so", () => assert.equal(health(bot("restarting")).trouble, "callbot is restarting … The page goes on by itself."));

test("a bot that has ended says how, and what helps", () => {
  assert.equal(health(bot("ended", { exit_code: 1 })).trouble, "callbot has ended (exit code 1). Commands fail until you restart it.");
});
