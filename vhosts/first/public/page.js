// SPDX-License-Identifier: Apache-2.0
// Asks the second site who it is, and shows that one site's trouble is not another's.
"use strict";

const second = document.body.dataset.second;

function show(facts) {
  for (const what of ["pid", "user"]) {
    const value = what === "pid" ? facts.pid : facts.uid;
    for (const place of document.querySelectorAll(`[data-${what}="${facts.vhost}"]`)) {
      place.textContent = place.closest("svg") ? `${what === "pid" ? "process" : what} ${value}` : value;
    }
  }
}

async function ask(origin) {
  const answer = await fetch(origin + "/whoami", { cache: "no-store" });
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
  return answer.json();
}

async function askSecond() {
  const state = document.getElementById("second-state");
  const list = document.getElementById("second");
  try {
    const facts = await ask(second);
    for (const place of list.querySelectorAll("[data-fact]")) place.textContent = facts[place.dataset.fact];
    show(facts);
    list.hidden = false;
    state.textContent = "Asked by your browser just now:";
  } catch (error) {
    list.hidden = true;
    state.textContent = `Your browser did not reach it (${error.message}). Ask it with curl, as below, or at:`;
  }
}

async function askBoth() {
  const outcome = document.getElementById("outcome");
  try {
    show(await ask(""));
    outcome.textContent = "";
  } catch (error) {
    outcome.textContent = `The first site did not answer: ${error.message}`;
  }
  await askSecond();
}

async function loop() {
  const outcome = document.getElementById("outcome");
  const began = performance.now();
  let over = false, answers = 0, slowest = 0;
  const stopped = fetch(second + "/loop", { cache: "no-store" }).then((answer) => answer.status, (error) => error.message)
    .finally(() => { over = true; });
  while (!over) {
    const asked = performance.now();
    await ask("");
    slowest = Math.max(slowest, performance.now() - asked);
    answers += 1;
  }
  const status = await stopped;
  outcome.textContent = `The second site's handler was stopped after ${Math.round(performance.now() - began)} ms ` +
    `(${status}). Meanwhile this site gave ${answers} answers, the slowest in ${slowest.toFixed(1)} ms.`;
}

async function press(button, action) {
  button.disabled = true;
  try {
    await action();
  } finally {
    button.disabled = false;
  }
}

for (const [id, action] of [["again", askBoth], ["loop", loop]]) {
  const button = document.getElementById(id);
  button.addEventListener("click", () => press(button, action));
}
document.querySelector(".actions").hidden = false;
const drawing = document.querySelector(".scroll"); // on a narrow screen: begin in the middle
drawing.scrollLeft = (drawing.scrollWidth - drawing.clientWidth) / 2;
askSecond();
