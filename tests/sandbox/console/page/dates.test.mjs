import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "Europe/Bucharest";
const { ago, clock, formatted, lasting } = await import("../../../../bot/sandbox/console/page/dates.js");

/** The instant of Slack's own examples ("Formatting message text"): 18 February 2014, 16:39:42 here. */
const AT = 1392734382;
const reader = { now: AT * 1000 + 125_000, halfDays: true };

const FORMATS = [
  ["{date_num}", "2014-02-18"],
  ["{date}", "February 18th, 2014"],
  ["{date_short}", "Feb 18, 2014"],
  ["{date_long}", "Tuesday, February 18th, 2014"],
  ["{date_pretty}", "today"],
  ["{date_short_pretty}", "today"],
  ["{date_long_pretty}", "today"],
  ["{time}", "4:39 PM"],
  ["{time_secs}", "4:39:42 PM"],
  ["{ago}", "2 minutes ago"],
  ["{time_secs} ({ago})", "4:39:42 PM (2 minutes ago)"],
  ["Posted {date_num} {time_secs}", "Posted 2014-02-18 4:39:42 PM"],
  ["{no_such_token}", "{no_such_token}"],
  ["{constructor}", "{constructor}"],
];

for (const [format, shown] of FORMATS) test(`${format} is shown as Slack shows it`, () => assert.equal(formatted(AT, format, reader), shown));

test("a day of 24 hours is shown where the reader has one", () => {
  assert.equal(formatted(AT, "{time} {time_secs}", { now: AT * 1000, halfDays: false }), "16:39 16:39:42");
});

for (const [days, shown] of [[1, "yesterday"], [0, "today"], [-1, "tomorrow"], [2, "Feb 18, 2014"]]) {
  test(`a day is called ${shown} from ${days} days later`, () => {
    assert.equal(formatted(AT, "{date_short_pretty}", { now: AT * 1000 + days * 86_400_000 }), shown);
  });
}

for (const [what, before, after] of [
  ["on any day", new Date(2026, 5, 1, 23, 30), new Date(2026, 5, 2, 0, 30)],
  ["when clocks are put forward", new Date(2026, 2, 29, 23, 30), new Date(2026, 2, 30, 0, 30)],
  ["when clocks are put back", new Date(2026, 9, 25, 23, 30), new Date(2026, 9, 26, 0, 30)],
]) {
  test(`the day changes at the reader's midnight, ${what}`, () => {
    assert.equal(formatted(before.getTime() / 1000, "{date_pretty}", { now: after.getTime() }), "yesterday");
    assert.equal(formatted(after.getTime() / 1000, "{date_pretty}", { now: before.getTime() }), "tomorrow");
  });
}

for (const [milliseconds, shown] of [
  [0, "just now"],
  [1000, "1 second ago"],
  [59_999, "59 seconds ago"],
  [60_000, "1 minute ago"],
  [7_200_000, "2 hours ago"],
  [172_800_000, "2 days ago"],
  [-30_000, "in 30 seconds"],
]) {
  test(`${milliseconds} ms is ${shown}`, () => assert.equal(ago(milliseconds), shown));
}

for (const [milliseconds, shown] of [[-5, "0:00"], [7000, "0:07"], [750_000, "12:30"], [3_723_000, "1:02:03"]]) {
  test(`${milliseconds} ms on a phone is ${shown}`, () => assert.equal(lasting(milliseconds), shown));
}

for (const [hour, shown] of [[0, "12:05 AM"], [11, "11:05 AM"], [12, "12:05 PM"], [23, "11:05 PM"]]) {
  test(`hour ${hour} is ${shown} on a clock of two halves`, () => assert.equal(clock(new Date(2026, 10, 21, hour, 5), true, false), shown));
}

for (const [day, shown] of [[1, "1st"], [2, "2nd"], [3, "3rd"], [4, "4th"], [11, "11th"], [12, "12th"], [13, "13th"], [21, "21st"], [30, "30th"]]) {
  test(`day ${day} is the ${shown}`, () => {
    assert.match(formatted(new Date(2026, 9, day).getTime() / 1000, "{date}", { now: 0 }), new RegExp(`October ${shown}, 2026`));
  });
}
