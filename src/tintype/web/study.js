// The page of the real-vs-fake study. The server knows where the visitor is; the page asks, shows the pair, and sends
// what was chosen. Every message may be sent again without harm, so each is, until the server answers.

const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const PATIENCE_MS = 10000; // for one try
const READY_MS = 600; // between two pairs
const BLINK_MS = 50; // so that a hand still on the key or glass from before does not answer

const KEPT = `tintype beginning ${location.pathname}`;
const NO_COOKIE = "This study needs one cookie, to know you from one pair of pictures to the next, but your browser does " +
  "not keep it: please allow cookies for this page, then press the button again.";

const TOUCH = matchMedia("(hover: none)").matches;

const $ = (id) => document.getElementById(id);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const nextFrame = () => new Promise(requestAnimationFrame);
const once = (target, type) => new Promise((done) => target.addEventListener(type, done, { once: true }));

class Refused extends Error {}

// ---- talking to the server

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
  };
  for (let tries = 0; ; tries++) {
    let trouble = "No connection to the study. Your answers are kept; this page goes on by itself.";
    try {
      const reply = await fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (reply.ok) {
        const content = await (reply.headers.get("Content-Type").startsWith("image/") ? reply.blob() : reply.json());
        $("trouble").hidden = true;
        return content;
      }
      if (reply.status === 429) trouble = "Many people are here at once. Please wait; this page goes on by itself.";
      else if (reply.status < 500) throw new Refused(reply.status);
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    if (tries > 0) say(trouble);
    await Promise.race([sleep(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]), once(window, "online")]);
  }
}

function say(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = false;
}

const load = async (place, side) => createImageBitmap(await ask(`pictures/${place}/${side}`));

// ---- beginning

let beginning = null;

/** The name of this one beginning, by which the server knows a repeat of it. It outlives a reload of this tab. */
function nameBeginning() {
  try {
    beginning ??= sessionStorage.getItem(KEPT);
  } catch { /* storage is blocked: the name lasts as long as the page */ }
  beginning ??= Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16).padStart(8, "0")).join("");
  try {
    sessionStorage.setItem(KEPT, beginning);
  } catch { /* as above */ }
  return beginning;
}

function forgetBeginning() {
  beginning = null;
  try {
    sessionStorage.removeItem(KEPT);
  } catch { /* as above */ }
}

/** Begins, and asks where that left the visitor: where he was before, if his browser did not keep the cookie. */
async function begin(state, options) {
  const begun = await ask("begin", { beginning: nameBeginning(), ...options });
  if (begun.stage === "full") return begun;
  const now = await ask("state");
  if (now.stage === state.stage) say(NO_COOKIE);
  return now;
}

// ---- the screens

function show(id) {
  for (const section of document.querySelectorAll("section")) section.hidden = section.id !== id;
  window.scrollTo(0, 0);
}

function paragraphs(element, text) {
  element.replaceChildren(...text.trim().split(/\n\s*\n/).map((part) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = part.replace(/\s+/g, " ");
    return paragraph;
  }));
}

async function pressed(button) {
  button.focus({ preventScroll: true });
  await once(button, "click");
}

async function consent(state) {
  $("title").textContent = state.title;
  paragraphs($("text"), state.consent);
  show("consent");
  await once($("agree"), "click");
  return begin(state, {});
}

async function full() {
  show("full");
  await once($("retry"), "click");
  const state = await ask("state");
  if (state.stage === "full") say("There is no room yet.");
  return state;
}

async function note(title, text, button) {
  $("note-title").textContent = title;
  paragraphs($("note-text"), text);
  $("note-go").textContent = button;
  show("note");
  await pressed($("note-go"));
}

const seconds = (ms) => (ms === 1000 ? "one second" : `${ms / 1000} seconds`);

function introduce(state) {
  const task = "Two pictures of the same photograph are shown, one after the other, each for " +
    `${seconds(state.exposure)}. Then ${TOUCH ? "tap" : "click"} the frame whose picture had made-up colours` +
    `${TOUCH ? "" : "; or press the left or right arrow key, or 1 or 2"}. Take as long as you want to answer, and ` +
    "guess where you do not know.";
  const test = `${state.trials} pairs follow, and you will not be told whether you were right. There is no hurry: you ` +
    "may rest before any answer.";
  if (state.stage === "practice") {
    return note("What to do", `${task}\n\nThe first ${state.practice} pairs are for practice: you are told whether ` +
      "you were right.", "Start practice");
  }
  if (state.practice) return note("Now the real test", test, "Start");
  return note("What to do", `${task}\n\n${test}`, "Start");
}

async function done(state) {
  $("score").textContent = `You found the made-up colours in ${state.score} of ${state.trials} pairs ` +
    `(${Math.round(100 * state.score / state.trials)} %).`;
  show("done");
  await once($("another"), "click");
  return begin(state, { another: true });
}

// ---- one pair

const canvas = (side) => $(side).querySelector("canvas").getContext("2d");
const draw = (side, picture) => canvas(side).drawImage(picture, 0, 0, 256, 256);
const clear = (side) => canvas(side).clearRect(0, 0, 256, 256);

function announce(state) {
  const practice = state.stage === "practice";
  const number = practice ? state.place + 1 : state.place + 1 - state.practice;
  const of = practice ? state.practice : state.trials;
  $("count").textContent = `${practice ? "Practice pair" : "Pair"} ${number} of ${of}`;
  $("progress").max = of;
  $("progress").value = number - 1;
  for (const side of ["left", "right"]) {
    clear(side);
    $(side).disabled = true;
    $(side).classList.remove("chosen", "next");
  }
  $("left-caption").textContent = "Left";
  $("right-caption").textContent = "Right";
  $("hint").textContent = "";
  $("next").hidden = true;
}

/** The screen's time from frame to frame, in milliseconds, while the visitor gets ready. */
async function ready(side) {
  $("prompt").textContent = "Look …";
  $(side).classList.add("next");
  const times = [];
  const start = performance.now();
  while (performance.now() - start < READY_MS) times.push(await nextFrame());
  $(side).classList.remove("next");
  return (times.at(-1) - times[0]) / (times.length - 1) || 1000 / 60;
}

/** Shows the two in turn. Resolves to when each was painted and removed, or to null where the page was hidden. */
function expose(order, pictures, duration, frame) {
  return new Promise((resolve) => {
    const times = [];
    const stop = (result) => {
      document.removeEventListener("visibilitychange", hide);
      resolve(result);
    };
    const hide = () => {
      order.forEach(clear);
      stop(null);
    };
    const step = (now) => {
      if (document.hidden) return; // `hide` has been called, or is about to be
      if (times.length && now - times.at(-1) < duration - frame / 2) return requestAnimationFrame(step);
      if (times.length) clear(order[times.length - 1]);
      times.push(now);
      if (times.length === 3) return stop(times);
      draw(order[times.length - 1], pictures[order[times.length - 1]]);
      requestAnimationFrame(step);
    };
    document.addEventListener("visibilitychange", hide);
    requestAnimationFrame(step);
  });
}

const KEYS = { ArrowLeft: "left", 1: "left", ArrowRight: "right", 2: "right" };

function choose() {
  $("prompt").textContent = "Which one had made-up colours?";
  $("hint").textContent = `${TOUCH ? "Tap its frame." : "Click its frame, or press ← or →."} There is no hurry.`;
  return new Promise((resolve) => {
    const listen = new AbortController();
    const choice = (side, event) => {
      listen.abort();
      $(side).classList.add("chosen");
      for (const name of ["left", "right"]) $(name).disabled = true;
      resolve({ side, at: event.timeStamp });
    };
    for (const side of ["left", "right"]) {
      $(side).disabled = false;
      $(side).addEventListener("click", (event) => choice(side, event), { signal: listen.signal });
    }
    document.addEventListener("keydown", (event) => {
      const plain = !event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey;
      if (plain && KEYS[event.key]) choice(KEYS[event.key], event);
    }, { signal: listen.signal });
  });
}

async function feedback(right, side, pictures) {
  const fake = right ? side : side === "left" ? "right" : "left";
  for (const name of ["left", "right"]) {
    draw(name, pictures[name]);
    $(`${name}-caption`).textContent = name === fake ? "made-up colours" : "true colours";
  }
  $("prompt").textContent = right ? "✓ Right" : "✗ Wrong";
  $("hint").textContent = `The ${fake} one had made-up colours.`;
  $("next").hidden = false;
  $("next").scrollIntoView({ block: "nearest" }); // on a phone on its side it may be below the screen
  await pressed($("next"));
}

async function pair(state) {
  const { place, first } = state;
  const order = first === "left" ? ["left", "right"] : ["right", "left"];
  announce(state);
  $("prompt").textContent = "Loading …";
  show("pair");
  const [left, right] = await Promise.all([load(place, "left"), load(place, "right")]);
  const pictures = { left, right };

  let times = null;
  while (!times) {
    while (document.hidden) await once(document, "visibilitychange");
    const frame = await ready(first);
    await ask("shown", { place, showing: crypto.getRandomValues(new Uint32Array(3)).join("-") });
    times = await expose(order, pictures, state.exposure, frame);
  }
  await sleep(BLINK_MS);
  const { side, at } = await choose();
  $("hint").textContent = "";
  const reply = await ask("answer", {
    place, side, first: times[1] - times[0], second: times[2] - times[1], answer: Math.max(0, at - times[2]),
  });
  if ("right" in reply) await feedback(reply.right, reply.side, pictures);
  left.close();
  right.close();
  return reply.state;
}

// ---- the way through

async function visit() {
  let state = await ask("state");
  document.title = state.title;
  let stage = null; // what the visitor was last told of
  if (state.stage === "practice" || state.stage === "test") {
    if (state.place > 0) {
      await note("Welcome back", "The study goes on where you were.", "Go on");
      if (state.place !== state.practice) stage = state.stage;
    }
  }
  for (;;) {
    try {
      if (state.stage === "consent") state = await consent(state);
      else if (state.stage === "full") state = await full();
      else if (state.stage === "done") {
        state = await done(state);
        stage = null;
      } else {
        forgetBeginning();
        if (stage !== state.stage) await introduce(state);
        stage = state.stage;
        state = await pair(state);
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      state = await ask("state"); // answered in another tab, say: go on from where the server knows the visitor to be
      if (state.stage === "consent") say(NO_COOKIE);
    }
  }
}

/** Only the tab that was opened last goes on. */
function takeOver() {
  const tabs = new BroadcastChannel(`tintype ${location.pathname}`);
  tabs.onmessage = () => {
    location.hash = "elsewhere";
    location.reload();
  };
  tabs.postMessage("here");
}

if (location.hash === "#elsewhere") {
  show("elsewhere");
  $("here").addEventListener("click", () => {
    history.replaceState(null, "", location.pathname);
    location.reload();
  });
} else {
  takeOver();
  visit().catch(() => say("Something went wrong. Please reload the page; your answers are kept."));
}
