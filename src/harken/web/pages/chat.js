// A customer's side of a chat. A message stays on this page until the server says that it has it. After a dropped connection
// everything is told again, each message with its id, and what was not acknowledged is sent again under the id it had. Of a page
// that was loaded again the tab remembers whose chat it was, and nothing that was said.
"use strict";
const by = id => document.getElementById(id);
const said = by("said"), text = by("text"), send = by("say").querySelector("button"), person = by("person"), state = by("state");
const unsent = new Map();
const seen = new Set();
const shownHere = new Map();
const WHO = {mine: "You", ours: "Support"};
let socket = null, customer = "", conversation = "", wait = 500, count = 0;

function line(kind, words, small) {
  const item = document.createElement("li");
  item.className = kind;
  const who = WHO[kind.split(" ")[0]];
  if (who) { const unseen = document.createElement("span"); unseen.className = "unseen"; unseen.textContent = `${who}: `; item.append(unseen); }
  item.append(words);
  if (small) { const more = document.createElement("small"); more.textContent = small; item.append(more); }
  said.append(item);
  said.scrollTop = said.scrollHeight;
  return item;
}

function ready(on) { for (const part of [text, send, person]) part.disabled = !on; }

async function ticket() {
  const answer = await fetch("/api/v1/chat/tickets", {
    method: "POST", headers: {"content-type": "application/json"},
    body: JSON.stringify({customer_id: customer, ...(conversation && {conversation_id: conversation})}),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail || answer.statusText);
  return told.ticket;
}

async function connect() {
  state.textContent = "Connecting…";
  let once;
  try { once = await ticket(); } catch (wrong) { return later(wrong.message); }
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/ws/chat?${new URLSearchParams({ticket: once})}`);
  socket.onopen = () => { wait = 500; state.textContent = "Connected"; ready(true); for (const [id, kept] of unsent) post(id, kept.words); text.focus(); };
  socket.onmessage = frame => hear(JSON.parse(frame.data));
  socket.onclose = () => { ready(false); later("Connection lost"); };
}

function later(why) {
  state.textContent = `${why}. Trying again…`;
  setTimeout(connect, wait);
  wait = Math.min(wait * 2, 15000);
}

function post(id, words) { if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({type: "message", id, text: words})); }

function hear(told) {
  if (told.type === "ack") {
    conversation = told.conversation;
    sessionStorage.setItem("chat", JSON.stringify({customer, conversation}));
    unsent.get(told.id)?.item.classList.remove("waiting");
    unsent.delete(told.id);
  } else if (told.type === "message") {
    if (seen.has(told.id)) return;
    seen.add(told.id);
    if (told.from === "system") line("note", told.text);
    else if (told.from === "customer") echoed(told.text);
    else line("ours", told.text, told.by || (told.from === "ai" ? "Assistant" : ""));
  } else if (told.type === "status") {
    state.textContent = told.text;
  } else if (told.type === "refused") {
    const refused = unsent.get(told.id);
    if (refused) shownHere.set(refused.words, (shownHere.get(refused.words) || 1) - 1);
    refused?.item.remove();
    unsent.delete(told.id);
    line("note", told.detail);
  }
}

// What this page sent is on it already; anything else of theirs was said before it was loaded, or elsewhere.
function echoed(words) {
  const left = shownHere.get(words) || 0;
  if (left) shownHere.set(words, left - 1); else line("mine", words);
}

function begin(name, known) {
  customer = name;
  conversation = known;
  by("who").hidden = true;
  connect();
}

function say(words) {
  const id = `${Date.now()}-${count++}`;
  shownHere.set(words, (shownHere.get(words) || 0) + 1);
  unsent.set(id, {words, item: line("mine waiting", words)});
  post(id, words);
}

by("who").addEventListener("submit", event => { event.preventDefault(); begin(by("customer").value.trim(), ""); });
by("say").addEventListener("submit", event => { event.preventDefault(); const words = text.value.trim(); if (words) { say(words); text.value = ""; } });
text.addEventListener("keydown", event => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); by("say").requestSubmit(); } });
person.addEventListener("click", () => say("I would like to talk to a person, please."));
ready(false);
const before = JSON.parse(sessionStorage.getItem("chat") || "null");
if (before) begin(before.customer, before.conversation);
