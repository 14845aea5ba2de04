// The console's script: refreshes the live parts of a page, receives new records, sends forms.
// Pages can be read without the script.
"use strict";

const REFRESH_MS = 2000;
const MOST_ROWS = 200;
const notice = document.getElementById("notice");
let address = location.href;

function say(text) {
  notice.textContent = text;
  notice.classList.add("shown");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => notice.classList.remove("shown"), 4000);
}

// Changes `old` to look like `fresh`. Parts that are the same are left alone, so that focus,
// selection and open details stay.
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(fresh.cloneNode(true));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.tagName === "FORM" || old.dataset.keep !== undefined) return;
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  const known = new Map();
  for (const child of old.children) if (child.id) known.set(child.id, child);
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const same = child.id && known.get(child.id);
    if (same && same !== at) old.insertBefore(same, at);
    const target = same || at;
    if (!target || (!same && target.id && target.id !== child.id)) {
      old.insertBefore(child.cloneNode(true), at);
      continue;
    }
    at = target.nextSibling;
    morph(target, child);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

let refreshing = null;
async function refresh() {
  if (refreshing) refreshing.abort();
  const mine = (refreshing = new AbortController());
  try {
    const answer = await fetch(address, { signal: mine.signal, headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const old = document.getElementById(fresh.id);
      if (old) morph(old, fresh);
    }
    document.body.classList.remove("offline");
  } catch (error) {
    if (error.name !== "AbortError") document.body.classList.add("offline");
  } finally {
    if (refreshing === mine) refreshing = null;
  }
}

let timer = null;
function schedule() {
  clearTimeout(timer);
  if (document.hidden) return;
  timer = setTimeout(async () => {
    await refresh();
    schedule();
  }, REFRESH_MS);
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    stopTail();
    clearTimeout(timer);
    return;
  }
  refresh().then(schedule);
  startTail();
});

// New records.
const list = document.querySelector("[data-tail]");
const live = document.getElementById("live");
let source = null;
let last = null;
let isPaused = false;
let waiting = [];

function state(name, text) {
  live.className = "live " + name;
  document.getElementById("live-text").textContent = text;
}

function show(html) {
  const rows = document.getElementById("rows");
  const made = document.createElement("template");
  made.innerHTML = html;
  const row = made.content.firstElementChild;
  if (!row || document.getElementById(row.id)) return;
  row.classList.add("new");
  rows.prepend(row);
  while (rows.children.length > MOST_ROWS) rows.lastElementChild.remove();
  const empty = document.getElementById("no-records");
  if (empty) empty.remove();
}

function startTail() {
  if (!list || source) return;
  const url = new URL(list.dataset.tail, location.href);
  if (last) url.searchParams.set("after", last);
  source = new EventSource(url);
  live.hidden = false;
  source.onopen = () => state(isPaused ? "paused" : "", isPaused ? "Paused" : "Live");
  source.onerror = () => state("broken", "Reconnecting…");
  source.onmessage = (event) => {
    last = event.lastEventId;
    if (!isPaused) return show(event.data);
    waiting.push(event.data);
    if (waiting.length > MOST_ROWS) waiting.shift();
    state("paused", `Paused, ${waiting.length}${waiting.length === MOST_ROWS ? "+" : ""} new`);
  };
  source.addEventListener("skipped", () => {
    if (!isPaused) state("", "Live, showing a part of a fast stream");
  });
  source.addEventListener("end", (event) => {
    stopTail();
    state("broken", "Ended: " + JSON.parse(event.data).message);
  });
}

function stopTail() {
  if (source) source.close();
  source = null;
}

const pause = document.getElementById("pause");
if (pause) {
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Resume" : "Pause";
    state(isPaused ? "paused" : "", isPaused ? "Paused" : "Live");
    if (isPaused) return;
    for (const html of waiting) show(html);
    waiting = [];
  });
}

// Forms.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || form.dataset.plain !== undefined) return;
  event.preventDefault();
  const problem = form.querySelector(".problem");
  const button = event.submitter;
  problem.hidden = true;
  if (button) button.disabled = true;
  try {
    const fields = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.action, {
      method: "POST",
      body: fields,
      headers: { accept: "application/json" },
    });
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.message);
    const next = new URL(result.next, location.href);
    if (next.pathname !== location.pathname) {
      location.assign(next);
      return;
    }
    say(result.message);
    if (form.dataset.keep === undefined) form.reset();
    const drawer = form.closest("details.drawer");
    if (drawer && form.dataset.stay === undefined) {
      drawer.open = false;
      drawer.querySelector("summary").focus();
    }
    await refresh();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    if (button) button.disabled = false;
  }
});

// Filters that apply while the user types.
for (const form of document.querySelectorAll("form[data-instant]")) {
  form.addEventListener("input", () => {
    const url = new URL(form.action);
    for (const [name, value] of new FormData(form)) if (value) url.searchParams.set(name, value);
    history.replaceState(null, "", url);
    address = url.href;
    refresh();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

// A drawer closes with the escape key, and a menu with a click elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = event.target.closest && event.target.closest("details[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

startTail();
schedule();
