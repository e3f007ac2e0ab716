/** Sends a copy until it has arrived, follows it until it is recorded, and then forgets it. */

import { find, finish, keep, surveyOf } from "./kept.js";
import { backoff, fetched, lost, pause, within } from "./reach.js";
import { post } from "./submit.js";

/** @typedef {import("./kept.js").Copy} Copy */

const PATIENCE = 30_000;
const LATER = new Set([408, 429, 500, 502, 503, 504]);
/** Answers after which the same may be sent again; all others are for the respondent to see. */
const GONE = 410;
/** The status that says: the time of these answers is over, and they were deleted. */
const KEEPALIVE = 60_000;
/** Characters of a body that a browser goes on sending after its page was closed. */

/**
 * @param {Copy} copy
 * @param {(state: "sending"|"waiting") => void} tell
 * @param {() => boolean} wanted whether it is still to be sent
 * @returns {Promise<"arrived"|"refused"|"given up">} arrived: on disk, whoever had sent it before
 */
export async function send(copy, tell, wanted = () => true) {
  for (const wait of backoff()) {
    tell("sending");
    const { outcome, after } = await attempt(copy);
    if (!wanted()) return "given up";
    if (outcome !== "later") return outcome;
    tell("waiting");
    await pause(Math.max(wait, after), { early: !after });
    if (!wanted()) return "given up";
  }
}

/** @param {Copy} copy @returns {Promise<{ outcome: "arrived"|"refused"|"later", after: number }>} */
async function attempt(copy, solution = "") {
  const body = `${copy.body}&go=send${solution && `&work=${encodeURIComponent(solution)}`}`;
  const answer = await fetched(copy.address, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "text/html" },
    body,
    keepalive: body.length < KEEPALIVE,
    signal: within(PATIENCE),
  });
  if (!answer) {
    lost();
    return { outcome: "later", after: 0 };
  }
  const task = solution ? null : answer.headers.get("Platea-Work");
  const solved = task ? await work(task) : "";
  if (solved) return await attempt(copy, solved);
  if (LATER.has(answer.status)) return { outcome: "later", after: seconds(answer) };
  return { outcome: answer.ok && answer.text.includes("data-arrived=") ? "arrived" : "refused", after: 0 };
}

/** What the server asks for while a survey is flooded; "" where this browser cannot, and then waiting does. @param {string} task */
async function work(task) {
  try {
    return await (await import("./work.js")).solve(JSON.parse(task));
  } catch {
    return "";
  }
}

/** @param {{ headers: Headers }} answer */
const seconds = (answer) => 1000 * (Number(answer.headers.get("Retry-After")) || 0);

/**
 * Asks until the answers are recorded, and then nothing is left on this device. A receipt that the journal lost is sent again.
 * @param {Copy} copy @param {(state: "sent"|"sending"|"waiting"|"recorded"|"deleted") => void} tell
 */
export async function follow(copy, tell) {
  for (const wait of backoff(500)) {
    const { status, after } = await standing(copy);
    const kept = find(copy.receipt);
    if (kept && kept.state !== "sent") return; // somebody is changing the answers
    if (status === "recorded" || status === "withdrawn" || status === "deleted") {
      finish(copy.receipt);
      tell(status === "deleted" ? "deleted" : "recorded");
      return;
    }
    if (status === "unknown") {
      if (!kept) return;
      copy = { ...copy, body: asNew(copy.body) };
      keep(copy);
      if ((await send(copy, tell)) !== "arrived") return;
      tell("sent");
    }
    await pause(Math.max(wait, after), { early: !after });
  }
}

/** @param {Copy} copy @returns {Promise<{ status: string, after: number }>} */
async function standing(copy) {
  const asked = { receipt: copy.receipt, survey: surveyOf(copy.address).split("/").pop() };
  const answer = await fetched("/api/v1/receipts/status", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(asked), // a receipt stands in no address: addresses are written into logs
    cache: "no-store",
    signal: within(PATIENCE),
  });
  if (!answer) return { status: "", after: 0 };
  if (answer.status === 404) return { status: "unknown", after: 0 };
  if (answer.status === GONE) return { status: "deleted", after: 0 };
  if (!answer.ok) return { status: "", after: seconds(answer) };
  try {
    return { status: JSON.parse(answer.text).status, after: 0 };
  } catch {
    return { status: "", after: 0 }; // something else than the server answered
  }
}

/** Changed answers whose first ones are lost as well are new answers. @param {string} body */
function asNew(body) {
  const fields = new URLSearchParams(body);
  const { changes, ...sheet } = JSON.parse(fields.get("sheet") ?? "{}");
  fields.set("sheet", JSON.stringify(sheet));
  return fields.toString();
}

/** Goes to the page that answers this copy, as if its form had been sent. @param {Copy} copy @param {string} go the button */
export function leave(copy, go, address = copy.address) {
  post(address, [...new URLSearchParams(copy.body), ["go", go]]);
}

/** Goes to the page after sending, which thanks: it was this device that brought the answers a moment ago. @param {Copy} copy */
export function thank(copy) {
  post(copy.address, [...new URLSearchParams(copy.body), ["delivered", "now"], ["go", "send"]]);
}
